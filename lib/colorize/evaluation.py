"""How well does a network color photos that it has never seen? Its numbers, beside those of doing nothing.

Three baselines need no network: gray, the colors of another photo, and one constant color, the mean of the evaluated photos.
A method that is not better than they are has learned nothing.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from .bins import nearest_bin
from .colorizer import Colorizer
from .datasets import is_gray, read_photos
from .decode import annealed_mean, paint
from .images import resize, square
from .lab import rgb_to_lab
from .metrics import auc, colorfulness, mean_chroma, psnr, rmse_alpha_beta
from .prior import color_prior

Scores = dict[str, tuple[Tensor, Tensor]]


def validation_photos(files: Sequence[Path], size: int) -> Tensor:
    """Read photos as squares of one size, gray ones left out: (N, 3, size, size) float in [0, 1]."""
    photos = torch.stack([square(photo, size) for photo in read_photos(files)])
    return photos[~is_gray(photos)]


def predict(
    colorizer: Colorizer, photos: Tensor, temperatures: Sequence[float], batch: int = 16
) -> dict[float, Tensor]:
    """Predict ab, (N, 2, S, S), of square photos at several temperatures from one pass of the network.

    The network looks at them at its own size, and its answer is enlarged, as :meth:`Colorizer.paint` does. Regression
    knows one temperature: 1.
    """
    found: dict[float, list[Tensor]] = {T: [] for T in temperatures}
    for part in photos.split(batch):
        lightness = rgb_to_lab(part)[:, :1]
        if colorizer.size != part.shape[-1]:
            lightness = resize(lightness / 100, colorizer.size) * 100
        with torch.inference_mode():
            answer = colorizer.network(lightness)
        for T, parts in found.items():
            ab = answer if answer.shape[1] == 2 else annealed_mean(answer, T)
            parts.append(
                torch.nn.functional.interpolate(ab, part.shape[2:], mode="bilinear", align_corners=False)
            )
    return {T: torch.cat(parts) for T, parts in found.items()}


def scores(ab: Tensor, photos: Tensor) -> Scores:
    """Compare predicted ab, (N, 2, H, W), with the true colors of photos, (N, 3, H, W), photo by photo.

    Returns
    -------
    For each measure its share of each photo: a sum and what it is divided by, (N,) float64 each, so that the measure of a
    set of photos is the quotient of the two totals.

    raw_auc, rebalanced_auc : in percent; rebalanced weighs each pixel by 1 / (share of its true bin in these photos).
    rmse : in alpha-beta, see :func:`colorize.metrics.rmse_alpha_beta`.
    psnr : in dB.
    chroma : in ab units. colorfulness : on its authors' scale.
    skies : of the pixels that are truly blue (b < -10) and bright (L > 40), the percentage that got b < 0;
    blue : the same of all pixels. A network that paints everything blue has both high.
    greens, green : likewise, truly green (a < -10, b > 0), got a < 0.
    """
    lab = rgb_to_lab(photos)
    lightness, true_ab = lab[:, :1], lab[:, 1:]
    painted = paint(lightness, ab)
    weight = (1 / color_prior(true_ab))[nearest_bin(true_ab)]  # infinite only where no true pixel is
    is_sky = (true_ab[:, 1] < -10) & (lab[:, 0] > 40)
    is_green = (true_ab[:, 0] < -10) & (true_ab[:, 1] > 0)
    blue, green, every = ab[:, 1] < 0, ab[:, 0] < 0, torch.ones_like(is_sky)
    alone = [slice(k, k + 1) for k in range(len(ab))]
    mean = torch.ones(len(ab), dtype=torch.float64)  # every photo counts the same
    total = weight.double().sum(dim=(1, 2))
    raw = torch.tensor([auc(ab[k], true_ab[k]) for k in alone], dtype=torch.float64)
    rebalanced = torch.tensor([auc(ab[k], true_ab[k], weight[k]) for k in alone], dtype=torch.float64)
    rmse = torch.tensor([rmse_alpha_beta(painted[k], photos[k]) for k in alone], dtype=torch.float64)

    def share(found: Tensor, among: Tensor) -> tuple[Tensor, Tensor]:
        return 100 * (found & among).double().sum(dim=(1, 2)), among.double().sum(dim=(1, 2))

    return {
        "raw_auc": (100 * raw, mean),
        "rebalanced_auc": (100 * rebalanced * total, total),
        "rmse": (rmse, mean),
        "psnr": (psnr(painted, photos).double(), mean),
        "chroma": (mean_chroma(ab).double(), mean),
        "colorfulness": (colorfulness(painted).double(), mean),
        "skies": share(blue, is_sky),
        "blue": share(blue, every),
        "greens": share(green, is_green),
        "green": share(green, every),
    }


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


def baselines(photos: Tensor) -> dict[str, Tensor]:
    """What needs no network, ab (N, 2, H, W): the truth, gray, another photo's colors, the photos' mean color."""
    true_ab = rgb_to_lab(photos)[:, 1:]
    return {
        "truth": true_ab,
        "gray": torch.zeros_like(true_ab),
        "random": true_ab.roll(1, dims=0),  # each photo gets the colors of the one before it
        "constant": true_ab.mean(dim=(0, 2, 3), keepdim=True).expand_as(true_ab),
    }
