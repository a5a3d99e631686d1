"""Value and gradient of segloss beside MONAI and PyTorch: agreement, then time, on one thread.

    python3 benches/peers/compare.py                        C = 2 and 32 at 128^3
    python3 benches/peers/compare.py --quick                the same at 48^3
    python3 benches/peers/compare.py --cases tversky --classes 2,8,32 --repeats 9

The first run makes a virtual environment beside this file and installs the peers into it. The
library is built with `cargo cshared` unless `--library` names one. Exit status: 1 if the two sides
disagree (nothing is timed then), 77 if the peers cannot be installed.
"""
import argparse
import pathlib
import shlex
import sys

import environment


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", help="names, separated by commas (default: all)")
    parser.add_argument("--classes", default="2,32", help="numbers of classes (default: 2,32)")
    parser.add_argument("--size", type=int, default=128, help="voxels along each axis")
    parser.add_argument("--quick", action="store_true", help="--size 48")
    parser.add_argument("--repeats", type=int, default=5, help="alternated runs, at least 5")
    parser.add_argument(
        "--clock", choices=["cpu", "wall"], default="cpu", help="processor or wall time"
    )
    parser.add_argument("--library", type=pathlib.Path, help="a built shared library")
    options = parser.parse_args()
    options.repeats = max(options.repeats, 5)
    options.size = 48 if options.quick else options.size
    options.classes = [int(classes) for classes in options.classes.split(",")]
    return options


def chosen(cases, names):
    """The named cases; leaves with 2 on an unknown name."""
    names = names.split(",") if names else list(cases)
    unknown = [name for name in names if name not in cases]
    if unknown:
        print(f"unknown case {unknown[0]}; there are: {', '.join(cases)}", file=sys.stderr)
        sys.exit(2)
    return {name: cases[name] for name in names}


def run(options):
    # these need the environment
    import torch

    import measure
    import report
    from cases import CASES
    from segloss_c import Library

    torch.set_num_threads(1)
    cases = chosen(CASES, options.cases)
    library = Library(options.library or environment.build_library())
    rows = []
    for classes in options.classes:
        for name, case in cases.items():
            print(f"... {name} C={classes}", file=sys.stderr, flush=True)
            row = measure.compare(
                library, name, case, classes, options.size, options.repeats, options.clock
            )
            rows.append(row)
    command = shlex.join(["python3", "benches/peers/compare.py", *sys.argv[1:]])
    print(report.text(rows, library.version(), options, command))


def main():
    options = arguments()
    environment.enter()
    from measure import Disagreement

    try:
        run(options)
    except Disagreement as difference:
        print(f"DISAGREEMENT {difference}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
