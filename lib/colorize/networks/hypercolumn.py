"""A small network in the style of VGG, whose every layer is asked about every pixel: hypercolumns. Larsson et al. 2016.

The hypercolumn of a pixel is what all layers have to say about its place: the gray value, edges, textures, and, from the
last layers, what kind of scene it is in. Coarse layers are read between their cells, bilinearly. One hidden layer turns a
hypercolumn into a color (section 3.5).

Dense, for all pixels, that is a lot: 12,417 numbers for each of 256 x 256 pixels are 814 million, 1.63 GB at two bytes each
(the paper says 1.7 GB) and 3.3 GB at four. Neighbors say nearly the same, so that for training a few places are enough: 12,417 x
128 numbers, with their gradients 8 bytes each, are 12.7 MB, the paper's 13 MB. This network draws them anew for each
picture and step while it trains, and answers densely when it does not.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..quantiles import patch
from .heads import HEADS

# VGG-16 in miniature: name, channels in units of the width, and the distance of its cells in pixels of the photo.
LAYERS = (
    ("conv1_1", 1, 1),
    ("conv2_1", 2, 2),
    ("conv2_2", 2, 2),
    ("conv3_1", 4, 4),
    ("conv3_2", 4, 4),
    ("conv4_1", 6, 8),
    ("conv4_2", 6, 8),
    ("conv5_1", 8, 16),
    ("conv5_2", 8, 16),
    ("conv6", 8, 32),
    ("conv7", 8, 32),
)
SPACING = {"data": 1} | {name: spacing for name, _, spacing in LAYERS}
NAMES = tuple(SPACING)


class Sampled(NamedTuple):
    """Answers at some places of each picture."""

    logits: Tensor  # (N, outputs, P)
    points: Tensor  # (N, P, 2), row and column; (0, 0) is the middle of the first pixel


def read_layer(layer: Tensor, points: Tensor, spacing: int) -> Tensor:
    """Read a layer at places of the photo, between its cells: (N, C, h, w) and (N, P, 2) -> (N, C, P).

    Cell i covers the pixels from ``i spacing`` to ``(i + 1) spacing - 1``; a place beyond the middle of the last cell gets
    that cell. The gradient goes back to the four nearest cells.

    Parameters
    ----------
    points : rows and columns, floats, in pixels of the photo; (0, 0) is the middle of the first.
    spacing : pixels of the photo to a cell.
    """
    size = torch.tensor([layer.shape[2], layer.shape[3]], device=layer.device) * spacing
    where = 2 * (points.float() + 0.5) / size - 1  # -1 and 1 are the layer's borders
    grid = where.flip(-1).unsqueeze(2).to(layer.dtype)  # grid_sample wants x first
    return F.grid_sample(layer, grid, padding_mode="border", align_corners=False).squeeze(3)


def hypercolumns(layers: Mapping[str, Tensor], points: Tensor) -> Tensor:
    """Hypercolumns at some places: layers by their names, (N, C_l, h_l, w_l), and points (N, P, 2) -> (N, sum of C_l, P)."""
    return torch.cat([read_layer(layer, points, SPACING[name]) for name, layer in layers.items()], dim=1)


def grid_points(height: int, width: int, stride: int = 1, device: torch.device | str = "cpu") -> Tensor:
    """Middles of all cells of stride x stride pixels, row by row: (cells, 2)."""
    axes = [
        torch.arange(-(-length // stride), device=device) * stride + (stride - 1) / 2
        for length in (height, width)
    ]
    return torch.cartesian_prod(*axes)


class HypercolumnNet(nn.Module):
    """L in, a color from hypercolumns out, at half resolution; while it trains, at 128 random pixels of each picture.

    Parameters
    ----------
    answer : "hue_chroma", "lab_marginal", "lab_joint" or "l2": see :mod:`colorize.networks.heads`.
    width : channels of the first layer; the last ones have eight times as many. 16 gives 0.75 million numbers.
    hidden : channels of the layer on the hypercolumns, the paper's h_fc1 (1,024 there).
    first, last : the layers that hypercolumns are made of, by name, both included (the paper's Table 2). "data" is L itself.
    norm : False leaves batch norm out, as VGG-16 had none.
    points : places drawn for each picture while training.

    >>> network = HypercolumnNet(width=4).eval()
    >>> network(torch.zeros(1, 1, 64, 48)).shape
    torch.Size([1, 64, 32, 24])
    >>> network.train()(torch.zeros(2, 1, 64, 48)).logits.shape
    torch.Size([2, 64, 128])
    """

    stride = 2

    def __init__(
        self,
        answer: str = "hue_chroma",
        width: int = 16,
        hidden: int = 128,
        first: str = "data",
        last: str = "conv7",
        norm: bool = True,
        points: int = 128,
    ) -> None:
        super().__init__()
        if answer not in HEADS:
            raise ValueError(f"answer must be one of {', '.join(HEADS)}, got {answer!r}")
        if first not in NAMES or last not in NAMES or NAMES.index(first) > NAMES.index(last):
            raise ValueError(
                f"first and last must be two of {', '.join(NAMES)}, in this order, got {first!r}, {last!r}"
            )
        self.head, self.points = HEADS[answer](), points
        self.outputs = self.head.outputs
        self.convs, self.norms = nn.ModuleDict(), nn.ModuleDict()
        channels = {"data": 1}
        for name, factor, _ in LAYERS:
            inputs = list(channels.values())[-1]
            channels[name] = factor * width
            conv = self.convs[name] = nn.Conv2d(
                inputs, factor * width, 1 if name == "conv7" else 3, padding="same", bias=not norm
            )
            nn.init.kaiming_normal_(conv.weight)
            if norm:
                self.norms[name] = nn.BatchNorm2d(factor * width)
            else:
                nn.init.zeros_(conv.get_parameter("bias"))
        self.used = NAMES[NAMES.index(first) : NAMES.index(last) + 1]
        self.channels = {name: channels[name] for name in self.used}
        self.enter = nn.Conv1d(sum(self.channels.values()), hidden, 1)
        self.leave = nn.Conv1d(hidden, self.outputs, 1)
        for layer in (self.enter, self.leave):  # section 4: Glorot and Bengio's start
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.get_parameter("bias"))

    def layers(self, lightness: Tensor) -> dict[str, Tensor]:
        """L (N, 1, H, W) in 0..100 -> all layers by name, after their ReLU; "data" is L between -1 and 1."""
        x = (lightness - 50) / 50
        found, spacing = {"data": x}, 1
        for name, conv in self.convs.items():
            if SPACING[name] > spacing:
                x, spacing = F.max_pool2d(x, 2, ceil_mode=True), SPACING[name]
            x = conv(x)
            x = torch.relu(self.norms[name](x) if name in self.norms else x)
            found[name] = x
        return found

    def at(self, lightness: Tensor, points: Tensor) -> Tensor:
        """Answer at some places: L (N, 1, H, W) and points (N, P, 2) -> (N, outputs, P)."""
        layers = self.layers(lightness)
        columns = hypercolumns({name: layers[name] for name in self.used}, points)
        return self.leave(torch.relu(self.enter(columns)))

    def dense(self, lightness: Tensor) -> Tensor:
        """Answer at the middle of every cell of 2 x 2 pixels: L (N, 1, H, W) -> (N, outputs, H/2, W/2), rounded up.

        The same as :meth:`at` with all of these places, without ever making a hypercolumn: reading between cells and the
        first linear layer are both linear, so that they may change places. Each layer is multiplied by its own part of the
        weights where it is, and the sums are enlarged.
        """
        layers = self.layers(lightness)
        size = [-(-side // self.stride) for side in lightness.shape[2:]]
        parts = self.enter.weight.split(list(self.channels.values()), dim=1)
        sums: dict[int, Tensor] = {}  # by spacing
        for name, part in zip(self.used, parts, strict=True):
            x, spacing = layers[name], SPACING[name]
            if spacing < self.stride:
                x = F.avg_pool2d(x, self.stride, ceil_mode=True)
            x = F.conv2d(x, part.unsqueeze(-1))
            sums[spacing] = sums[spacing] + x if spacing in sums else x
        total = self.enter.get_parameter("bias").view(-1, 1, 1)
        for spacing, x in sums.items():
            if spacing > self.stride:
                x = F.interpolate(x, scale_factor=spacing / self.stride, mode="bilinear")
            total = total + x[:, :, : size[0], : size[1]]
        return F.conv2d(torch.relu(total), self.leave.weight.unsqueeze(-1), self.leave.bias)

    def forward(self, lightness: Tensor) -> Tensor | Sampled:
        """L (N, 1, H, W) in 0..100 -> (N, outputs, H/2, W/2), rounded up; while training :class:`Sampled`, at random pixels."""
        if not self.training:
            return self.dense(lightness)
        n, _, height, width = lightness.shape
        size = torch.tensor([height, width], device=lightness.device)
        points = (torch.rand(n, self.points, 2, device=lightness.device) * size).floor()
        return Sampled(self.at(lightness, points), points)

    def readout(self, answer: Tensor, lightness: Tensor, T: float = 1.0) -> Tensor:
        """Turn an answer into ab: (N, outputs, h, w), L (N, 1, H, W) of any size, temperature -> (N, 2, h, w)."""
        return self.head.readout(answer, lightness, T)


def sampled_loss(answer: str, side: int = 1) -> Callable[[Sampled, Tensor], Tensor]:
    """Make the loss of a training: a network's :class:`Sampled` answers, and the whole pictures in Lab, (N, 3, H, W).

    Parameters
    ----------
    answer : the head, as for :class:`HypercolumnNet`.
    side : R of the R x R patch whose colors are the target; 1 in the paper, 7 in its released training files.
    """
    head = HEADS[answer]()
    return lambda found, lab: head.loss(found.logits, patch(lab, found.points, side))


def balance(network: HypercolumnNet, lightness: Tensor) -> dict[str, float]:
    """Give each layer a unit second moment, in place, without changing the network's answer. Section 3.5 and appendix A.1.

    Without batch norm layers answer at very different scales, and in a hypercolumn the loud ones drown the others. A layer
    is multiplied by ``m = 1 / sqrt(E[X^2])``, X its activations over a batch, and whoever reads it is divided by m: the next
    layer (equation 7), and its part of the layer on the hypercolumns. A ReLU lets a positive factor through (equation 8), and
    so does max pooling.

    Parameters
    ----------
    network : made with ``norm=False``; anything else is a ValueError.
    lightness : (N, 1, H, W), the batch for E[X^2].

    Returns
    -------
    m of each layer.
    """
    if network.norms:
        raise ValueError("balance takes a network without batch norm: batch norm undoes any factor")
    with torch.no_grad():
        layers = network.layers(lightness)
        factors = {name: layers[name].square().mean().rsqrt().item() for name in network.convs}
        before = 1.0
        for name, conv in network.convs.items():
            conv.get_parameter("weight").mul_(factors[name] / before)
            conv.get_parameter("bias").mul_(factors[name])
            before = factors[name]
        parts = network.enter.weight.split(list(network.channels.values()), dim=1)
        for name, part in zip(network.used, parts, strict=True):
            part /= factors.get(name, 1.0)  # L is not a layer's answer, and stays
    return factors


def gray_filters(weight: Tensor) -> Tensor:
    """Filters for gray pictures from filters for color ones: the sum over R, G and B, (O, 3, k, k) -> (O, 1, k, k).

    On a picture with three equal channels they give exactly what the old ones gave. The paper "averages and rescales
    appropriately": the factor is 3. ValueError if there are not three channels.
    """
    if weight.ndim != 4 or weight.shape[1] != 3:
        raise ValueError(f"filters must have shape (O, 3, k, k), got {tuple(weight.shape)}")
    return weight.sum(dim=1, keepdim=True)
