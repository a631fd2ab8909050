"""Linear probes: what has a network learned that nobody told it?

The second claim of Zhang et al. 2016 (section 3.2): who can color things must know what they are. The test: freeze a network,
take what one of its levels answers to gray pictures, and let a linear classifier name the pictures from that alone. A random
network tells what the architecture gives for nothing; one that was trained on the labels themselves, what is to be had.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .datasets import Labeled
from .lab import rgb_to_lab
from .networks import SmallNet, ZhangNet
from .training import History, fit

BUDGET = 1024  # numbers that a probe may read at each level; the paper takes about 9,000
DECAYS = (1e-4, 1e-3, 1e-2)


def levels(network: nn.Module) -> dict[str, nn.Module]:
    """Name the modules whose answers are probed: the way down of a SmallNet, the ends of a ZhangNet's first seven blocks."""
    if isinstance(network, SmallNet):
        return {f"1/{2 ** (k + 1)}": module for k, module in enumerate([network.stem, *network.down])}
    if isinstance(network, ZhangNet):
        return {name.partition("_")[0]: module for name, module in network.norms.items()}
    raise ValueError(f"a SmallNet or a ZhangNet can be probed, got a {type(network).__name__}")


def pooled(answer: Tensor, budget: int = BUDGET) -> Tensor:
    """Average over the largest grid of places that keeps within the budget: (N, C, H, W) -> (N, C g g), g at least 1.

    >>> pooled(torch.zeros(2, 32, 16, 16)).shape  # 5 x 5 places: 800 of 1,024
    torch.Size([2, 800])
    """
    side = max(1, min(math.isqrt(budget // answer.shape[1]), *answer.shape[2:]))
    return F.adaptive_avg_pool2d(answer, side).flatten(1)


def features(network: nn.Module, lightness: Tensor, batch: int = 256) -> dict[str, Tensor]:
    """What each level of a frozen network answers: L (N, 1, H, W) -> (N, at most 1,024) float32 a level."""
    found: dict[str, list[Tensor]] = {name: [] for name in levels(network)}
    hooks = [
        module.register_forward_hook(
            lambda _module, _inputs, answer, name=name: found[name].append(pooled(answer.float()).cpu())
        )
        for name, module in levels(network).items()
    ]
    try:
        network.eval()
        with torch.inference_mode():
            for part in lightness.split(batch):
                network(part)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: torch.cat(parts) for name, parts in found.items()}


def untrained(network: nn.Module, lightness: Tensor) -> nn.Module:
    """Give a random network's batch norms the statistics of pictures, in place, so that its levels do not fade or explode."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over the batches
    network.train()
    with torch.no_grad():
        for part in lightness.split(256):
            network(part)
    return network.eval()


def probe(train: Tensor, labels: Tensor, test: Tensor, seed: int = 0) -> Tensor:
    """Fit a linear classifier to features, and let it answer for others.

    Multinomial logistic regression with weight decay on standardized features, to its minimum by L-BFGS. The decay is the
    best of three on a tenth of the training pictures, which is set aside for that.

    Parameters
    ----------
    train : (N, D) features. labels : (N,) int64, from 0. test : (M, D).
    seed : decides which tenth is set aside.

    Returns
    -------
    (M,) int64, the classes that it answers.

    Raises
    ------
    ValueError if the shapes do not belong together, or there are fewer than 10 pictures.
    """
    if train.ndim != 2 or test.shape[1:] != train.shape[1:] or labels.shape != train.shape[:1]:
        shapes = f"{tuple(train.shape)}, {tuple(labels.shape)} and {tuple(test.shape)}"
        raise ValueError(f"train, labels and test must be (N, D), (N,) and (M, D), got {shapes}")
    if len(train) < 10:
        raise ValueError(f"a probe needs 10 pictures or more, got {len(train)}")
    mean, deviation = train.mean(dim=0), train.std(dim=0).clamp(min=1e-6)
    train, test = (train - mean) / deviation, (test - mean) / deviation
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))
    aside, rest = order[: len(order) // 10], order[len(order) // 10 :]

    def right(decay: float) -> float:
        weight, bias = _regression(train[rest], labels[rest], decay)
        return ((train[aside] @ weight + bias).argmax(dim=1) == labels[aside]).float().mean().item()

    weight, bias = _regression(train, labels, max(DECAYS, key=right))
    return (test @ weight + bias).argmax(dim=1)


def _regression(x: Tensor, labels: Tensor, decay: float) -> tuple[Tensor, Tensor]:
    """Minimize mean cross-entropy + decay / 2 |weight|^2: weight (D, classes) and bias (classes,)."""
    classes = int(labels.max()) + 1
    weight = torch.zeros(x.shape[1], classes, requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    search = torch.optim.LBFGS(
        [weight, bias], max_iter=150, tolerance_change=1e-6, history_size=10, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        search.zero_grad()
        value = F.cross_entropy(x @ weight + bias, labels) + decay / 2 * weight.square().sum()
        value.backward()
        return value

    search.step(loss)
    return weight.detach(), bias.detach()


class Labeler(nn.Module):
    """A SmallNet's way down, and a linear layer on the mean of its last level: what the same levels can learn from labels."""

    def __init__(self, classes: int, width: int = 32) -> None:
        super().__init__()
        self.body = SmallNet(width=width)
        self.head = nn.Linear(4 * width, classes)

    def forward(self, lightness: Tensor) -> Tensor:
        """L (N, 1, H, W) in 0..100 -> (N, classes) logits."""
        return self.head(self.body.encode(lightness)[-1].mean(dim=(2, 3)))


def train_on_labels(
    data: Labeled, size: int = 64, steps: int = 4000, **options: Any
) -> tuple[SmallNet, History]:
    """Train a SmallNet's way down to name gray pictures, from seed 0: the most that a probe of it may hope for.

    Parameters
    ----------
    data : pictures with labels; their color is taken away.
    size : pixels, side at which the network looks at them.
    steps : of 64 pictures.
    options : for :func:`colorize.training.fit`.
    """
    torch.manual_seed(0)
    network = Labeler(len(data.classes))
    history = fit(
        network,
        data,
        lambda logits, labels: F.cross_entropy(logits.float(), labels, label_smoothing=0.1),
        steps,
        batch_size=64,
        learning_rate=3e-3,
        weight_decay=0.05,
        examples=lambda batch: (gray(batch[0], size), batch[1]),
        precision="bfloat16",
        **options,
    )
    return network.body, history


def gray(pictures: Tensor, size: int) -> Tensor:
    """L of pictures, seen at a size: (N, 3, H, W), uint8 or float in [0, 1] -> (N, 1, size, size), enlarged bilinearly."""
    return F.interpolate(rgb_to_lab(pictures)[:, :1], (size, size), mode="bilinear", antialias=True)
