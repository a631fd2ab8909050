"""The small network of the lessons: a U-Net that looks at the whole picture and answers at half its size."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import Block, Down


class SmallNet(nn.Module):
    """U-Net with skip connections: L in, color (or a distribution over colors) out, at half resolution.

    Five levels halve the resolution, so that a prediction sees nearly all of a picture of 256 pixels; on the way back each
    level meets the details of its own resolution again. Blocks are residual: convolution, batch norm and ReLU twice,
    added to what came in.

    Parameters
    ----------
    outputs : channels of the answer: 313 logits for classification, 2 for regression (a and b in their own units).
    width : channels at half resolution; the deeper levels have 2, 3, 4 and 4 times as many. 32 gives 1.8 million numbers.

    >>> network = SmallNet()
    >>> network(torch.zeros(1, 1, 64, 48)).shape
    torch.Size([1, 313, 32, 24])
    """

    stride = 2

    def __init__(self, outputs: int = 313, width: int = 32) -> None:
        super().__init__()
        widths = [width, 2 * width, 3 * width, 4 * width, 4 * width]  # at 1/2, 1/4, 1/8, 1/16, 1/32
        self.outputs = outputs
        self.stem = nn.Sequential(
            nn.Conv2d(1, width, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.down = nn.ModuleList(Down(a, b) for a, b in pairwise(widths))
        self.up = nn.ModuleList(_Up(b, a) for a, b in reversed(list(pairwise(widths))))
        self.head = nn.Conv2d(width, outputs, 1)

    def encode(self, lightness: Tensor) -> list[Tensor]:
        """The way down: L (N, 1, H, W) in 0..100 -> (N, width, H/2, W/2), (N, 2 width, H/4, W/4) ... at five levels."""
        levels = [self.stem((lightness - 50) / 50)]
        for down in self.down:
            levels.append(down(levels[-1]))
        return levels

    def forward(self, lightness: Tensor) -> Tensor:
        """L (N, 1, H, W) in 0..100 -> (N, outputs, H/2, W/2), rounded up."""
        *levels, x = self.encode(lightness)
        for up in self.up:
            x = up(x, levels.pop())
        answer = self.head(x)
        # A regression works in units of about one step of the data, not of a hundredth of it.
        return answer * 50 if self.outputs == 2 else answer


class _Up(nn.Module):
    """Twice the resolution, fewer channels, joined with the level that had them before."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.enter = nn.Sequential(
            nn.Conv2d(inputs + outputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
        )
        self.block = Block(outputs)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        x = F.interpolate(x, size=level.shape[2:], mode="nearest")
        return self.block(self.enter(torch.cat((x, level), dim=1)))
