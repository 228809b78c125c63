"""Train the runs of digits.py in PyTorch. Usage: `python torch_digits.py FOLDER [--short]`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import digits
import torch
from digits import Case, Run
from losses_torch import CenterLoss, FocalLoss, focal_loss
from torch import Tensor, nn
from torch.nn import functional as F

Loss = Callable[[Tensor, Tensor], Tensor]


class Net(nn.Module):
    """Two convolutions, and two features before the logits."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(1, 16, 3, padding=1), nn.LeakyReLU(digits.SLOPE), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 32, 3, padding=1), nn.LeakyReLU(digits.SLOPE), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(128, 64), nn.LeakyReLU(digits.SLOPE), nn.Linear(64, digits.FEATURES)),
        )
        self.logits = nn.Linear(digits.FEATURES, digits.CLASSES)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(images[:, None])
        return self.logits(features), features


def smoothed(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy with smoothed labels: t (1 - E) + E / k."""
    return F.cross_entropy(logits, labels, label_smoothing=digits.SMOOTHING)


def loss_of(run: Run) -> Loss:
    """What a run minimises, but for the center loss."""
    focal: Loss = FocalLoss(digits.GAMMA) if run.form == "class" else focal_loss
    return {"ce": F.cross_entropy, "focal": focal, "smoothing": smoothed}[run.loss]


def train(case: Case, run: Run) -> list[dict[str, Any]]:
    """Train a run, save every epoch, and return the framework's own numbers on the test split."""
    torch.manual_seed(run.seed)
    net, loss, center = Net(), loss_of(run), CenterLoss(digits.CLASSES, digits.FEATURES, digits.ALPHA)
    optimizer = torch.optim.Adam(net.parameters(), digits.RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, case.steps)

    def objective(logits: Tensor, features: Tensor, labels: Tensor) -> Tensor:
        total = loss(logits, labels)
        return total + run.weight * center(features, labels) if run.weight else total

    history = []
    for epoch in range(1, case.epochs + 1):
        for batch in case.batches(run, epoch):
            images, labels = map(torch.tensor, batch)
            logits, features = net(images)
            optimizer.zero_grad()
            objective(logits, features, labels).backward()
            optimizer.step()
            schedule.step()
            before = center.centers.clone()
            center.move(features.detach(), labels)
        case.save(run, epoch, centers=center.centers if run.weight else None)
        history.append({"epoch": epoch} | evaluate(case, run, epoch, net, objective))
    if run.weight:
        case.save_step(run, features.detach(), labels, before, center.centers)
    return history


@torch.no_grad()
def evaluate(case: Case, run: Run, epoch: int, net: Net, objective: Callable[..., Tensor]) -> dict[str, float]:
    """PyTorch's numbers on the test split, whose logits and features are saved."""
    labels = torch.tensor(case.digits.test_labels)
    logits, features = net(torch.tensor(case.digits.test_images))
    case.save(run, epoch, logits=logits, features=features)
    right = logits.argmax(dim=1) == labels
    return {
        "objective": objective(logits, features, labels).item(),
        "cross_entropy": F.cross_entropy(logits, labels).item(),
        "accuracy": right.double().mean().item(),
    }


def main() -> None:
    """Train all runs into a folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(".")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--short", action="store_true", help="a few runs, two epochs, and a part of the digits")
    given = parser.parse_args()
    torch.set_num_threads(1)  # sums in one order, and such a net is no faster on two
    Case("torch", given.folder, given.short).train(train, {"torch": torch.__version__.split("+")[0]})


if __name__ == "__main__":
    main()
