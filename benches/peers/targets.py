"""What each line is to reach: the lowest ratio that is wanted, one function per group."""
from dataclasses import dataclass


@dataclass
class Target:
    """At least `bound` times as fast as the peer, or with `at_most` at most `bound` times its time.

    `name` says what kind of target it is.
    """

    name: str
    bound: float
    at_most: bool = False

    def lowest_ratio(self):
        return 1.0 / self.bound if self.at_most else self.bound

    def shortfall(self, ratio):
        """0 where it is met, else the share that is missing."""
        return max(0.0, 1.0 - ratio / self.lowest_ratio())


def against_monai(classes):
    """Losses of regions and voxels; the numbers of classes in between have no target."""
    if classes >= 32:
        return Target("losses, MONAI, C >= 32", 12)
    return Target("losses, MONAI, C = 2", 5) if classes == 2 else None


def against_torch(classes):
    if classes >= 32:
        return Target("losses, best torch, C >= 32", 6)
    return Target("losses, best torch, C = 2", 4) if classes == 2 else None


def tree_against_torch(compiled):
    return Target("tree terms, torch.compile", 6) if compiled else Target("tree terms, torch", 15)


TREE_AGAINST_FLAT = Target("tree terms, our flat loss", 1.3, at_most=True)
FLOOR = Target("bytes and exponentials, C >= 32", 3, at_most=True)
TWO_THREADS = Target("two threads", 1.8)
AVX2_TRANSFORM = Target("transform, AVX2 alone, edt", 5)
HAUSDORFF = {
    "MONAI": Target("HausdorffDT, MONAI", 40),
    "exacta": Target("HausdorffDT, exacta", 15),
}


def transform(peer, mask, size):
    if peer.startswith("edt"):
        if size == 128 and mask in ("blob", "lesion"):
            return Target("transform, edt, blob and lesion 128^3", 12)
        return Target("transform, edt", 8)
    if peer.startswith("SciPy"):
        return Target("transform, SciPy", 60)
    return Target("transform, ITK", 10)


METRICS = {"by hand": 8, "exacta": 10, "MONAI": 40, "DeepMind": 50}
BRAIN_METRICS = {"exacta": 5, "by hand": 10, "MONAI": 250}


def metrics(peer, name):
    """Of the 256^3 pair and of the brain; other pairs have no target."""
    known = METRICS if name == "256^3" else BRAIN_METRICS if name.startswith("brain, 83") else {}
    where = "256^3" if known is METRICS else "brain"
    tool = next((tool for tool in known if peer.startswith(tool)), None)
    return Target(f"metrics {where}, {tool}", known[tool]) if tool else None
