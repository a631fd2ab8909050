"""Two players: a U-Net that colors, and a network that tells its patches from those of photos.

Isola et al. 2017 (pix2pix), in the sizes of Agrawal & Sawhney's code: encoder 64, 128, 256, 512, 512, 512, discriminator
64, 128, 256. All channels here are multiplied by a width. Every convolution but the last two of the discriminator has a
kernel of 4 and a stride of 2. A kernel that is a multiple of its stride covers each pixel of a deconvolution equally
often, so that no checkerboard is built in.
"""

import contextlib
from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

UNIT = 110.0  # ab units that are 1 inside both networks; no color of sRGB is farther from 0 on either axis
ENCODER = (64, 128, 256, 512, 512, 512)
DROPOUTS = 3  # of the decoder's innermost levels


class UNet(nn.Module):
    """Generator: L in, ab out at full size; six halvings, and as many doublings that meet what was there on the way down.

    There is no noise input. Isola et al. found that a generator learns to ignore one, and drop out half of three levels
    instead, in use as in training. Here dropout rests in use unless ``noise`` is set: then each call draws anew.

    Parameters
    ----------
    outputs : 2, a and b in their own units; there is no other.
    width : factor on the channels. 1 gives 29 million numbers, 1/4 gives 1.8 million.
    noise : dropout also while coloring; an attribute, to be changed at any time.

    >>> network = UNet(width=1 / 16).eval()
    >>> network(torch.zeros(1, 1, 65, 48)).shape
    torch.Size([1, 2, 65, 48])
    """

    stride = 1

    def __init__(self, outputs: int = 2, width: float = 0.25, noise: bool = False) -> None:
        super().__init__()
        if outputs != 2:
            raise ValueError(f"a UNet answers with ab: outputs must be 2, got {outputs}")
        self.outputs, self.noise = outputs, noise
        widths = _widths(ENCODER, width)
        inputs = (1, *widths[:-1])
        # The innermost may be one pixel of one picture, which batch norm would set to 0; the outermost keeps its level.
        self.down = nn.ModuleList(
            _Down(i, o, norm=0 < level < len(widths) - 1)
            for level, (i, o) in enumerate(zip(inputs, widths, strict=True))
        )
        up = []
        for level in reversed(range(1, len(widths))):
            below = widths[level] * (1 if level == len(widths) - 1 else 2)  # joined with the way down
            up.append(_Up(below, widths[level - 1]))
        self.up = nn.ModuleList(up)
        self.head = nn.ConvTranspose2d(2 * widths[0], outputs, 4, stride=2, padding=1)

    def forward(self, lightness: Tensor) -> Tensor:
        """L (N, 1, H, W) in 0..100 -> ab (N, 2, H, W) in their own units, within -110..110. Any H and W."""
        x, levels, sizes = (lightness - 50) / 50, [], []
        for down in self.down:
            sizes.append(x.shape[2:])
            x = down(x)
            levels.append(x)
        x = levels.pop()
        drop = self.training or self.noise
        for number, up in enumerate(self.up):
            x = _crop(up(torch.relu(x)), sizes.pop())
            if number < DROPOUTS:
                x = F.dropout(x, 0.5, training=drop)
            x = torch.cat((x, levels.pop()), dim=1)
        return UNIT * torch.tanh(_crop(self.head(torch.relu(x)), sizes.pop()))

    def samples(self, lightness: Tensor, count: int, seed: int = 0) -> Tensor:
        """Color the same pictures several times, each with another draw of dropout.

        Parameters
        ----------
        lightness : (N, 1, H, W), L in 0..100.
        count : how many answers.
        seed : of the draws; the random numbers of the caller are left as they were.

        Returns
        -------
        (count, N, 2, H, W), without gradients; batch norm uses its stored statistics.
        """
        devices = [lightness.device] if lightness.device.type == "cuda" else []
        with torch.random.fork_rng(devices), torch.no_grad(), _in_use(self, noise=True):
            torch.manual_seed(seed)
            return torch.stack([self(lightness) for _ in range(count)])


class PatchDiscriminator(nn.Module):
    """Tells true ab from made-up ones, patch by patch: (L, ab) in, a map of logits out; above 0 means "true".

    Each logit sees a square of :func:`receptive_field` pixels, and their mean loss is what counts: it judges texture and
    color, not the picture as a whole (Isola et al. 2017, section 3.2.2).

    Parameters
    ----------
    width : factor on the channels 64, 128, 256, ...
    halvings : convolutions of stride 2 before the two of stride 1. 2 is Agrawal & Sawhney's network of 64, 128, 256: a map of 14
        x 14 at 64 pixels. 3 is that of Isola et al., with 512 channels more: 30 x 30 at 256 pixels. The report writes
        30 x 30, and its code has 14 x 14.

    >>> judge = PatchDiscriminator(width=1 / 16)
    >>> judge(torch.zeros(1, 1, 64, 64), torch.zeros(1, 2, 64, 64)).shape
    torch.Size([1, 1, 14, 14])
    """

    def __init__(self, width: float = 0.25, halvings: int = 2) -> None:
        super().__init__()
        if halvings < 1:
            raise ValueError(f"halvings must be 1 or more, got {halvings}")
        self.halvings = halvings
        widths = _widths([64 * min(2**level, 8) for level in range(halvings + 1)], width)
        layers: list[nn.Module] = []
        for level, (i, o) in enumerate(zip((3, *widths[:-1]), widths, strict=True)):
            stride = 2 if level < halvings else 1
            layers.append(nn.Conv2d(i, o, 4, stride, 1, bias=level == 0))
            layers += [nn.BatchNorm2d(o)] * (level > 0)
            layers.append(nn.LeakyReLU(0.2))
        self.body = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, 1, 1))

    def forward(self, lightness: Tensor, ab: Tensor) -> Tensor:
        """L (N, 1, H, W) in 0..100 and ab (N, 2, H, W) -> logits (N, 1, h, w). ValueError for pictures that are too small."""
        smallest = 3 * 2**self.halvings
        if min(lightness.shape[2:]) < smallest:
            size = tuple(lightness.shape[2:])
            raise ValueError(f"the discriminator needs pictures of {smallest} pixels or more, got {size}")
        return self.body(torch.cat(((lightness - 50) / 50, ab / UNIT), dim=1))


def receptive_field(halvings: int = 2) -> int:
    """Side of the square that one logit of a :class:`PatchDiscriminator` sees, in pixels.

    From the last convolution back: a kernel of 4 and a stride s turn r cells into ``s (r - 1) + 4``.

    >>> receptive_field(2), receptive_field(3)  # Agrawal & Sawhney; Isola et al.
    (34, 70)
    """
    side = 1
    for stride in (1, 1, *[2] * halvings):
        side = stride * (side - 1) + 4
    return side


def map_size(pixels: int, halvings: int = 2) -> int:
    """Side of a discriminator's map for pictures of so many pixels.

    >>> map_size(64), map_size(256), map_size(256, halvings=3)
    (14, 62, 30)
    """
    return pixels // 2**halvings - 2


class _Down(nn.Module):
    """Half the size, rounded up: (N, inputs, H, W) -> (N, outputs, H/2, W/2)."""

    def __init__(self, inputs: int, outputs: int, norm: bool) -> None:
        super().__init__()
        self.first = inputs == 1
        self.conv = nn.Conv2d(inputs, outputs, 4, stride=2, bias=not norm)
        self.norm = nn.BatchNorm2d(outputs) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        x = x if self.first else F.leaky_relu(x, 0.2)
        return self.norm(self.conv(F.pad(x, (1, 1 + width % 2, 1, 1 + height % 2))))


class _Up(nn.Module):
    """Twice the size: (N, inputs, h, w) -> (N, outputs, 2 h, 2 w)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


def _crop(x: Tensor, size: torch.Size) -> Tensor:
    return x[:, :, : size[0], : size[1]]


def _widths(channels: Iterable[int], factor: float) -> list[int]:
    if not factor > 0:
        raise ValueError(f"width must be above 0, got {factor}")
    return [max(1, round(count * factor)) for count in channels]


@contextlib.contextmanager
def _in_use(network: UNet, noise: bool) -> Iterator[None]:
    """In evaluation mode, with or without noise, for as long as the block lasts."""
    before = network.training, network.noise
    network.eval()
    network.noise = noise
    try:
        yield
    finally:
        network.train(before[0])
        network.noise = before[1]
