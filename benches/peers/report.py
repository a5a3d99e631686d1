"""The table, as text or Markdown, under what it was made with."""
import importlib.metadata
import os
import pathlib
import platform

import torch

HEADER = ["case", "peer", "ours ms", "peer ms", "ratio", "lowest to highest", "runs", "difference"]
LEFT = {0, 1, 7}
CLOCK_NAMES = {"cpu": "processor time", "wall": "wall time"}
PEERS = [
    "torch", "monai", "exacta", "edt", "SimpleITK", "surface-distance", "medpy", "scipy", "numpy"
]


def preamble(version, options, command):
    peers = ", ".join(f"{peer} {importlib.metadata.version(peer)}" for peer in PEERS)
    return [
        f"segloss {version}; {peers}; Python {platform.python_version()}",
        f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end; "
        f"torch uses {torch.backends.cpu.get_cpu_capability()}",
        f"one thread, {CLOCK_NAMES[options.clock]}, medians of {options.repeats} alternated runs; "
        f"runs: those of the peer, fewer where they would take more than {options.seconds:g} s",
        "ratio: peer / ours; differences are relative, those of gradients to the largest entry",
        f"command: {command}",
    ]


def text(rows):
    """The table in columns, for a terminal."""
    cells = [HEADER, *(line(row) for row in rows)]
    return "\n".join("  ".join(row).rstrip() for row in aligned(cells))


def markdown(rows):
    cells = aligned([HEADER, *(line(row) for row in rows)])
    dashes = [
        "-" * len(cell) if column in LEFT else "-" * (len(cell) - 1) + ":"
        for column, cell in enumerate(cells[0])
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in [cells[0], dashes, *cells[1:]])


def aligned(cells):
    widths = [max(len(cell) for cell in column) for column in zip(*cells)]
    return [
        [
            cell.ljust(width) if column in LEFT else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ]
        for row in cells
    ]


def line(row):
    """The cells of a row."""
    lowest, highest = number(row.lowest_ratio), number(row.highest_ratio)
    return [
        row.case,
        row.peer,
        number(row.ours_ms),
        number(row.peer_ms),
        number(row.peer_ms / row.ours_ms),
        f"{lowest} to {highest}" if row.runs > 1 else "",
        str(row.runs),
        row.agreement,
    ]


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def processor():
    """The processor's name as Linux gives it, else what Python knows."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
