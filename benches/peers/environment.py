"""The virtual environment of the peers, and the build of the library.

The whole of torch is installed, about 5.5 GB: `pip install --no-deps torch` does not import, and
the Linux wheel of torch 2.15 is linked against twelve of the NVIDIA libraries that it asks for.
"""
import os
import pathlib
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
ENVIRONMENT = HERE / "environment"
REQUIREMENTS = HERE / "requirements.txt"
INSTALLED = ENVIRONMENT / "installed"
NOT_AVAILABLE = 77

# what a process finds when it starts: one thread, and where torch.compile keeps what it has built
SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
    "TORCHINDUCTOR_CACHE_DIR": str(ENVIRONMENT / "inductor"),
}


def enter():
    """Restarts the script inside the environment, with its settings; returns when already there."""
    inside = pathlib.Path(sys.prefix).resolve() == ENVIRONMENT
    if inside and SETTINGS.items() <= os.environ.items():
        return
    if not INSTALLED.exists() or INSTALLED.read_text() != REQUIREMENTS.read_text():
        install()
    os.environ.update(SETTINGS)
    python = str(ENVIRONMENT / "bin" / "python")
    os.execv(python, [python, *sys.argv])


def install():
    """Creates the environment and installs the peers by name; leaves with 77 where that fails."""
    if not (ENVIRONMENT / "bin" / "python").exists():
        venv.create(ENVIRONMENT, with_pip=True)
    pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    if subprocess.run([*pip, "-r", str(REQUIREMENTS)]).returncode != 0:
        print("SKIPPED: the peers cannot be installed here", file=sys.stderr)
        sys.exit(NOT_AVAILABLE)
    INSTALLED.write_text(REQUIREMENTS.read_text())


def build_library():
    """Runs `cargo cshared` and returns the path of the shared library."""
    subprocess.run(["cargo", "cshared"], cwd=REPOSITORY, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    return REPOSITORY / target / "capi" / "libsegloss.so"
