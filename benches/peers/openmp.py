"""What `openmp.c` offers: threads, and how much of its cores the machine gives away just now."""
import ctypes
import functools
import pathlib
import statistics
import subprocess
import tempfile

SOURCE = pathlib.Path(__file__).with_name("openmp.c")
# of 0.3 ms each
FIRST_PROBES = 200
PROBES = 5


@functools.cache
def library():
    """`None` without a compiler."""
    with tempfile.TemporaryDirectory() as folder:
        built = pathlib.Path(folder) / "openmp.so"
        command = ["gcc", "-O2", "-fopenmp", "-shared", "-fPIC", str(SOURCE), "-o", str(built)]
        try:
            subprocess.run(command, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return ctypes.CDLL(str(built))


class ArithmeticGain:
    """How many times as fast as one thread on an idle core some threads are at arithmetic.

    Two: 2 on two idle cores, 1 on two halves of one. One: 1, or less where others use its core.
    """

    def __init__(self, threaded, threads):
        self.seconds, self.threads = threaded.arithmetic_seconds, threads
        self.seconds.restype = ctypes.c_double
        self.one = min(self.seconds(1) for _ in range(FIRST_PROBES))

    def __call__(self):
        taken = statistics.median(self.seconds(self.threads) for _ in range(PROBES))
        return self.threads * self.one / taken
