"""What the machine does at best, measured in the same run: a plain copy, an exponential."""
import functools
import pathlib
import platform
import time

import numpy
import torch

# in the second-level cache
CACHED = 1 << 14
LARGEST = 1 << 29


def seconds(work, times):
    """The least processor time of some runs."""
    def once():
        start = time.process_time()
        work()
        return time.process_time() - start

    return min(once() for _ in range(times))


def copied_per_second(moved):
    """Bytes read and written per second by a copy that moves about as many, or more if that is faster:
    copies of middling size go through the cache to no avail."""
    size = min(1 << (int(moved) - 1).bit_length(), LARGEST)
    doublings = range(LARGEST.bit_length() - size.bit_length() + 1)
    return max(_copied_per_second(size << doubling) for doubling in doublings)


@functools.cache
def _copied_per_second(moved):
    count = max(moved // 2, 1 << 16)
    source, target = numpy.ones(count, numpy.uint8), numpy.ones(count, numpy.uint8)
    repeats = max(1, (1 << 24) // count)

    def copies():
        for _ in range(repeats):
            numpy.copyto(target, source)

    return 2 * count * repeats / seconds(copies, 5)


@functools.cache
def exponential_seconds():
    """Per element, from cache, by torch."""
    values = torch.linspace(-10, 0, CACHED)
    result = torch.empty_like(values)

    def run():
        for _ in range(200):
            torch.exp(values, out=result)

    return seconds(run, 5) / (200 * CACHED)


def processor():
    """The processor's name as Linux gives it, else what Python knows."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
