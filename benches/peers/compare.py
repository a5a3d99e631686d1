"""segloss beside its peers on one thread: agreement first, then time.

    python3 benches/peers/compare.py                        all groups
    python3 benches/peers/compare.py --quick                the same on small volumes
    python3 benches/peers/compare.py --groups losses --cases tversky --classes 2,8,32 --repeats 9
    python3 benches/peers/compare.py --groups transform,metrics --sizes 128 --peers edt,exacta
    python3 benches/peers/compare.py --full                 everything, writes benches/RESULTS.md
    python3 benches/peers/compare.py --readme               the README's part of the last full run

losses: value and gradient, C = 2 and 32 at 128^3. trees: tree terms beside our flat losses.
formats: layouts, element types, batches. forms: the same beside our plain form. real: losses on
real label maps. hausdorff: Tversky-HausdorffDT, value and gradient. transform: distances of both
phases. levels: the same with AVX2 alone. metrics: HD, HD95, ASSD and surface Dice. threads: two
beside one, wall time.

The first run makes a virtual environment beside this file and installs the peers into it. The
library is built with `cargo cshared` unless `--library` names one. Exit status: 3 if two sides
disagree (nothing is timed from there on), 77 if the peers cannot be installed.
"""
import argparse
import importlib
import pathlib
import shlex
import sys
import warnings

import environment

GROUPS = {
    "losses": "loss_group", "trees": "tree_group", "formats": "format_group", "forms": "form_group",
    "real": "real_group", "hausdorff": "hausdorff_group", "transform": "transform_group",
    "levels": "level_group", "metrics": "metric_group", "threads": "thread_group",
}


def names(text):
    return text.split(",")


def numbers(text):
    return [int(number) for number in text.split(",")]


def score_sizes(text):
    """`2x128,8x64` as pairs of classes and size."""
    return [tuple(int(number) for number in item.split("x")) for item in text.split(",")]


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--full", action="store_true", help="all sizes; writes benches/RESULTS.md, or --markdown")
    add("--readme", action="store_true", help="prints the README's part of the last full run")
    add("--groups", type=names, default=GROUPS, help=f"of {', '.join(GROUPS)} (default: all)")
    add("--peers", type=names, help="beginnings of names of peers (default: all)")
    add("--cases", type=names, help="losses: names (default: all)")
    add("--classes", type=numbers, default=[2, 32],
        help="losses and trees: numbers of classes (2,32)")
    add("--size", type=int, default=128, help="losses: voxels along each axis (128)")
    add("--scores", type=score_sizes, default=[(2, 64), (2, 128), (8, 64)],
        help="hausdorff: classes x size (2x64,2x128,8x64)")
    add("--masks", type=names, help="transform: names (default: all)")
    add("--sizes", type=numbers, default=[128, 256],
        help="transform, levels and metrics: voxels along each axis (128,256)")
    add("--quick", action="store_true",
        help="--size 48 --scores 2x48,8x32 --sizes 48, and no metrics of real maps")
    add("--repeats", type=int, default=5, help="alternated runs, at least 5")
    add("--seconds", type=float, default=10.0,
        help="for the timed runs of one peer: a slow one without a target is run less often")
    add("--clock", choices=["cpu", "wall"], default="cpu", help="processor or wall time")
    add("--markdown", type=pathlib.Path, help="file that gets the table as Markdown")
    add("--rows", type=pathlib.Path, help="file that gets every row as a line of JSON, at its end")
    add("--library", type=pathlib.Path, help="a built shared library")
    options = parser.parse_args()
    options.repeats = max(options.repeats, 5)
    if options.quick:
        options.size, options.scores, options.sizes = 48, [(2, 48), (8, 32)], [48]
    beginnings = tuple(peer.lower() for peer in options.peers or [""])
    options.wants = lambda peer: peer.lower().startswith(beginnings)
    return options


def refuse_unknown(what, chosen, known):
    """Leaves with 2 on an unknown name."""
    unknown = [name for name in chosen or [] if name not in known]
    if unknown:
        print(f"unknown {what} {unknown[0]}; there are: {', '.join(known)}", file=sys.stderr)
        sys.exit(2)


def measured(library, options):
    """Rows of all groups as they come, and at last what two sides disagree about, or None."""
    import measure
    import openmp

    threaded = openmp.library()
    idle = threaded and openmp.ArithmeticGain(threaded, 1)
    plan = measure.Plan(options.repeats, options.seconds, options.clock, idle)
    try:
        for group in options.groups:
            plan.group = group
            module = importlib.import_module(GROUPS[group])
            yield from module.rows(library, options, plan)
    except measure.Disagreement as found:
        yield found


def run_groups(library, options, command):
    import measure
    import report
    import stored_rows

    rows, difference = [], None
    for found in measured(library, options):
        if not isinstance(found, measure.Row):
            difference = found
            break
        rows.append(found)
        print("...", "  ".join(report.line(found)), file=sys.stderr, flush=True)
        if options.rows:
            stored_rows.append(options.rows, found)
    head = report.preamble(library.version(), options, command)
    print("\n".join([*head, "", report.text(rows)]))
    if options.markdown:
        options.markdown.write_text("\n".join([*head, "", report.markdown(rows), ""]))
    if difference:
        print(f"DISAGREEMENT {difference}", file=sys.stderr)
    return measure.DISAGREEMENT if difference else 0


def run(options):
    # these need the environment
    import torch

    import full_run
    import memory
    import readme_part
    import stored_rows
    from cases import CASES
    from masks import MASKS
    from segloss_c import Library

    refuse_unknown("group", options.groups, GROUPS)
    refuse_unknown("case", options.cases, CASES)
    refuse_unknown("mask", options.masks, MASKS)
    if options.readme:
        print(readme_part.text(stored_rows.read(options.rows or full_run.ROWS)))
        return 0
    # of empty classes, and of what peers will drop one day
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    memory.limit_to_what_is_there()
    command = shlex.join(["python3", "benches/peers/compare.py", *sys.argv[1:]])
    path = options.library or environment.build_library()
    library = Library(path)
    if options.full:
        return full_run.run(library.version(), options, path, command)
    return run_groups(library, options, command)


def main():
    options = arguments()
    environment.enter()
    sys.exit(run(options))


if __name__ == "__main__":
    main()
