"""A small network that says what is in a picture: the judge of colorizations, and no colorizer itself."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from .blocks import Down


class Classifier(nn.Module):
    """What does a picture show? One logit for each class.

    One convolution, then stages that halve the resolution, each with a residual block; the mean over all places; a linear
    layer. Made for pictures of 32 pixels; larger ones work, and show it things larger than those it learned from.

    Parameters
    ----------
    classes : how many.
    channels : 3 for color; 1 for gray.
    widths : channels of the first convolution and of each stage.

    >>> import torch
    >>> Classifier(widths=(8, 16))(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self, classes: int = 10, channels: int = 3, widths: Sequence[int] = (24, 48, 96, 160)
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, widths[0], 3, padding=1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()
        )
        self.stages = nn.Sequential(*(Down(a, b) for a, b in pairwise(widths)))
        self.head = nn.Linear(widths[-1], classes)

    def features(self, pictures: Tensor) -> Tensor:
        """What the network has to say of a picture as a whole: (N, channels, H, W) in [0, 1] -> (N, widths[-1])."""
        return self.stages(self.stem(4 * pictures - 2)).mean(dim=(2, 3))

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, channels, H, W), sRGB in [0, 1] -> (N, classes) logits."""
        return self.head(self.features(pictures))
