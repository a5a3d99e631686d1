"""Memory that a call takes beyond what was there before it.

Ours is the scratch that it asks the caller for. For a peer it is how far the high-water mark of the
process's resident memory rises during a run, after freed memory was given back to the system. What
the last run has returned is there already: inputs and outputs are counted on neither side. Only a
peer that takes over two seconds is measured in its first run, whose results are counted.
"""
import ctypes
import pathlib
import resource

STATUS, MARK = pathlib.Path("/proc/self/status"), pathlib.Path("/proc/self/clear_refs")
RESET_MARK = "5"
# of what the system has left, for all that a peer may ask for
SHARE = 0.9


def kilobytes(path, name):
    line = next(line for line in path.read_text().splitlines() if line.startswith(name + ":"))
    return int(line.split()[1])


class HighWater:
    """`grown`: bytes that the mark rose inside the `with`; None where Linux does not tell."""

    def __enter__(self):
        try:
            ctypes.CDLL(None).malloc_trim(0)
            MARK.write_text(RESET_MARK)
            self.before = kilobytes(STATUS, "VmRSS")
        except (OSError, AttributeError):
            self.before = None
        return self

    def __exit__(self, *_):
        known = self.before is not None
        self.grown = 1024 * max(0, kilobytes(STATUS, "VmHWM") - self.before) if known else None


def limit_to_what_is_there():
    """Makes a call that wants more memory than there is fail, instead of having it killed."""
    try:
        left = kilobytes(pathlib.Path("/proc/meminfo"), "MemAvailable")
        used = kilobytes(STATUS, "VmSize")
    except (OSError, StopIteration):
        return
    most = 1024 * (used + int(SHARE * left))
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))
