"""A glance at the whole, fused with local features at every place: Deep Koalarization, after Iizuka et al. 2016.

A convolution sees its surroundings. What kind of scene it is in may show far away: an embedding of the whole picture says so in
a few hundred numbers, which stand at every place beside the local features, and a 1 x 1 convolution makes one of the two. That
convolution is linear, so that its answer is ``W_local x + W_global g + b``: what the whole says shifts the features of all
places by the same vector, before the ReLU.

The layers are the paper's Table 1, with fewer channels. Its last layer repeats each answer in 2 x 2 pixels; this network stops
before it, at half resolution, and who uses the answer enlarges it smoothly.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..lab import rgb_to_lab
from .embedding import Glance, Inception

# Channels of the paper, and stride: three of 2, to an eighth of the resolution.
ENCODER = ((64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 1), (256, 1))
FUSED = 256
CELLS = (8, 4, 2)  # pixels of the photo to a cell, in the three parts of the decoder
LIMIT = 110.0  # ab units: tanh ends at 1, and no color of sRGB is farther out
EXTRACTORS = {"classifier": Glance, "inception": Inception}
EMBEDDINGS = (*EXTRACTORS, "own", "none")
ALPHA = 1 / 300  # weight of the classes in Iizuka et al., whose colors lie between 0 and 1


class Told(NamedTuple):
    """What a network with classes answers while it trains."""

    ab: Tensor  # (N, 2, h, w)
    logits: Tensor  # (N, classes)


class FusionNet(nn.Module):
    """L in, a and b out, at half resolution, from what is near and from what the picture is as a whole.

    Parameters
    ----------
    outputs : 2; the paper's network regresses a and b. Anything else is a ValueError.
    width : factor on the paper's channels. 3/8 gives 0.91 million numbers beside those of the classifier.
    embedding : where the global features come from.
        "classifier": the course's own, frozen, 160 numbers; its weights travel in the same file (:class:`Glance`).
        "inception": Inception-ResNet-v2, as in the paper (:class:`Inception`).
        "own": learned with the rest, from the encoder's features, as in Iizuka et al.
        "none": no glance at the whole, and everything else alike: the twin to compare with.
        Or a module that takes L (N, 1, H, W) and answers with (N, ``size``).
    classes : Iizuka et al.: while it trains, the global features also have to name the picture, one of so many. Then
        the answer is :class:`Told`, for :func:`joint_loss`. 0: they do not.
    norm : False leaves batch norm out, as the paper does.
    encoder : channels of the paper and stride of each layer, with three strides of 2. Fewer layers see less far.

    >>> network = FusionNet(width=1 / 8)
    >>> network(torch.zeros(1, 1, 64, 48)).shape
    torch.Size([1, 2, 32, 24])
    """

    stride = 2

    def __init__(
        self,
        outputs: int = 2,
        width: float = 0.375,
        embedding: str | nn.Module = "classifier",
        classes: int = 0,
        norm: bool = True,
        encoder: Sequence[tuple[int, int]] = ENCODER,
    ) -> None:
        super().__init__()
        if outputs != 2:
            raise ValueError(f"a FusionNet answers with a and b: outputs must be 2, got {outputs}")
        if isinstance(embedding, str) and embedding not in EMBEDDINGS:
            raise ValueError(
                f"embedding must be one of {', '.join(EMBEDDINGS)}, or a module, got {embedding!r}"
            )
        strides = [stride for _, stride in encoder]
        if set(strides) - {1, 2} or strides.count(2) != 3:
            raise ValueError(f"encoder must have three strides of 2 and else 1, got {strides}")
        if classes and embedding == "none":
            raise ValueError("without an embedding there is nothing to name classes from")

        def wide(channels: int) -> int:
            return max(1, round(channels * width))

        def layer(inputs: int, channels: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
            conv = nn.Conv2d(inputs, channels, kernel, stride, kernel // 2, bias=not norm)
            return nn.Sequential(conv, *([nn.BatchNorm2d(channels)] if norm else []), nn.ReLU())

        self.outputs = outputs
        layers, channels = [], 1
        for factor, stride in encoder:
            layers.append(layer(channels, wide(factor), stride))
            channels = wide(factor)
        self.encoder = nn.Sequential(*layers)
        self.extractor: Any = None
        self.glance: nn.Module | None = None
        if embedding == "own":
            self.size = wide(FUSED)
            self.glance = nn.Sequential(layer(channels, channels, 2), layer(channels, channels, 2))
            self.summary = nn.Sequential(nn.Linear(channels, self.size), nn.ReLU())
        elif embedding == "none":
            self.size = 0
        else:
            self.extractor = EXTRACTORS[embedding]() if isinstance(embedding, str) else embedding
            self.size = self.extractor.size
        self.fusion = layer(channels + self.size, wide(FUSED), kernel=1)
        self.decoder = nn.ModuleList(
            [
                layer(wide(FUSED), wide(128)),
                nn.Sequential(layer(wide(128), wide(64)), layer(wide(64), wide(64))),
                nn.Sequential(layer(wide(64), wide(32)), nn.Conv2d(wide(32), outputs, 3, padding=1)),
            ]
        )
        self.head = nn.Linear(self.size, classes) if classes else None

    def start(self) -> "FusionNet":
        """Give the frozen classifier inside the weights of the shipped one, before a training; return the network."""
        if isinstance(self.extractor, Glance):
            self.extractor.start()
        return self

    def encode(self, lightness: Tensor) -> Tensor:
        """Local features: L (N, 1, H, W) in 0..100 -> (N, C, H/8, W/8), rounded up."""
        return self.encoder((lightness - 50) / 50)

    def embed(self, lightness: Tensor, local: Tensor | None = None) -> Tensor:
        """Global features: L (N, 1, H, W) in 0..100 -> (N, size). Those of the network itself come from :meth:`encode`'s."""
        if self.extractor is not None:
            return self.extractor(lightness)
        if self.glance is None:
            return lightness.new_zeros(len(lightness), 0)
        local = self.encode(lightness) if local is None else local
        return self.summary(self.glance(local).mean(dim=(2, 3)))

    def fuse(self, local: Tensor, embedding: Tensor) -> Tensor:
        """Stand the embedding beside the features of every place: (N, C, h, w) and (N, size) -> (N, fused, h, w)."""
        everywhere = embedding.to(local.dtype)[:, :, None, None].expand(-1, -1, *local.shape[2:])
        return self.fusion(torch.cat((local, everywhere), dim=1))

    def decode(self, fused: Tensor, height: int, width: int) -> Tensor:
        """Fused features at an eighth of a picture's size -> ab (N, 2, height / 2, width / 2), rounded up."""
        x = fused
        for cell, part in zip(CELLS, self.decoder, strict=True):
            x = part(_enlarged(x, cell, height, width))
        return LIMIT * torch.tanh(x)

    def forward(self, lightness: Tensor, embedding: Tensor | None = None) -> Tensor | Told:
        """L (N, 1, H, W) in 0..100 -> ab (N, 2, H/2, W/2), rounded up; while training with classes :class:`Told`.

        Parameters
        ----------
        embedding : (N, size), to be used instead of the picture's own: that of another picture, or zeros. ValueError for
            another shape.
        """
        local = self.encode(lightness)
        if embedding is None:
            embedding = self.embed(lightness, local)
        elif embedding.shape != (len(lightness), self.size):
            raise ValueError(
                f"embedding must have shape {(len(lightness), self.size)}, got {tuple(embedding.shape)}"
            )
        ab = self.decode(self.fuse(local, embedding), *lightness.shape[2:])
        return Told(ab, self.head(embedding)) if self.head is not None and self.training else ab

    def classify(self, lightness: Tensor) -> Tensor:
        """What the global features take a picture for: L (N, 1, H, W) -> (N, classes) logits. ValueError without classes."""
        if self.head is None:
            raise ValueError("this network was made without classes")
        return self.head(self.embed(lightness))


def labeled_colors(stride: int = 2) -> Callable:
    """Make the examples of a training with classes, for :func:`colorize.training.fit`: pictures and labels -> L, (ab, labels)."""

    def examples(batch: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        lab = rgb_to_lab(batch[0])
        return lab[:, :1], (lab[:, 1:, ::stride, ::stride], batch[1])

    return examples


def joint_loss(alpha: float = ALPHA) -> Callable[[Told, tuple[Tensor, Tensor]], Tensor]:
    """Make the loss of Iizuka et al.: color and class at once, for :func:`labeled_colors`.

    Half the squared distance of the colors, as :func:`colorize.losses.l2`, in squared ab units, plus ``alpha (2 LIMIT)^2``
    times the cross-entropy. Theirs is the mean square of colors that a sigmoid keeps in 0..1, a step of 2 LIMIT ab units, plus
    alpha times the cross-entropy: the same, in other units.

    Parameters
    ----------
    alpha : weight of the classes; 0 trains the colors alone.

    >>> told = Told(torch.tensor([3.0, 4.0]).view(1, 2, 1, 1), torch.zeros(1, 10))
    >>> joint_loss(0)(told, (torch.zeros(1, 2, 1, 1), torch.tensor([3])))
    tensor(12.5000)
    """

    def loss(told: Told, right: tuple[Tensor, Tensor]) -> Tensor:
        true_ab, labels = right
        color = 0.5 * (told.ab.float() - true_ab).square().sum(dim=1).mean()
        return color + alpha * (2 * LIMIT) ** 2 * F.cross_entropy(told.logits.float(), labels)

    return loss


def reach(network: FusionNet, where: Tensor) -> Tensor:
    """Tell which answers can see some pixels through local features: (H, W) bool -> (H/2, W/2) bool, rounded up.

    Measured, not derived: the layers are copied with all weights 1 and no shift, so that nothing cancels, and the marked pixels
    alone shine. An answer that is above 0 sees them. The embedding is left out.
    """
    height, width = where.shape
    parts = [(8, network.encoder), (8, network.fusion), *zip(CELLS, network.decoder, strict=True)]
    seen = where[None, None].double()
    for cell, part in parts:
        seen = seen if part is network.encoder else _enlarged(seen, cell, height, width)
        for conv in (module for module in part.modules() if isinstance(module, nn.Conv2d)):
            ones = seen.new_ones(1, 1, *conv.kernel_size)
            seen = (F.conv2d(seen, ones, stride=conv.stride, padding=conv.padding) > 0).double()
    return seen[0, 0] > 0


def _enlarged(x: Tensor, cell: int, height: int, width: int) -> Tensor:
    """Repeat each place in 2 x 2, unless cells have this many pixels already; cut to the cells of a picture of this size."""
    size = -(-height // cell), -(-width // cell)
    if x.shape[2:] != size:
        x = F.interpolate(x, scale_factor=2, mode="nearest")
    return x[:, :, : size[0], : size[1]]
