"""Parts that several networks are made of."""

import torch
from torch import Tensor, nn


class Block(nn.Module):
    """Convolution, batch norm and ReLU, twice, added to what came in (He et al. 2016): (N, width, H, W) -> the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


class Down(nn.Module):
    """Half the resolution, more channels: (N, inputs, H, W) -> (N, outputs, H/2, W/2), rounded up."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.enter = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
        )
        self.block = Block(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.block(self.enter(x))
