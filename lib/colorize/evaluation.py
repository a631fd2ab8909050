"""How well does a network color photos that it has never seen? Its numbers, beside those of doing nothing.

Three baselines need no network: gray, the colors of another photo, and one constant color, the mean of the evaluated photos.
A method that is not better than they are has learned nothing.
"""

import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from .colorizer import Colorizer, decoded
from .datasets import is_gray, read_photos
from .images import resize, square
from .lab import rgb_to_lab
from .metrics import area
from .prior import color_prior
from .streaming import bin_weights, curve, in_turn, parts, tally

Scores = dict[str, tuple[Tensor, Tensor]]


def validation_photos(files: Sequence[Path], size: int) -> Tensor:
    """Read photos as squares of one size, gray ones left out: (N, 3, size, size) float in [0, 1]. ValueError if none is left."""
    photos = [photo for found in read_photos(files) if not is_gray(photo := square(found, size)[None])]
    if not photos:
        raise ValueError(f"none of {len(files)} files is a readable photo with color")
    return torch.cat(photos)


def predict(
    colorizer: Colorizer, photos: Tensor, temperatures: Sequence[float], batch: int = 16
) -> dict[float, Tensor]:
    """Predict ab, (N, 2, S, S) on the CPU, of square photos at several temperatures from one pass of the network.

    The network looks at them at its own size, on its own device, and its answer is enlarged, as :meth:`Colorizer.paint`
    does. Regression knows one temperature: 1.
    """
    found: dict[float, list[Tensor]] = {T: [] for T in temperatures}
    device = next(colorizer.network.parameters()).device
    for part in photos.split(batch):
        lightness = rgb_to_lab(part)[:, :1].to(device)
        is_small = colorizer.size == part.shape[-1]
        with torch.inference_mode():
            seen = lightness if is_small else resize(lightness / 100, colorizer.size) * 100
            answer = colorizer.network(seen)
        for T, answers in found.items():
            ab = decoded(colorizer.network, answer, lightness, T)
            answers.append(F.interpolate(ab, part.shape[2:], mode="bilinear", align_corners=False).cpu())
    return {T: torch.cat(answers) for T, answers in found.items()}


def scores(ab: Tensor, photos: Tensor, prior: Tensor | None = None) -> Scores:
    """Compare predicted ab, (N, 2, H, W), with the true colors of photos, (N, 3, H, W), photo by photo.

    Parameters
    ----------
    prior : (313,), share of each bin among the true colors of the whole set; counted in these photos if it is not given.

    Returns
    -------
    For each measure its share of each photo: a sum and what it is divided by, (N,) float64 each, so that the measure of a
    set of photos is the quotient of the two totals.

    raw_auc, rebalanced_auc : in percent; rebalanced weighs each pixel by 1 / (share of its true bin in the set).
    rmse : in alpha-beta, see :func:`colorize.metrics.rmse_alpha_beta`.
    psnr : in dB.
    chroma : in ab units. colorfulness : on its authors' scale.
    skies : of the pixels that are truly blue (b < -10) and bright (L > 40), the percentage that got b < 0;
    blue : the same of all pixels. A network that paints everything blue has both high.
    greens, green : likewise, truly green (a < -10, b > 0), got a < 0.

    Raises
    ------
    ValueError for other shapes, values that are not finite, or a prior that is 0 for a color that occurs.
    """
    return _scores(ab, photos, rgb_to_lab(photos), prior)


def _scores(ab: Tensor, photos: Tensor, lab: Tensor, prior: Tensor | None) -> Scores:
    weight = bin_weights(color_prior(lab[:, 1:]) if prior is None else prior)
    found = [_photos(pred, true, seen, weight) for pred, true, seen in in_turn(ab, photos, lab)]
    measured = {name: torch.cat([one[name] for one in found]) for name in found[0]}
    every, rarity = torch.ones(len(ab), dtype=torch.float64), measured.pop("rarity")
    divided_by = {name: rarity if name == "rebalanced_auc" else every for name in measured}
    shares = {name: (values * divided_by[name], divided_by[name]) for name, values in measured.items()}
    return shares | _shares(ab, lab)


def _photos(ab: Tensor, photos: Tensor, lab: Tensor, weight: Tensor) -> dict[str, Tensor]:
    """Measures of each photo, (N,) float64 on the CPU, and the summed weights of its pixels, each by its true bin."""
    found = parts(ab, photos, lab)
    counts = tally(found["cells"])
    weight, pixels = weight.to(counts.device), counts.sum(dim=2).double()  # (313,), (N, 313)
    if pixels[:, weight == 0].any():
        raise ValueError("prior must be above 0 for each bin that occurs in the photos")
    measured = {
        "raw_auc": 100 * area(curve(counts)),
        "rebalanced_auc": 100 * area(curve(counts, weight)),
        "rmse": found["errors"].mean(dim=(1, 2), dtype=torch.float64),
        "psnr": found["psnr"],
        "chroma": found["chroma"],
        "colorfulness": found["colorfulness"],
        "rarity": pixels @ weight,
    }
    return {name: values.double().cpu() for name, values in measured.items()}


def _shares(ab: Tensor, lab: Tensor) -> Scores:
    """How many of the blue and the green pixels got their color, and how many of all pixels got it."""
    lightness, true_a, true_b = lab.unbind(dim=1)
    is_sky, is_green = (true_b < -10) & (lightness > 40), (true_a < -10) & (true_b > 0)
    blue, green, every = ab[:, 1] < 0, ab[:, 0] < 0, torch.ones_like(is_sky)
    asked = {
        "skies": (blue, is_sky),
        "blue": (blue, every),
        "greens": (green, is_green),
        "green": (green, every),
    }

    def count(where: Tensor) -> Tensor:
        return where.double().sum(dim=(1, 2)).cpu()

    return {name: (100 * count(got & among), count(among)) for name, (got, among) in asked.items()}


def numbers(found: Scores) -> dict[str, float]:
    """Put the shares of all photos together: one number for each measure, NaN where there is nothing to divide by."""
    return {name: round((above.sum() / below.sum()).item(), 2) for name, (above, below) in found.items()}


def intervals(
    found: Scores, other: Scores | None = None, draws: int = 1000, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """How far would the numbers move with other photos of the same kind? Intervals that hold 95 % of resampled sets.

    Bootstrap: as many photos as there are, drawn with replacement, again and again. With ``other``, of the differences to
    another method on the same photos, which vary less than either.

    >>> quiet = {"psnr": (torch.full((9,), 20.0), torch.ones(9))}
    >>> intervals(quiet)
    {'psnr': (20.0, 20.0)}
    """
    n = len(next(iter(found.values()))[0])
    drawn = torch.randint(n, (draws, n), generator=torch.Generator().manual_seed(seed))

    def resampled(scores: Scores, name: str) -> Tensor:
        above, below = scores[name]
        return above[drawn].sum(dim=1) / below[drawn].sum(dim=1)  # (draws,)

    result = {}
    for name in found:
        values = resampled(found, name) - (resampled(other, name) if other else 0)
        low, high = values.nanquantile(torch.tensor([0.025, 0.975], dtype=values.dtype)).tolist()
        result[name] = round(low, 2), round(high, 2)
    return result


def compare(
    colorizers: Mapping[str, Colorizer],
    photos: Tensor,
    temperatures: Sequence[float] = (1.0, 0.38),
    batch: int = 32,
    progress: bool = False,
) -> dict[str, Scores]:
    """Score networks and baselines on the same photos, a few at a time.

    Parameters
    ----------
    colorizers : by the names that their rows get.
    photos : (N, 3, S, S) in [0, 1].
    temperatures : each gives a row "NAME, T = ..." to a network that answers with distributions. Regression has one row.

    Returns
    -------
    A row for each baseline, then for each network, in their order.
    """
    batches = photos.split(batch)
    weights = [part.numel() / photos.numel() for part in batches]
    ab = [rgb_to_lab(part)[:, 1:] for part in batches]
    prior = sum(weight * color_prior(part) for weight, part in zip(weights, ab, strict=True))
    mean = sum(weight * part.mean(dim=(0, 2, 3)) for weight, part in zip(weights, ab, strict=True))
    others = torch.cat(ab).roll(1, dims=0).split(batch)  # each photo gets the colors of the one before it
    del ab
    found: dict[str, list[Scores]] = {}
    for part, other in zip(tqdm(batches, disable=None if progress else True), others, strict=True):
        lab = rgb_to_lab(part)
        true_ab = lab[:, 1:]
        rows = {"truth": true_ab, "gray": torch.zeros_like(true_ab)}
        if len(photos) > 1:
            rows["random"] = other
        rows["constant"] = mean.view(1, 2, 1, 1).expand_as(true_ab)
        for name, colorizer in colorizers.items():
            regression = colorizer.network.outputs == 2
            answers = predict(colorizer, part, temperatures[:1] if regression else temperatures)
            rows |= {name if regression else f"{name}, T = {T:g}": answer for T, answer in answers.items()}
        for name, answer in rows.items():
            found.setdefault(name, []).append(_scores(answer, part, lab, prior))
    return {name: _joined(rows) for name, rows in found.items()}


def effort(colorizer: Colorizer, photos: Tensor, most: int = 8) -> dict[str, float]:
    """What a network costs: its ``parameters``, and the ``seconds`` in which it colors one photo, from pixels to pixels.

    The seconds are the median over the first ``most`` of ``photos``, (N, 3, H, W), one at a time, after one that does not
    count. They hold for this machine, and for the moment.
    """
    taken = []
    for photo in (photos[0], *photos[:most]):
        start = time.perf_counter()
        colorizer.colorize(photo, colorizer.temperature)
        taken.append(time.perf_counter() - start)
    numbers = sum(p.numel() for p in colorizer.network.parameters())
    return {"parameters": numbers, "seconds": round(statistics.median(taken[1:]), 4)}


def _joined(parts: list[Scores]) -> Scores:
    """Put the shares of several sets of photos behind one another."""
    values = {key: torch.cat([part[key][0] for part in parts]) for key in parts[0]}
    return {key: (values[key], torch.cat([part[key][1] for part in parts])) for key in parts[0]}
