"""What the rows of a full run say about the targets, in words."""
from report import markdown_table, megabytes, number, wanted


def by_target(rows):
    """Names of targets, and their rows."""
    found = {}
    for row in rows:
        if row.target is not None and row.ratio() is not None:
            found.setdefault(row.target.name, []).append(row)
    return found


def summary(rows):
    """One line per kind of target: how many rows reach it, the lowest and the highest ratio."""
    cells = [["target", "ratio", "rows", "met", "lowest", "highest", "lowest in"]]
    for name, found in by_target(rows).items():
        found.sort(key=lambda row: row.ratio())
        met = sum(not row.target.shortfall(row.ratio()) for row in found)
        cells.append([
            name, wanted(found[0].target), str(len(found)), str(met),
            number(found[0].ratio()), number(found[-1].ratio()), found[0].case,
        ])
    return markdown_table(cells, {0, 6})


def paragraph(rows):
    """Met, missed and behind, in sentences."""
    met, missed = [], []
    for name, found in by_target(rows).items():
        worst = max(row.target.shortfall(row.ratio()) for row in found)
        if worst == 0:
            met.append(name)
        else:
            count = sum(row.target.shortfall(row.ratio()) > 0 for row in found)
            missed.append(f"{name} ({count} of {len(found)} rows, by up to {100 * worst:.0f} %)")
    # the floor and a loss without a tree are no peers
    peers = [row for row in rows if row.ratio() and not row.peer.startswith(("ours", "floor"))]
    behind = [
        f"{row.case} beside {row.peer} ({number(row.ratio())})" for row in peers if row.ratio() < 1
    ]
    failed = [f"{row.case} by {row.peer}" for row in rows if "failed" in row.agreement]
    most = {}
    for row in rows:
        most[row.group] = max(most.get(row.group, 0), row.ours_bytes or 0)
    scratch = ", ".join(f"{group} {megabytes(count)}" for group, count in most.items() if count)
    few = sum(0 < row.runs < 5 for row in rows)
    sentences = [
        f"Met in every row: {'; '.join(met) or 'none'}.",
        f"Missed: {'; '.join(missed) or 'none'}.",
        f"Slower than a peer: {'; '.join(behind) or 'nowhere'}.",
    ]
    sentences.append(f"Most scratch, MB: {scratch}.")
    if failed:
        sentences.append(f"Peers that did not get through: {'; '.join(failed)}.")
    sentences.append(f"{few} of {len(rows)} rows rest on fewer than 5 runs of a slow peer.")
    return " ".join(sentences)
