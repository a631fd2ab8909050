"""Does color help to recognize things? What a classifier that was trained on color makes of recolored pictures.

Zhang et al. 2016, section 3.1, show gray, recolored and true photos to VGG-16: accuracy falls from 68.3 to 52.7 % without
color, and comes back in part with the colors of a colorizer. A colorizer adds no information: it sees the gray picture
alone. It makes what it has found there readable for a judge that looks for color.

>>> true = torch.tensor([[9, 1], [2, 8]])  # rows: what was shown; columns: what the judge answered
>>> recolored = torch.tensor([[8, 2], [5, 5]])
>>> most_added(recolored, true, ("bus", "school bus"), count=1)  # of 100 school buses 30 more became buses
[('school bus', 'bus', 30.0)]
"""

from collections.abc import Callable, Sequence
from urllib.error import URLError

import torch
from torch import Tensor, nn

from . import weights
from .networks import Classifier
from .toyworld import ToyWorld

CLASSIFIERS = {"Classifier": Classifier}


class JudgeError(ValueError):
    """A classifier cannot be had; the sentence says what is missing."""


class Judge:
    """A classifier, with the names of its classes.

    Parameters
    ----------
    network : takes prepared pictures, answers with (N, C) logits.
    classes : C names.
    prepare : turns pictures (N, 3, H, W) in [0, 1] into what the network expects.

    >>> judge = Judge(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), ["red", "green", "blue"])
    >>> judge(torch.tensor([0.9, 0.1, 0.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)).argmax().item()
    0
    """

    def __init__(
        self, network: nn.Module, classes: Sequence[str], prepare: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        self.network, self.classes = network.eval(), list(classes)
        self.prepare = prepare or nn.Identity()

    def __call__(self, pictures: Tensor, batch: int = 256) -> Tensor:
        """Judge pictures, sRGB in [0, 1]: (N, 3, H, W) -> (N, C) logits, on the CPU. ValueError for another shape."""
        if pictures.ndim != 4 or pictures.shape[1] != 3:
            raise ValueError(f"pictures must have shape (N, 3, H, W), got {tuple(pictures.shape)}")
        device = next((p.device for p in self.network.parameters()), "cpu")
        with torch.inference_mode():
            return torch.cat(
                [self.network(self.prepare(part.to(device))).cpu() for part in pictures.split(batch)]
            )


def load(name: str = "classifier") -> Judge:
    """Load the classifier of this course, which knows the ten classes of CIFAR-10, or "vgg16", or a weights file.

    Raises
    ------
    JudgeError, weights.WeightsError if it cannot be had.
    """
    if name == "vgg16":
        return vgg16()
    found = weights.load(name, CLASSIFIERS, also=", and vgg16, which needs torchvision and is downloaded")
    return Judge(found.network, found.recipe["classes"])


def vgg16() -> Judge:
    """Load VGG-16, the judge of the papers, as torchvision has it: 1,000 classes of ImageNet; 528 MB, downloaded once.

    Raises
    ------
    JudgeError without torchvision or without a network.
    """
    try:
        from torchvision import models  # only here: the course needs it for nothing else
    except ImportError:
        raise JudgeError(
            "VGG-16 comes with torchvision, which is not installed: pip install torchvision"
        ) from None
    published = models.VGG16_Weights.IMAGENET1K_V1
    try:
        network = models.vgg16(weights=published)
    except (URLError, OSError) as error:
        raise JudgeError(f"VGG-16's weights (528 MB) could not be downloaded: {error}") from None
    return Judge(network, published.meta["categories"], published.transforms())


def confusion(labels: Tensor, answers: Tensor, count: int) -> Tensor:
    """Count answers: row k tells what was answered where class k was shown.

    Parameters
    ----------
    labels, answers : (N,) int64 in 0..count - 1.

    Returns
    -------
    (count, count) int64.

    Raises
    ------
    ValueError for other shapes or numbers.

    >>> confusion(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]), 2)
    tensor([[1, 1],
            [0, 1]])
    """
    if labels.shape != answers.shape or labels.ndim != 1:
        raise ValueError(
            f"labels and answers must both be (N,), got {tuple(labels.shape)} and {tuple(answers.shape)}"
        )
    for name, found in (("labels", labels), ("answers", answers)):
        if len(found) and not 0 <= found.min() <= found.max() < count:
            raise ValueError(f"{name} must lie in 0..{count - 1}, got {found.min()} to {found.max()}")
    return torch.bincount(labels * count + answers, minlength=count**2).view(count, count)


def accuracy(counts: Tensor) -> float:
    """Share of right answers, in percent, from a confusion matrix (C, C). ValueError if it is empty."""
    if not counts.sum() > 0:
        raise ValueError("there is no accuracy of no answers")
    return 100 * (counts.trace() / counts.sum()).item()


def shares(counts: Tensor) -> Tensor:
    """Each row of a confusion matrix in percent of its class: (C, C) -> (C, C) float64; NaN for a class never shown.

    The diagonal holds the recall of each class.
    """
    return 100 * counts.double() / counts.sum(dim=1, keepdim=True)


def added(recolored: Tensor, true: Tensor) -> Tensor:
    """What recoloring changes in the answers, ``C_recolor - C_true``: (C, C) twice -> (C, C), percentage points of each row.

    Off the diagonal: the confusions that it adds, or takes away (supplementary of Zhang et al. 2016, Figure 2).
    """
    return shares(recolored) - shares(true)


def most_added(
    recolored: Tensor, true: Tensor, names: Sequence[str], count: int = 5
) -> list[tuple[str, str, float]]:
    """Name the confusions that recoloring adds most of: (what was shown, what was answered, percentage points)."""
    found = added(recolored, true).fill_diagonal_(-torch.inf).nan_to_num(-torch.inf)
    top = found.flatten().topk(min(count, found.numel() - len(found)))
    pairs = [divmod(int(k), len(names)) for k in top.indices]
    return [(names[i], names[j], round(x, 2)) for (i, j), x in zip(pairs, top.values.tolist(), strict=True)]


class ToyJudge:
    """The best judge of the toy world that sees the color of a thing and nothing else.

    It has seen true colors alone, each spread by noise, and all kinds equally often. By Bayes, kind k with the colors c_i and
    their probabilities p_i has, given a color x, a probability proportional to ``sum_i p_i exp(-|x - c_i|^2 / (2 spread^2))``.

    Parameters
    ----------
    spread : in ab units, above 0: how far from a color that it knows a color may lie and still be taken for it.
    """

    def __init__(self, world: ToyWorld, spread: float = 5.0) -> None:
        if not spread > 0:
            raise ValueError(f"spread must be above 0, got {spread}")
        self.world, self.spread = world, spread

    def __call__(self, ab: Tensor) -> Tensor:
        """Probability of each kind, given colors: (M, 2) -> (M, kinds) float64."""
        logits = []
        for palette in self.world.palettes.values():
            squares = (ab.double()[:, None] - palette.colors).square().sum(dim=2)  # (M, k)
            logits.append((palette.probabilities.log() - squares / (2 * self.spread**2)).logsumexp(dim=1))
        return torch.stack(logits, dim=1).softmax(dim=1)


def toy_recall(world: ToyWorld, way: str, spread: float = 5.0) -> Tensor:
    """How often the judge of the toy world is right about each kind: exact, a sum over the palette.

    The colorizer knows the kind, which the gray picture tells, and the palette; never the color that was drawn.

    Parameters
    ----------
    way : what the judge is shown. "true" colors; "gray"; or what a colorizer paints: the "mean" (the best answer for L2), the
        "annealed" mean at T = 0.38, the "mode", or a "sample", which is drawn as the true color is.

    Returns
    -------
    (kinds,) float64 in [0, 1].

    >>> world = ToyWorld()
    >>> [round(toy_recall(world, way).mean().item(), 2) for way in ("gray", "mean", "mode", "true")]
    [0.07, 0.64, 0.86, 0.87]
    """
    judge, found = ToyJudge(world, spread), []
    for number, palette in enumerate(world.palettes.values()):
        colors, probabilities = palette.colors, torch.ones(1, dtype=torch.float64)
        if way in ("true", "sample"):
            probabilities = palette.probabilities
        elif way == "gray":
            colors = torch.zeros(1, 2)
        elif way == "mean":
            colors = palette.mean()[None]
        elif way in ("annealed", "mode"):
            colors = palette.annealed_mean(0.38 if way == "annealed" else 0.0)[None]
        else:
            raise ValueError(f"way must be true, gray, mean, annealed, mode or sample, got {way!r}")
        found.append(probabilities @ (judge(colors).argmax(dim=1) == number).double())
    return torch.stack(found)
