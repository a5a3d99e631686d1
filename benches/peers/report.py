"""The table, as Markdown, under what it was made with."""
import os
import pathlib
import platform

import monai
import numpy
import torch

HEADER = [
    "case",
    "peer",
    "ours ms",
    "peer ms",
    "ratio",
    "lowest to highest",
    "value difference",
    "gradient difference",
]
CLOCK_NAMES = {"cpu": "processor time", "wall": "wall time"}


def text(rows, version, options, command):
    return "\n".join([*preamble(version, options, command), "", *table(rows)])


def preamble(version, options, command):
    peers = f"torch {torch.__version__}, MONAI {monai.__version__}, numpy {numpy.__version__}"
    clock = CLOCK_NAMES[options.clock]
    return [
        f"segloss {version}; {peers}; Python {platform.python_version()}",
        f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end; "
        f"torch uses {torch.backends.cpu.get_cpu_capability()}",
        f"value and gradient, one thread, {clock}, medians of {options.repeats} alternated runs",
        "ratio: peer / ours; differences: relative to the value and to the largest gradient",
        f"command: {command}",
    ]


def table(rows):
    cells = [HEADER, ["---", "---", *["---:"] * 6], *(line(row) for row in rows)]
    return ["| " + " | ".join(row) + " |" for row in cells]


def line(row):
    return [
        row.case,
        row.peer,
        f"{row.ours_ms:.1f}",
        f"{row.peer_ms:.1f}",
        f"{row.peer_ms / row.ours_ms:.1f}",
        f"{row.lowest_ratio:.1f} to {row.highest_ratio:.1f}",
        f"{row.value_difference:.0e}",
        f"{row.gradient_difference:.0e}",
    ]


def processor():
    """The processor's name as Linux gives it, else what Python knows."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
