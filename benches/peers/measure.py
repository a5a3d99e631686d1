"""Agreement first, then time: two sides that do the same, in turns.

A side has `run()`. Ours has `scratch_bytes` and `moved_bytes` besides: what it asks the caller for,
and what the formula must move. A peer has `agreement(ours)`: how well the two results agree, in
words, or `Disagreement`.
"""
import statistics
import time
from dataclasses import dataclass, field
from typing import Callable

import hardware
from memory import HighWater
from targets import Target

CLOCKS = {"cpu": time.process_time, "wall": time.perf_counter}
# exit status
DISAGREEMENT = 3
# a first run that is over sooner is a warm-up
SHORT_MS = 2000.0
TRIES = 4
MOOD_MS = 200.0


@dataclass
class Row:
    """One line of the table; times in milliseconds, None where nothing was measured."""

    case: str
    peer: str
    ours_ms: float | None = None
    peer_ms: float | None = None
    lowest_ratio: float | None = None
    highest_ratio: float | None = None
    runs: int = 0
    agreement: str = ""
    ours_bytes: int | None = None
    peer_bytes: int | None = None
    floor_ms: float | None = None
    target: Target | None = None
    group: str = ""
    # the least of `Plan.idle` around the runs that count
    idle: float | None = None

    def ratio(self):
        """How many times as fast as the peer."""
        if self.ours_ms is None or self.peer_ms is None:
            return None
        return self.peer_ms / self.ours_ms


class Disagreement(Exception):
    """The two sides do not compute the same."""


@dataclass
class Plan:
    """How often sides run: `repeats` times each; beside a peer without a target as often as `seconds`
    allow.

    Where `idle` tells how idle the machine is, `TRIES` times as many pairs of runs are taken, and
    those count before and after which it was the most idle. Not of peers that run for longer than
    `MOOD_MS`: the machine changes meanwhile.
    """

    repeats: int
    seconds: float
    clock: str
    idle: Callable | None = None
    group: str = field(default="", init=False)

    def milliseconds(self, side):
        now = CLOCKS[self.clock]
        start = now()
        side.run()
        return 1000.0 * (now() - start)

    def compare(self, case, ours, name, make, target=None):
        """Checks and measures one line; `make` returns the peer, whose failure makes a line too."""
        ours.run()
        row = Row(case, name, ours_bytes=ours.scratch_bytes, target=target, group=self.group)
        row.floor_ms = 1000.0 * ours.moved_bytes / hardware.copied_per_second(ours.moved_bytes)
        try:
            peer = make()
            first, grown = self._first_run(peer)
        except Exception as failure:  # of any kind: it is the peer's
            row.ours_ms = self.median(ours)
            row.agreement = f"peer failed: {type(failure).__name__}: {first_line(failure)}"
            return row
        # a peer that is ours says itself
        row.peer_bytes = getattr(peer, "scratch_bytes", grown)
        row.agreement = peer.agreement(ours)
        self._alternate(row, ours, peer, first)
        return row

    def median(self, side):
        return statistics.median(self.milliseconds(side) for _ in range(self.repeats))

    def _first_run(self, peer):
        """Milliseconds and bytes of a first run, of a second if it is short."""
        for _ in range(2):
            with HighWater() as high:
                taken = self.milliseconds(peer)
            if taken > SHORT_MS:
                break
        return taken, high.grown

    def _alternate(self, row, ours, peer, first):
        runs = max(1, min(self.repeats, int(1000.0 * self.seconds / max(first, 1e-3))))
        runs = self.repeats if row.target else runs
        # ours runs `repeats` times in any case
        each = -(-self.repeats // runs)
        slow = runs == 1 and first > 1000.0 * self.seconds
        pairs = []
        chosen = self.idle is not None and first < MOOD_MS
        idle = self.idle if chosen else lambda: 0.0
        for _ in range(runs * TRIES if chosen else runs):
            before = idle()
            own = statistics.median(self.milliseconds(ours) for _ in range(each))
            # the run that was checked is the only one of a peer that takes that long
            theirs = first if slow else self.milliseconds(peer)
            pairs.append((min(before, idle()), own, theirs))
        pairs.sort(key=lambda pair: pair[0], reverse=True)
        gains, own, theirs = zip(*pairs[:runs])
        ratios = [one / other for one, other in zip(theirs, own)]
        row.ours_ms, row.peer_ms = statistics.median(own), statistics.median(theirs)
        row.lowest_ratio, row.highest_ratio, row.runs = min(ratios), max(ratios), runs
        row.idle = min(gains) if chosen else None


def first_line(failure):
    lines = str(failure).strip().splitlines()
    return lines[0][:90] if lines else ""


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

    if len(runs) == 1:
        return next(iter(runs))
    return min(runs, key=lambda name: min(seconds(runs[name]) for _ in range(2)))
