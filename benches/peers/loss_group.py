"""Group `losses`: value and gradient beside MONAI and PyTorch."""
from cases import CASES
from segloss_loss import SeglossLoss
from torch_loss import TorchLoss
from volumes import make_volume


def rows(library, options, plan):
    for classes in options.classes:
        for name in options.cases or CASES:
            case = CASES[name]
            scores, labels = make_volume(classes, options.size)
            problem = case.problem(classes)
            ours = SeglossLoss(library, problem.terms, scores, labels, problem.tree)
            peer = TorchLoss(case.peer_name, problem.peer, scores, labels)
            if options.wants(peer.name):
                yield plan.compare(f"{name} C={classes} {options.size}^3", ours, peer)
