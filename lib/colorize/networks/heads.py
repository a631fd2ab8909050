"""What a hypercolumn is asked for: the four answers that Larsson et al. 2016 compare (their Table 1), each with target and readout.

=============  =======  ================================================================  =======================
name           numbers  answer                                                            readout
=============  =======  ================================================================  =======================
l2             2        a and b (equation 1)                                              none
lab_marginal   32 + 32  a histogram of a, one of b, at Gaussian quantiles (equation 2)    expectation
lab_joint      256      a histogram of a and b together, 16 x 16 of them                  expectation
hue_chroma     32 + 32  a histogram of hue, one of chroma (equation 3)                    circular mean, median,
                                                                                          chromatic fading
=============  =======  ================================================================  =======================

A head has ``outputs``, ``loss(logits, patch)`` for some points of a picture, and ``readout(logits, lightness, T)``. Where it is
known which colors a pixel can have, as in the toy world, ``best(colors, share)`` is the answer that no network can beat.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..huechroma import hue_chroma, hue_chroma_to_ab
from ..lab import lab_to_rgb
from ..quantiles import (
    JOINT,
    MARGINAL,
    Axis,
    gaussian_axis,
    histogram,
    hue_chroma_loss,
    joint_centers,
    joint_index,
    kl,
    uniform_axis,
)
from ..readouts import circular_mean, expectation, fade, median, mode, sample

UNIT = 50.0  # ab units: a regression works in steps of about the size of the data


class L2:
    """Regression: a and b of each pixel. The mean of what occurs, as in lesson 3."""

    outputs = 2

    def loss(self, logits: Tensor, patch: Tensor) -> Tensor:
        """Half the squared distance, mean over points, as :func:`colorize.losses.l2`: (N, 2, P) and (N, 3, P, R^2) Lab.

        The middle pixel alone counts.
        """
        return 0.5 * (UNIT * logits.float() - _middle(patch)[:, 1:]).square().sum(dim=1).mean()

    def best(self, colors: Tensor, share: Tensor) -> Tensor:
        """Answer with the least expected loss: Lab colors (N, 3, P, k) with probabilities (k,) -> (N, 2, P), the mean."""
        return (colors[:, 1:] * share).sum(dim=-1) / UNIT

    def readout(self, logits: Tensor, lightness: Tensor, T: float = 1.0) -> Tensor:
        """(N, 2, h, w) -> ab. Neither lightness nor T plays a part."""
        return UNIT * logits.float()


class LabMarginal:
    """Two histograms, of a and of b. Their product knows neither red and green nor which b goes with which a."""

    def __init__(self, bins: int = MARGINAL) -> None:
        self.axis = gaussian_axis(bins)
        self.outputs = 2 * bins

    def targets(self, patch: Tensor) -> tuple[Tensor, Tensor]:
        """Targets for a and for b: (N, 3, P, R^2) Lab -> numbers (N, P) if R = 1, else histograms (N, K, P)."""
        a, b = (_target(self.axis.index(channel), len(self.axis)) for channel in patch[:, 1:].unbind(1))
        return a, b

    def loss(self, logits: Tensor, patch: Tensor) -> Tensor:
        """Sum of the two divergences, mean over points: (N, 2 K, P) and (N, 3, P, R^2)."""
        a, b = (kl(z, y) for z, y in zip(logits.chunk(2, dim=1), self.targets(patch), strict=True))
        return (a + b).mean()

    def best(self, colors: Tensor, share: Tensor) -> Tensor:
        """As :meth:`L2.best`, logits (N, 2 K, P): the share of each bin of a, and of b."""
        found = [
            histogram(self.axis.index(one), len(self.axis), share.expand_as(one))
            for one in colors[:, 1:].unbind(1)
        ]
        return torch.cat(found, dim=-1).movedim(-1, 1).log()

    def readout(self, logits: Tensor, lightness: Tensor, T: float = 1.0) -> Tensor:
        """Expectations: (N, 2 K, h, w) -> ab (N, 2, h, w). The paper's choice for Lab."""
        halves = (expectation(_sharp(z, T), self.axis.centers) for z in logits.chunk(2, dim=1))
        return torch.stack(tuple(halves), dim=1)


class LabJoint:
    """One histogram over a grid of a and b."""

    def __init__(self, bins: int = JOINT) -> None:
        self.axis = gaussian_axis(bins)
        self.outputs = bins * bins

    def targets(self, patch: Tensor) -> Tensor:
        """(N, 3, P, R^2) Lab -> numbers (N, P) if R = 1, else histograms (N, K^2, P)."""
        return _target(joint_index(patch[:, 1:], self.axis), self.outputs)

    def loss(self, logits: Tensor, patch: Tensor) -> Tensor:
        """Divergence, mean over points: (N, K^2, P) and (N, 3, P, R^2)."""
        return kl(logits, self.targets(patch)).mean()

    def best(self, colors: Tensor, share: Tensor) -> Tensor:
        """As :meth:`L2.best`, logits (N, K^2, P): the share of each cell."""
        index = joint_index(colors[:, 1:], self.axis)
        return histogram(index, self.outputs, share.expand(index.shape)).movedim(-1, 1).log()

    def readout(self, logits: Tensor, lightness: Tensor, T: float = 1.0) -> Tensor:
        """Expectation: (N, K^2, h, w) -> ab (N, 2, h, w)."""
        p, centers = _sharp(logits, T), joint_centers(self.axis)
        return torch.stack([expectation(p, values) for values in centers.unbind(1)], dim=1)


class HueChroma:
    """Two histograms, of hue and of chroma: what the paper found best, with chromatic fading."""

    def __init__(self, bins: int = MARGINAL) -> None:
        self.axis: Axis = uniform_axis(bins)
        self.outputs = 2 * bins

    def targets(self, patch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Targets for hue and chroma, and the chroma of the middle pixel: (N, 3, P, R^2) Lab -> those of :func:`kl`, and (N, P).

        In the histogram of hues each pixel of the patch counts by its chroma, for the reason that equation 3 has (our choice;
        the paper does not say).
        """
        hue, chroma = hue_chroma(lab_to_rgb(patch))  # (N, P, R^2)
        value = _middle(chroma)
        index = self.axis.index(hue)
        return _target(index, len(self.axis), chroma), _target(self.axis.index(chroma), len(self.axis)), value

    def loss(self, logits: Tensor, patch: Tensor) -> Tensor:
        """Equation 3, mean over points: (N, 2 K, P) and (N, 3, P, R^2)."""
        hue, chroma = logits.chunk(2, dim=1)
        return hue_chroma_loss(hue, chroma, *self.targets(patch))

    def best(self, colors: Tensor, share: Tensor) -> Tensor:
        """As :meth:`L2.best`, logits (N, 2 K, P). The weight of equation 3 stays in the hues: vivid colors count more."""
        hue, chroma = hue_chroma(lab_to_rgb(colors))  # (N, P, k)
        of_hue = histogram(self.axis.index(hue), len(self.axis), share * chroma)
        of_chroma = histogram(self.axis.index(chroma), len(self.axis), share.expand_as(chroma))
        return torch.cat((of_hue, of_chroma), dim=-1).movedim(-1, 1).log()

    def readout(
        self,
        logits: Tensor,
        lightness: Tensor,
        T: float = 1.0,
        hue: str = "expectation",
        chroma: str = "median",
        fading: str | None = "code",
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """From two histograms to ab, in one of the ways of the paper's Table 5.

        Parameters
        ----------
        logits : (N, 2 K, h, w).
        lightness : (N, 1, H, W), L in 0..100 at any resolution.
        T : temperature; the paper has none, which is 1.
        hue : "expectation" (circular), "mode" or "sample".
        chroma : "median", "expectation", "mode" or "sample".
        fading : a rule of :func:`colorize.readouts.fade`, or None.
        generator : for repeatable samples.

        Returns
        -------
        ab (N, 2, h, w). ValueError for another way.
        """
        p_hue, p_chroma = (_sharp(z, T) for z in logits.chunk(2, dim=1))
        found_hue, found_chroma = self.values(p_hue, p_chroma, hue, chroma, fading, generator)
        small = F.interpolate(lightness.float(), size=logits.shape[2:], mode="area")[:, 0]
        return hue_chroma_to_ab(found_hue, found_chroma, small)

    def values(
        self,
        p_hue: Tensor,
        p_chroma: Tensor,
        hue: str = "expectation",
        chroma: str = "median",
        fading: str | None = "code",
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Hue and chroma, (N, ...) each in [0, 1], of probabilities (N, K, ...) twice. As :meth:`readout`."""
        axis, (mean_hue, length) = self.axis, circular_mean(p_hue)
        hues = {
            "expectation": lambda: mean_hue,
            "mode": lambda: mode(p_hue, axis.centers),
            "sample": lambda: sample(p_hue, axis.centers, generator),
        }
        chromas = {
            "expectation": lambda: expectation(p_chroma, axis.centers),
            "median": lambda: median(p_chroma, axis.edges),
            "mode": lambda: mode(p_chroma, axis.edges[:-1]),  # the left edge, as the authors' code does
            "sample": lambda: sample(p_chroma, axis.centers, generator),
        }
        if hue not in hues or chroma not in chromas:
            raise ValueError(
                f"hue must be one of {', '.join(hues)} and chroma one of {', '.join(chromas)}, got {hue!r}, {chroma!r}"
            )
        found_hue, found_chroma = hues[hue](), chromas[chroma]()
        if fading is not None:
            found_chroma = fade(found_chroma, length, len(axis), rule=fading)
        return found_hue, found_chroma


HEADS = {"l2": L2, "lab_marginal": LabMarginal, "lab_joint": LabJoint, "hue_chroma": HueChroma}


def _middle(patch: Tensor) -> Tensor:
    return patch[..., patch.shape[-1] // 2]


def _target(index: Tensor, bins: int, weight: Tensor | None = None) -> Tensor:
    """Numbers (N, P, 1) as they are, (N, P); several of a patch as a histogram, (N, K, P)."""
    if index.shape[-1] == 1:
        return index[..., 0]
    return histogram(index, bins, weight).movedim(-1, 1)


def _sharp(logits: Tensor, T: float) -> Tensor:
    """Probabilities at a temperature; 0 is the mode. ValueError below."""
    if not T >= 0:
        raise ValueError(f"temperature T must be 0 or above, got {T}")
    logits = logits.float()
    return torch.softmax((logits - logits.amax(dim=1, keepdim=True)) / max(T, 1e-5), dim=1)
