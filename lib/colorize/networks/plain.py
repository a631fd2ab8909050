"""A stack of convolutions at full size, as Agrawal & Sawhney built it: no pooling, no skips, no way back up."""

from torch import Tensor, nn


class PlainNet(nn.Module):
    """Convolutions of stride 1, each followed by ReLU and batch norm, then a 1 x 1 convolution or a fully connected layer.

    Their final network: 9 convolutions of kernel 5, which see 37 x 37 pixels. Their baseline: 3, then a fully connected
    layer. That one has numbers of its own for each pixel of its output: it fits pictures of one size only, and
    neighbors share nothing.

    Parameters
    ----------
    outputs : channels of the answer: 2 for ab in their own units, or the logits of :class:`colorize.marginal.Marginal`.
    width : channels of each convolution. (The report shows its own in a figure.)
    layers, kernel : how many convolutions, and their side, odd.
    dropout : share of values that are dropped after each batch norm; they tried 0.4.
    dense : S, side of the pictures, for a fully connected layer on 2 channels at the end; 0 for the 1 x 1 convolution.
    centered : take each picture's own mean of L away first.

    >>> import torch
    >>> PlainNet(width=4).eval()(torch.zeros(1, 1, 33, 20)).shape
    torch.Size([1, 2, 33, 20])
    """

    stride = 1

    def __init__(
        self,
        outputs: int = 2,
        width: int = 16,
        layers: int = 9,
        kernel: int = 5,
        dropout: float = 0.0,
        dense: int = 0,
        centered: bool = False,
    ) -> None:
        super().__init__()
        if layers < 1 or kernel < 1 or kernel % 2 == 0:
            raise ValueError(f"layers must be 1 or more and kernel odd, got {layers} and {kernel}")
        self.outputs, self.dense, self.centered = outputs, dense, centered
        body: list[nn.Module] = []
        for number in range(layers):
            inputs = width if number else 1
            body += [
                nn.Conv2d(inputs, width, kernel, padding=kernel // 2),
                nn.ReLU(),
                nn.BatchNorm2d(width),
            ]
            body += [nn.Dropout(dropout)] * (dropout > 0)
        self.body = nn.Sequential(*body)
        self.head = nn.Conv2d(width, 2 if dense else outputs, 1)
        self.full = nn.Linear(2 * dense**2, outputs * dense**2) if dense else None

    def forward(self, lightness: Tensor) -> Tensor:
        """L (N, 1, H, W) in 0..100 -> (N, outputs, H, W). ValueError for another size than the fully connected layer's."""
        x = lightness - (lightness.mean(dim=(2, 3), keepdim=True) if self.centered else 50)
        x = self.head(self.body(x / 50))
        if self.full is not None:
            if x.shape[2:] != (self.dense, self.dense):
                size = tuple(x.shape[2:])
                raise ValueError(f"this network takes pictures of {self.dense} x {self.dense}, got {size}")
            x = self.full(x.flatten(1)).view(-1, self.outputs, self.dense, self.dense)
        return x * 50 if self.outputs == 2 else x
