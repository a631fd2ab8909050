"""The network of Zhang, Isola and Efros (2016): 22 convolutions, no pooling, no skip connections.

Two versions are known. RELEASE is what the authors released, and what the KTH report rebuilt; 32,230,393 numbers in
convolutions are 128.9 MB, the paper's 129 MB. SUPPLEMENTARY is Table 1 of the paper's supplementary material: thinner at
the end, with a loss at the end of four blocks.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..bins import gamut_bins


class Layer(NamedTuple):
    """One convolution: 3 x 3, or 4 x 4 and transposed if it doubles the resolution. A ReLU follows each."""

    name: str
    channels: int
    stride: float = 1  # 2 halves the resolution, 0.5 doubles it
    dilation: int = 1
    norm: bool = False  # batch norm after the ReLU
    tap: bool = False  # a loss of its own: a 1 x 1 convolution to the classes


def _block(
    number: int, channels: int, count: int, dilation: int = 1, stride: float = 1, tap: bool = False
) -> list[Layer]:
    """Layers conv1_1, conv1_2 ... of one block; the last has the stride, the batch norm and the tap."""
    names = [f"conv{number}_{k + 1}" for k in range(count)]
    last = Layer(names[-1], channels, stride, dilation, True, tap)
    return [*(Layer(name, channels, 1, dilation) for name in names[:-1]), last]


def _layers(channels7: int, channels8: int, taps: bool) -> tuple[Layer, ...]:
    return (
        *_block(1, 64, 2, stride=2),
        *_block(2, 128, 2, stride=2),
        *_block(3, 256, 3, stride=2),
        *_block(4, 512, 3),
        *_block(5, 512, 3, dilation=2, tap=taps),
        *_block(6, 512, 3, dilation=2, tap=taps),
        *_block(7, channels7, 3, tap=taps),
        Layer("conv8_1", channels8, 0.5),
        Layer("conv8_2", channels8),
        Layer("conv8_3", channels8),
    )


RELEASE = _layers(512, 256, taps=False)
SUPPLEMENTARY = _layers(256, 128, taps=True)
VERSIONS = {"release": RELEASE, "supplementary": SUPPLEMENTARY}


class Row(NamedTuple):
    """What follows for one layer, in the columns of the supplementary's Table 1, and one of ours."""

    layer: Layer
    spacing: int  # of its answers, in input pixels: accumulated stride, its own included
    accumulated_stride: int  # S_a: of all layers before it; of a transposed convolution, its own included
    effective_dilation: int  # D_e: spacing of the kernel's elements, in input pixels
    receptive_field: int  # side of the square of input pixels that an answer can depend on


def layer_table(layers: Sequence[Layer] = RELEASE) -> list[Row]:
    """Compute accumulated stride, effective dilation and receptive field of each layer.

    The effective dilation is the accumulated stride times the dilation (supplementary, section 3.1). A layer widens the
    receptive field by as much as its kernel spans: two effective dilations for 3 x 3. A transposed 4 x 4 convolution
    with stride 2 computes each of its answers from 2 x 2 pixels below, one spacing apart.

    >>> [row.effective_dilation for row in layer_table()]
    [1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 16, 16, 16, 16, 16, 16, 8, 8, 8, 4, 4, 4]
    >>> layer_table()[18].receptive_field  # conv7_3, before the resolution is doubled
    325
    """
    rows, spacing, field = [], 1, 1
    for layer in layers:
        if layer.stride < 1:
            field += spacing
            spacing = round(spacing * layer.stride)
            before = spacing
        else:
            before = spacing
            field += 2 * layer.dilation * before
            spacing = round(spacing * layer.stride)
        rows.append(Row(layer, spacing, before, before * layer.dilation, field))
    return rows


class ZhangNet(nn.Module):
    """L in, a distribution over colors out, at a quarter of the resolution.

    Parameters
    ----------
    outputs : channels of the answer: 313 logits for classification, 2 for regression (a and b in their own units).
    width : factor on the number of channels of all layers. 1 is the paper's network; a step costs about width squared.
    version : "release" or "supplementary".
    norm : False leaves batch norm out.

    Weights start as He et al. (2015) propose for ReLU. The authors started from a data-dependent k-means instead.

    >>> network = ZhangNet(width=1 / 16)
    >>> network(torch.zeros(1, 1, 64, 48)).shape
    torch.Size([1, 313, 16, 12])
    """

    stride = 4

    def __init__(
        self, outputs: int = 313, width: float = 1.0, version: str = "release", norm: bool = True
    ) -> None:
        super().__init__()
        if version not in VERSIONS:
            raise ValueError(f"version must be one of {', '.join(VERSIONS)}, got {version!r}")
        if not width > 0:
            raise ValueError(f"width must be above 0, got {width}")
        self.outputs, self.table = outputs, VERSIONS[version]
        self.convs, self.norms, self.taps = nn.ModuleDict(), nn.ModuleDict(), nn.ModuleDict()
        inputs = 1
        for layer in self.table:
            channels = max(1, round(layer.channels * width))
            conv: nn.Conv2d | nn.ConvTranspose2d
            if layer.stride < 1:
                conv = nn.ConvTranspose2d(inputs, channels, 4, stride=2, padding=1)
            else:
                conv = nn.Conv2d(inputs, channels, 3, int(layer.stride), layer.dilation, layer.dilation)
            nn.init.kaiming_normal_(conv.weight, mode="fan_out" if layer.stride < 1 else "fan_in")
            if layer.stride < 1:  # a kernel of 4 x 4 with stride 2 adds up 2 x 2 of its elements, not 4 x 4
                conv.weight.data *= 2
            nn.init.zeros_(conv.get_parameter("bias"))
            self.convs[layer.name] = conv
            if layer.norm and norm:
                self.norms[layer.name] = nn.BatchNorm2d(channels)
            if layer.tap:
                self.taps[layer.name] = nn.Conv2d(channels, outputs, 1)
            inputs = channels
        self.head = nn.Conv2d(inputs, outputs, 1)

    def forward(self, lightness: Tensor, taps: bool = False) -> Tensor | list[Tensor]:
        """L (N, 1, H, W) in 0..100 -> (N, outputs, H/4, W/4), rounded up.

        With ``taps``, a list: the answers of the taps, (N, outputs, H/8, W/8) each, and that one at its end.
        """
        height, width = lightness.shape[2:]
        x, answers = (lightness - 50) / 100, []  # 100, as the published weights expect
        for name, conv in self.convs.items():
            x = torch.relu(conv(x))
            if name in self.norms:
                x = self.norms[name](x)
            if taps and name in self.taps:
                answers.append(self._scaled(self.taps[name](x)))
        x = x[:, :, : -(-height // 4), : -(-width // 4)]  # doubling H/8, rounded up, may give a line too many
        answers.append(self._scaled(self.head(x)))
        return answers if taps else answers[0]

    def _scaled(self, answer: Tensor) -> Tensor:
        """Let a regression work in units of about one step of the data, as SmallNet does."""
        return answer * 50 if self.outputs == 2 else answer


def multiply_adds(network: nn.Module, height: int, width: int) -> int:
    """Count the multiplications of a network's convolutions for one picture; each comes with one addition.

    Twice that is its FLOPs. Training takes three times as many: one pass forward, two backward.

    >>> round(multiply_adds(ZhangNet(), 256, 256) / 1e9, 1)
    41.8
    """
    found = []

    def note(conv: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        # Each kernel is laid once on every input pixel (transposed) or answers once for every output pixel.
        places = inputs[0] if isinstance(conv, nn.ConvTranspose2d) else output
        found.append(conv.get_parameter("weight").numel() * places.shape[2] * places.shape[3])

    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    hooks = [m.register_forward_hook(note) for m in network.modules() if isinstance(m, kinds)]
    was_training, device = network.training, next(network.parameters()).device
    try:
        with torch.inference_mode():
            network.eval()(torch.zeros(1, 1, height, width, device=device))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return sum(found)


def from_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the layers of the authors' published PyTorch weights to those of ``ZhangNet()``.

    Their ``model1.0`` ... ``model8.4`` are our convolutions in order, ``model8.6`` is our head, and the last module of
    ``model1`` ... ``model7`` is a batch norm with scale and shift. ``model_out`` turns probabilities into ab / 110; here
    :mod:`colorize.decode` does that, from :func:`colorize.bins.gamut_bins`, and a warning says so if the two differ.

    Parameters
    ----------
    state : names and tensors, as the authors' network ``eccv16`` has them.

    Returns
    -------
    A state dict for ``ZhangNet().load_state_dict``.

    Raises
    ------
    ValueError if a layer is missing, unknown, or of another shape.
    """
    with torch.device("meta"):
        expected = {key: tensor.shape for key, tensor in ZhangNet().state_dict().items()}
    names = {}
    for number in range(1, 9):
        block = [layer.name for layer in RELEASE if layer.name.startswith(f"conv{number}_")]
        for k, name in enumerate(block):
            names[f"model{number}.{2 * k}"] = f"convs.{name}"  # a ReLU stands between two
        last = "head" if number == 8 else f"norms.{block[-1]}"
        names[f"model{number}.{2 * len(block)}"] = last
    found = {}
    for key, tensor in state.items():
        if key == "model_out.weight":
            _check_bins(tensor)
            continue
        layer, _, what = key.rpartition(".")
        ours = f"{names.get(layer)}.{what}"
        if ours not in expected:
            raise ValueError(f"the published network has no layer {key}")
        if tensor.shape != expected[ours]:
            shapes = f"{tuple(expected[ours])}, got {tuple(tensor.shape)}"
            raise ValueError(f"the published network's {key} has shape {shapes}")
        found[ours] = tensor
    missing = [
        f"{layer}.{what}"
        for layer, ours in names.items()
        for what in ("weight", "bias", "running_mean", "running_var")
        if f"{ours}.{what}" in expected and f"{ours}.{what}" not in found
    ]
    if missing:
        raise ValueError(
            f"the published network has {len(missing)} tensors that are missing here: {missing[0]}, ..."
        )
    for key in expected:
        if key.endswith("num_batches_tracked"):  # counts training steps; files without it are as good
            found.setdefault(key, torch.zeros((), dtype=torch.int64))
    return found


def _check_bins(weight: Tensor) -> None:
    """Warn if the authors' last layer, (2, 313, 1, 1), does not hold our bins, in units of 110."""
    bins = gamut_bins().T
    off = (weight.float().reshape(2, -1) * 110 - bins).abs().max() if weight.numel() == bins.numel() else None
    if off is None or off > 1:
        found = "has another shape" if off is None else f"differs by up to {off:.0f} ab units"
        warnings.warn(f"model_out {found} from the centers of our bins, which are used instead", stacklevel=3)
