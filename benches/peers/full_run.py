"""`--full`: every group in a process of its own, and benches/RESULTS.md from their rows."""
import datetime
import os
import shlex
import subprocess
import sys
import time

import reading
import report
import stored_rows
from environment import HERE, REPOSITORY
from measure import DISAGREEMENT, Row

RESULTS = REPOSITORY / "benches" / "RESULTS.md"
ROWS = REPOSITORY / "target" / "peers.jsonl"
BUDGET_S = 60 * 60

# title, groups, further options
SECTIONS = (
    ("Losses, 128^3", "losses", ["--classes", "2,32", "--seconds", "8"]),
    ("Losses, 64^3", "losses", ["--classes", "2,8,107", "--size", "64", "--seconds", "6"]),
    ("Losses, 8 and 107 classes, 128^3", "losses", [
        "--classes", "8,107", "--cases", "dice_cross_entropy,tree_cross_entropy", "--seconds", "6",
    ]),
    ("Losses, 256^3", "losses", [
        "--classes", "2", "--size", "256", "--cases", "dice_cross_entropy,tree_cross_entropy",
        "--seconds", "6",
    ]),
    ("Tree terms beside the flat loss", "trees", ["--classes", "2,32", "--repeats", "9"]),
    ("Tree terms beside the flat loss, 107 classes", "trees", [
        "--classes", "8,107", "--size", "64", "--repeats", "9",
    ]),
    ("Layouts, element types, batches, planes", "formats", [
        "--peers", "MONAI,torch by hand", "--seconds", "6",
    ]),
    ("Other forms of the input beside ours, 64^3", "forms", [
        "--classes", "2,3,7,14,32,107", "--size", "64", "--repeats", "9",
    ]),
    ("Other forms of the input beside ours, 128^3", "forms", [
        "--classes", "2,32", "--repeats", "9",
    ]),
    ("Real label maps", "real", ["--seconds", "6"]),
    ("Tversky-HausdorffDT", "hausdorff", ["--seconds", "6"]),
    ("Distance transforms, 64^3 and 128^3", "transform", ["--sizes", "64,128", "--seconds", "4"]),
    ("Distance transforms, 256^3", "transform", ["--sizes", "256", "--seconds", "8"]),
    ("Distance transforms with AVX2 alone", "levels", ["--sizes", "128,256", "--seconds", "8"]),
    ("Surface metrics", "metrics", ["--sizes", "64,128,256", "--seconds", "6"]),
    ("Two threads", "threads", ["--sizes", "128,256", "--repeats", "9"]),
)


def run(version, options, library, command):
    """Runs the sections and writes the results; returns the exit status."""
    started, status, parts = time.monotonic(), 0, []
    ROWS.parent.mkdir(exist_ok=True)
    ROWS.unlink(missing_ok=True)
    for title, group, more in SECTIONS:
        arguments = ["--groups", group, *more, *(["--quick"] if options.quick else [])]
        before = len(stored_rows.read(ROWS))
        print(f"== {title}, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        child = subprocess.run([
            sys.executable, str(HERE / "compare.py"), *arguments,
            "--library", str(library), "--rows", str(ROWS),
        ], stdout=subprocess.DEVNULL)
        rows = stored_rows.read(ROWS)[before:]
        if child.returncode != 0:
            status = 1
            rows.append(failure(title, group, child.returncode))
            stored_rows.append(ROWS, rows[-1])
        parts.append((title, shlex.join(arguments), rows))
    seconds = time.monotonic() - started
    text = document(report.preamble(version, options, command), parts, seconds)
    (options.markdown or RESULTS).write_text(text)
    print(text)
    if seconds > BUDGET_S:
        print(f"took {seconds:.0f} s, more than {BUDGET_S}", file=sys.stderr)
    return status


def failure(title, group, code):
    """A line for a process that ended early."""
    how = "the two sides do not agree" if code == DISAGREEMENT else f"the process ended with {code}"
    return Row(title, "", agreement=f"FAILED: {how}", group=group)


def document(preamble, parts, seconds):
    rows = [row for _, _, found in parts for row in found]
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    lines = [
        "# Measured beside the peers",
        "",
        f"{date}, {os.uname().sysname}, {seconds / 60:.0f} minutes. Written by the command below; "
        "what the columns mean and how it is measured stands in `benches/README.md`. Options that "
        "differ from the command's stand with each table.",
        "",
        *(f"- {line}" for line in preamble),
        "",
        "## Reading",
        "",
        reading.paragraph(rows),
        "",
        reading.summary(rows),
    ]
    for title, arguments, found in parts:
        table = report.markdown(found) if found else "Skipped."
        lines += ["", f"## {title}", "", f"`{arguments}`", "", table]
    return "\n".join(lines) + "\n"
