"""A toy world in which the right answer is known: small scenes whose colors are drawn from known palettes.

An apple is red or green with probability 1/2, a balloon has one of six hues, a lemon is yellow. The gray picture shows what
each thing is, and says nothing about which of its colors was drawn. So the best that any network can answer at an apple
follows from the palette of apples alone, whatever the loss: :class:`Palette` computes it, without training.

>>> apple = ToyWorld().palette("apple")
>>> apple.mean()  # of L2: brown, which no apple is
tensor([ 8., 38.], dtype=torch.float64)
>>> apple.posterior().nonzero().flatten()  # of classification: two bins, 1/2 each
tensor([ 57, 220])
>>> apple.smooth_l1().tolist()  # of smooth L1: any a from green to red is equally good
[[-36.0, 38.0], [52.0, 38.0]]
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import torch
from torch import Tensor

from .bins import gamut_bins, nearest_bin, soft_encode
from .decode import annealed_mean
from .lab import lab_to_rgb
from .toyscenes import KINDS, draw

SMALLEST = 24  # in smaller pictures a kite is a dot
BLOCK = 64  # scenes drawn at a time, so that they stay in the cache


class Palette:
    """The colors of a kind of thing, with their probabilities, and the best answers that follow from them.

    "Best" is the minimum of the expected loss over everything a network could answer at this kind, when the color is drawn
    anew each time: what training converges to if the network is large enough and sees enough.

    Parameters
    ----------
    colors : (k, 2), a and b in their own units.
    probabilities : (k,), above 0, sum 1.

    Raises
    ------
    ValueError if the shapes do not belong together, or the probabilities are none.

    >>> Palette([(33, -28), (7, 42)], [0.7, 0.3]).mean()  # of a plum
    tensor([25.2000, -7.0000], dtype=torch.float64)
    """

    def __init__(self, colors: Sequence | Tensor, probabilities: Sequence | Tensor):
        self.colors = torch.as_tensor(colors, dtype=torch.float64, device="cpu")
        self.probabilities = torch.as_tensor(probabilities, dtype=torch.float64, device="cpu")
        if self.colors.ndim != 2 or self.colors.shape != (self.probabilities.numel(), 2):
            raise ValueError(
                "a palette takes colors (k, 2) and probabilities (k,), "
                f"got {tuple(self.colors.shape)} and {tuple(self.probabilities.shape)}"
            )
        if not (self.probabilities > 0).all() or abs(self.probabilities.sum().item() - 1) > 1e-6:
            raise ValueError(f"probabilities must be above 0 with sum 1, got {self.probabilities.tolist()}")

    def __repr__(self) -> str:
        pairs = zip(self.colors.tolist(), self.probabilities.tolist(), strict=True)
        return "Palette(" + ", ".join(f"({a:g}, {b:g}): {p:.3g}" for (a, b), p in pairs) + ")"

    def mean(self) -> Tensor:
        """Mean color, (2,) float64: the only minimum of L2."""
        return self.probabilities @ self.colors

    def smooth_l1(self, beta: float = 1.0) -> Tensor:
        """Colors that smooth L1 likes best, from low to high: (2, 2) float64, rows low and high, columns a and b.

        Smooth L1 of an error d is ``d^2 / (2 beta)`` up to ``|d| = beta`` and ``|d| - beta / 2`` beyond, for a and b apart.
        Its slope pulls x toward color c with force ``(x - c) / beta``, held between -1 and 1. The expected loss is convex;
        its minima are where the forces, weighted by probability, cancel, on each axis by itself:

        - Two colors at 1/2 each, more than 2 beta apart: every x from ``low + beta`` to ``high - beta``. Nothing tells the
          brown in the middle from the red and green near the ends.
        - Two colors at 0.7 and 0.3, more than ``(1 + 0.3 / 0.7) beta`` apart: one point, ``0.3 / 0.7 beta = 0.43 beta``
          from the likelier color toward the other.
        - All colors within beta of the mean, as for any beta as large as their range: the mean. There smooth L1 is L2
          divided by beta. So it is in a network that divides ab by 110 and leaves beta at 1.
        - beta toward 0: the median, as for L1.

        Parameters
        ----------
        beta : where the parabola gives way to a straight line, in ab units, above 0; anything else is a ValueError.
        """
        if not 0 < beta < float("inf"):
            raise ValueError(f"beta must be above 0 and finite, got {beta}")
        return torch.stack([self._balance(axis, beta) for axis in self.colors.T], dim=1)

    def _balance(self, values: Tensor, beta: float) -> Tensor:
        """First and last x where the expected force is zero, (2,). It rises from -1 to 1, straight between the knots."""
        knots = torch.cat((values - beta, values + beta)).sort().values
        force = ((knots[:, None] - values) / beta).clamp(-1, 1) @ self.probabilities
        force[force.abs() < 1e-9] = 0  # six times 1/6 is not quite 1
        right = int((force >= 0).nonzero()[0])  # never the first knot, where the force is -1
        if force[right] == 0:
            return torch.stack((knots[right], knots[(force == 0).nonzero()[-1, 0]]))
        step, rise = knots[right] - knots[right - 1], force[right] - force[right - 1]
        return (knots[right] - step * force[right] / rise).repeat(2)

    def posterior(self, soft: bool = False, bin_weight: Tensor | None = None) -> Tensor:
        """Distribution over the bins that classification converges to.

        Color i has the probability p_i, its nearest bin n_i the weight v_i (1 without ``bin_weight``), its target is t_i:
        the single bin n_i, or the soft code of :func:`colorize.bins.soft_encode` if ``soft``. The expected loss,
        ``- sum_i p_i v_i t_i . ln q``, is least for ``q = sum_i p_i v_i t_i / sum_i p_i v_i``. With single bins that is the
        palette times the weights. With soft targets a network that answers the palette itself is wrong: for one color at
        the center of a bin by a total variation of 0.35, and off the center by more.

        Parameters
        ----------
        soft : for soft targets instead of single bins.
        bin_weight : (313,), 0 or above: weight of a pixel by its nearest bin, such as
            :func:`colorize.prior.rebalancing_weights`.

        Returns
        -------
        (313,) float64, sums to 1. ValueError if bin_weight has another shape, is negative, or is 0 for the whole palette.
        """
        share, _ = self._shares(bin_weight)
        index, weight = soft_encode(self._grid(), neighbors=5 if soft else 1)  # (1, K, k, 1) each
        found = torch.zeros(len(gamut_bins()), dtype=torch.float64, device="cpu")
        return found.scatter_add_(0, index.flatten(), (weight[..., 0] * share).flatten())

    def cross_entropy_floor(self, soft: bool = False, bin_weight: Tensor | None = None) -> float:
        """Least expected cross-entropy, in nats: no network that cannot see the color gets below it.

        The loss at its minimum: the entropy of :meth:`posterior`, times the expected weight ``sum_i p_i v_i`` of a pixel
        of this kind. Parameters and errors as there.

        >>> Palette([(53, 38), (-37, 38)], [0.5, 0.5]).cross_entropy_floor()  # ln 2: one bit
        0.6931471805599453
        """
        return self._shares(bin_weight)[1] * torch.special.entr(self.posterior(soft, bin_weight)).sum().item()

    def annealed_mean(self, T: float = 0.38, soft: bool = False, bin_weight: Tensor | None = None) -> Tensor:
        """Annealed mean of :meth:`posterior`, (2,) float64: what a network that has converged would show at temperature T.

        T = 1 is the mean, T = 0 the mode (of equally likely bins the first), all of bin centers: a color between them moves
        by up to half a bin. Errors as for :meth:`posterior` and :func:`colorize.decode.annealed_mean`.
        """
        logits = self.posterior(soft, bin_weight).log()  # minus infinity where a bin is ruled out
        return annealed_mean(logits.view(1, -1, 1, 1), T).flatten()

    def _grid(self) -> Tensor:
        return self.colors.T[None, :, :, None]  # (1, 2, k, 1), as bins take them

    def _shares(self, bin_weight: Tensor | None) -> tuple[Tensor, float]:
        """Share of each color in the loss, (k,), and the expected weight of a pixel."""
        if bin_weight is None:
            return self.probabilities, 1.0
        bins = len(gamut_bins())
        if bin_weight.shape != (bins,) or not (bin_weight >= 0).all():
            raise ValueError(f"bin_weight must be ({bins},), 0 or above, got {tuple(bin_weight.shape)}")
        share = self.probabilities * bin_weight.to(self.probabilities)[nearest_bin(self._grid()).flatten()]
        if not share.sum() > 0:
            raise ValueError("bin_weight must be above 0 for a color of the palette, got 0 for all of them")
        return share / share.sum(), share.sum().item()


@dataclass(frozen=True)
class Scenes:
    """Everything there is to know about n scenes: what a network sees, what it should find, and what it cannot know."""

    lightness: Tensor  # (n, S, S) float32, L in 0..100
    ab: Tensor  # (n, 2, S, S) float32
    kind: Tensor  # (n, S, S) int64, the kind of thing at each pixel
    thing: Tensor  # (n, S, S) int64 in 0..14, which thing it is: two plums of a scene have one kind and two numbers
    kinds: Tensor  # (n, 15) int64, the kind of each thing, -1 where there is none
    choices: Tensor  # (n, 15) int64, the color that was drawn for each thing: its number in the palette

    def rgb(self) -> Tensor:
        """Return the scenes as sRGB pictures, (n, 3, S, S) float32 in [0, 1]."""
        return lab_to_rgb(torch.cat((self.lightness[:, None], self.ab), dim=1))


class ToyWorld:
    """Scenes of sky, grass, fruit and balloons, and the best colorization of each.

    ``kinds`` are the names of the kinds, in the order of their numbers; ``palettes`` maps each name to its
    :class:`Palette`. One color is drawn for each thing, apart from all others: its pixels share a and b.

    Parameters
    ----------
    size : S, pixels along each side, 24 or above; anything else is a ValueError.

    >>> world = ToyWorld()
    >>> rgb, kind = world.batch(4, seed=0)  # (4, 3, 48, 48) and (4, 48, 48)
    >>> world.kinds[kind[0, 0, 0]]
    'sky'
    """

    def __init__(self, size: int = 48) -> None:
        if not isinstance(size, Integral) or size < SMALLEST:
            raise ValueError(f"size must be a whole number, {SMALLEST} or above, got {size!r}")
        self.size: int = int(size)
        self.kinds: tuple[str, ...] = tuple(kind.name for kind in KINDS)
        self.palettes: dict[str, Palette] = {
            kind.name: Palette([c[:2] for c in kind.palette], [c[2] for c in kind.palette]) for kind in KINDS
        }

    def batch(self, n: int, seed: int, color_seed: int | None = None) -> tuple[Tensor, Tensor]:
        """Draw n scenes.

        Parameters
        ----------
        n : 1 or above.
        seed : decides everything: the same seed and n give the same scenes.
        color_seed : decides the colors alone; ``seed`` when left out. Two color seeds give two colorizations of the same
            gray pictures, and no way to tell which is right.

        Returns
        -------
        rgb : (n, 3, S, S) float32 in [0, 1].
        kind : (n, S, S) int64, the number of the kind at each pixel.

        Raises
        ------
        ValueError if n is no whole number of 1 or above.
        """
        blocks = [(block.rgb(), block.kind) for block in self._blocks(n, seed, color_seed)]
        rgb, kind = (torch.cat(parts) for parts in zip(*blocks, strict=True))
        return rgb, kind

    def scenes(self, n: int, seed: int, color_seed: int | None = None) -> Scenes:
        """Draw the scenes of :meth:`batch`, with everything that is known about them. Parameters and errors as there."""
        blocks = [vars(block).values() for block in self._blocks(n, seed, color_seed)]
        return Scenes(*(torch.cat(parts) for parts in zip(*blocks, strict=True)))

    def _blocks(self, n: int, seed: int, color_seed: int | None) -> Iterator[Scenes]:
        if not isinstance(n, Integral) or n < 1:
            raise ValueError(f"n must be a whole number, 1 or above, got {n!r}")
        # Two streams that have nothing in common: were they one, the place of a thing could tell its color.
        layout, colors = _stream(0, seed), _stream(1, seed if color_seed is None else color_seed)
        palettes = self.palettes.values()
        most = max(len(palette.colors) for palette in palettes)
        limits = np.full(
            (len(palettes), most), 2.0
        )  # a random number skips the colors whose limits it reaches
        paint = np.zeros((len(palettes), most, 2), dtype=np.float32)
        for k, palette in enumerate(palettes):
            limits[k, : len(palette.colors) - 1] = palette.probabilities.cumsum(0)[:-1]
            paint[k, : len(palette.colors)] = palette.colors
        low, high = np.array([kind.lightness for kind in KINDS], dtype=np.float32).T
        for start in range(0, n, BLOCK):
            thing, shade, kinds = draw(min(BLOCK, n - start), self.size, layout)
            choices = (colors.random(kinds.shape)[..., None] >= limits[kinds]).sum(axis=-1)
            pixel = torch.from_numpy(thing).flatten(1)

            def look_up(values: np.ndarray, pixel=pixel, shape=thing.shape) -> Tensor:  # (n, 15) -> (n, S, S)
                return torch.from_numpy(np.ascontiguousarray(values)).gather(1, pixel).view(shape)

            lightness = look_up(low[kinds]) + torch.from_numpy(shade) * look_up((high - low)[kinds])
            ab = torch.stack([look_up(axis) for axis in np.moveaxis(paint[kinds, choices], -1, 0)], dim=1)
            yield Scenes(lightness, ab, look_up(kinds), *map(torch.from_numpy, (thing, kinds, choices)))

    def palette(self, kind: int | str) -> Palette:
        """Palette of a kind, by its name or number. ValueError if there is no such kind."""
        if isinstance(kind, Integral) and 0 <= kind < len(self.kinds):
            return self.palettes[self.kinds[kind]]
        if isinstance(kind, str) and kind in self.palettes:
            return self.palettes[kind]
        raise ValueError(f"kind must be one of {', '.join(self.kinds)}, or its number, got {kind!r}")

    def posterior(self, kind: Tensor, soft: bool = False, bin_weight: Tensor | None = None) -> Tensor:
        """Best distribution at each pixel, (n, S, S) -> (n, 313, S, S) float32. See :meth:`Palette.posterior`.

        2.9 MB for a scene of 48 pixels. ValueError if kind is no map of kinds.
        """
        table = [palette.posterior(soft, bin_weight) for palette in self.palettes.values()]
        return self._spread(torch.stack(table), kind)

    def mean_ab(self, kind: Tensor) -> Tensor:
        """Mean color at each pixel, the best answer under L2: (n, S, S) -> (n, 2, S, S) float32. Errors as above."""
        return self._spread(torch.stack([palette.mean() for palette in self.palettes.values()]), kind)

    def cross_entropy_floor(
        self, kind: Tensor, soft: bool = False, bin_weight: Tensor | None = None
    ) -> float:
        """Least expected cross-entropy, in nats, averaged over the pixels of the map (n, S, S): a training run ends above it."""
        table = [[palette.cross_entropy_floor(soft, bin_weight)] for palette in self.palettes.values()]
        return (
            self._spread(torch.tensor(table, dtype=torch.float64, device="cpu"), kind).double().mean().item()
        )

    def shares(self, n: int = 1000, seed: int = 0) -> Tensor:
        """Share of each kind among the pixels, (kinds,) float64, sums to 1: counted in n scenes."""
        kind = torch.cat([block.kind.flatten() for block in self._blocks(n, seed, None)])
        return torch.bincount(kind, minlength=len(self.kinds)).double() / kind.numel()

    def _spread(self, table: Tensor, kind: Tensor) -> Tensor:
        """(kinds, C) -> (n, C, S, S): look up the row of each pixel's kind."""
        if not isinstance(kind, Tensor) or kind.ndim != 3 or kind.dtype != torch.int64:
            got = f"{tuple(kind.shape)} {kind.dtype}" if isinstance(kind, Tensor) else type(kind).__name__
            raise ValueError(f"kind must be a map (n, S, S) of torch.int64, got {got}")
        if kind.numel() and not 0 <= kind.min() <= kind.max() < len(self.kinds):
            raise ValueError(f"kind must lie in 0..{len(self.kinds) - 1}, got {kind.min()} to {kind.max()}")
        return table.float().to(kind.device)[kind].movedim(-1, 1)


def _stream(number: int, seed: int) -> np.random.Generator:
    return np.random.default_rng((number, seed % 2**64))


def total_variation(p: Tensor, q: Tensor) -> Tensor:
    """Total variation between distributions, half the sum of ``|p - q|``: 0 if they are equal, 1 if they share no bin.

    Parameters
    ----------
    p, q : (Q,), or maps (N, Q, H, W).

    Returns
    -------
    One number, or (N, H, W). ValueError for other shapes.

    >>> total_variation(torch.tensor([0.5, 0.5]), torch.tensor([0.5, 0.3]))
    tensor(0.1000)
    """
    if p.shape != q.shape or p.ndim not in (1, 4):
        raise ValueError(
            f"p and q must both be (Q,), or both (N, Q, H, W), got {tuple(p.shape)} and {tuple(q.shape)}"
        )
    return (p - q).abs().sum(dim=0 if p.ndim == 1 else 1) / 2
