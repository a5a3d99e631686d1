"""Agreement first, then time: two sides that do the same, in turns.

A side has `run()`. A peer has a `name` besides, and `agreement(ours)`: how well the two results
agree, in words, or `Disagreement`.
"""
import statistics
import time
from dataclasses import dataclass

CLOCKS = {"cpu": time.process_time, "wall": time.perf_counter}


@dataclass
class Row:
    """One line of the table; times in milliseconds."""

    case: str
    peer: str
    ours_ms: float
    peer_ms: float
    lowest_ratio: float
    highest_ratio: float
    runs: int
    agreement: str


class Disagreement(Exception):
    """The two sides do not compute the same."""


@dataclass
class Plan:
    """How often sides run: `repeats` times each, a slow peer as often as `seconds` allow."""

    repeats: int
    seconds: float
    clock: str

    def milliseconds(self, side):
        now = CLOCKS[self.clock]
        start = now()
        side.run()
        return 1000.0 * (now() - start)

    def compare(self, case, ours, peer):
        """Checks and measures one line."""
        ours.run()
        first = self.milliseconds(peer)
        agreement = peer.agreement(ours)
        runs = max(1, min(self.repeats, int(1000.0 * self.seconds / max(first, 1e-3))))
        # ours runs `repeats` times in any case
        each = -(-self.repeats // runs)
        slow = first > 1000.0 * self.seconds
        pairs = []
        for _ in range(runs):
            own = statistics.median(self.milliseconds(ours) for _ in range(each))
            # the run that was checked is the only one of a peer that takes that long
            pairs.append((own, first if slow else self.milliseconds(peer)))
        ratios = [theirs / own for own, theirs in pairs]
        own_ms, peer_ms = (statistics.median(column) for column in zip(*pairs))
        return Row(
            case, peer.name, own_ms, peer_ms, min(ratios), max(ratios), runs, agreement
        )


def checked(title, difference, tolerance):
    """The difference in words; `Disagreement` where it is too large, or NaN."""
    if not difference <= tolerance:
        raise Disagreement(f"{title}: difference {difference:.1e}, allowed {tolerance:.0e}")
    return f"{difference:.0e}" if difference else "exact"


def fastest(runs):
    """The key of the function that takes the least processor time, of two runs each."""
    def seconds(run):
        start = time.process_time()
        run()
        return time.process_time() - start

    return min(runs, key=lambda name: min(seconds(runs[name]) for _ in range(2)))
