"""The tables, as text or Markdown, under what they were made with."""
import importlib.metadata
import os
import platform
import subprocess

import torch

import hardware
from environment import REPOSITORY
from measure import MOOD_MS, TRIES

HEADER = [
    "case", "peer", "ours ms", "peer ms", "ratio", "lowest to highest", "runs", "difference",
    "ours MB", "peer MB", "floor ms", "x floor", "target", "",
]
LEFT = {0, 1, 7, 13}
CLOCK_NAMES = {"cpu": "processor time", "wall": "wall time"}
PEERS = [
    "torch", "monai", "exacta", "edt", "SimpleITK", "surface-distance", "medpy", "scipy", "numpy"
]
LEGEND = [
    "ratio: peer / ours, and the same of single pairs of runs; differences are relative, those of "
    "gradients to the largest entry",
    f"beside peers that take less than {MOOD_MS:g} ms {TRIES} times as many pairs are run; those count "
    "around which a loop of arithmetic was fastest, as others may use the other half of a core",
    "MB: ours the scratch asked for, the peer's the growth of resident memory in a run; inputs and "
    "results are on neither side",
    "floor: bytes that the formula must move, as fast as a plain copy of as many; a small input "
    "stays in the cache, and so does its copy",
]


def source():
    """Commit and compiler, as far as they can be asked for."""
    def said(*command):
        try:
            return subprocess.run(
                command, cwd=REPOSITORY, capture_output=True, text=True, check=True
            ).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return "unknown"

    commit = said("git", "describe", "--always", "--dirty", "--exclude", "*")
    return f"commit {commit}, {said('rustc', '--version')}"


def preamble(version, options, command):
    peers = ", ".join(f"{peer} {importlib.metadata.version(peer)}" for peer in PEERS)
    copied = hardware.copied_per_second(hardware.LARGEST)
    return [
        f"segloss {version}, {source()}; {peers}; Python {platform.python_version()}",
        f"{hardware.processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the "
        f"end; torch uses {torch.backends.cpu.get_cpu_capability()}; a copy moves "
        f"{copied / 1e9:.1f} GB/s (512 MB), an exponential takes "
        f"{1e9 * hardware.exponential_seconds():.2f} ns",
        f"one thread, {CLOCK_NAMES[options.clock]}, medians of {options.repeats} alternated runs; "
        f"runs: those of the peer, fewer without a target where they would take more than "
        f"{options.seconds:g} s",
        *LEGEND,
        f"command: {command}",
    ]


def text(rows):
    """The table in columns, for a terminal."""
    cells = [HEADER, *(line(row) for row in rows)]
    return "\n".join("  ".join(row).rstrip() for row in aligned(cells))


def markdown(rows):
    return markdown_table([HEADER, *(line(row) for row in rows)], LEFT)


def markdown_table(cells, left):
    """The first line is the header."""
    cells = aligned(cells, left)
    dashes = [
        "-" * len(cell) if column in left else "-" * (len(cell) - 1) + ":"
        for column, cell in enumerate(cells[0])
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in [cells[0], dashes, *cells[1:]])


def aligned(cells, left=frozenset(LEFT)):
    widths = [max(3, *(len(cell) for cell in column)) for column in zip(*cells)]
    return [
        [
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ]
        for row in cells
    ]


def line(row):
    """The cells of a row."""
    spread = ""
    if row.runs > 1 and row.lowest_ratio is not None:
        spread = f"{number(row.lowest_ratio)} to {number(row.highest_ratio)}"
    floor = row.floor_ms and row.ours_ms
    return [
        row.case,
        row.peer,
        number(row.ours_ms),
        number(row.peer_ms),
        number(row.ratio()),
        spread,
        str(row.runs or ""),
        row.agreement,
        megabytes(row.ours_bytes),
        megabytes(row.peer_bytes),
        number(row.floor_ms),
        number(row.ours_ms / row.floor_ms) if floor else "",
        wanted(row.target) if row.target else "",
        verdict(row),
    ]


def wanted(target):
    return f"time <= {target.bound:g}x" if target.at_most else f">= {target.bound:g}"


def verdict(row):
    if row.target is None or row.ratio() is None:
        return ""
    missing = row.target.shortfall(row.ratio())
    words = f"missed by {100 * missing:.0f} %" if missing else "met"
    return f"{words}, {number(1.0 / row.ratio())}x" if row.target.at_most else words


def number(value):
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def megabytes(count):
    return "" if count is None else number(count / 1e6)
