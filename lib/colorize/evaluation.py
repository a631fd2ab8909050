"""How well does a network color photos that it has never seen? Its numbers, beside those of doing nothing.

Two baselines need no network: gray, and one constant color, the mean of the evaluated photos. A method that is not better
than they are has learned nothing.
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
from .metrics import auc, mean_chroma, psnr
from .prior import color_prior


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


def numbers(ab: Tensor, photos: Tensor) -> dict[str, float]:
    """Compare predicted ab, (N, 2, H, W), with the true colors of photos, (N, 3, H, W).

    Returns
    -------
    raw_auc, rebalanced_auc : in percent; rebalanced weighs each pixel by 1 / (share of its true bin in these photos).
    psnr : mean over the photos, in dB.
    chroma : mean, in ab units.
    skies : of the pixels that are truly blue (b < -10) and bright (L > 40), the percentage that got b < 0;
    blue : the same of all pixels. A network that paints everything blue has both high.
    greens, green : likewise, truly green (a < -10, b > 0), got a < 0. NaN where no pixel is truly so.
    """
    lab = rgb_to_lab(photos)
    lightness, true_ab = lab[:, :1], lab[:, 1:]
    weight = 1 / color_prior(true_ab)[nearest_bin(true_ab)]  # infinite only where no true pixel is
    is_sky = (true_ab[:, 1] < -10) & (lab[:, 0] > 40)
    is_green = (true_ab[:, 0] < -10) & (true_ab[:, 1] > 0)
    blue, green = ab[:, 1] < 0, ab[:, 0] < 0
    found = {
        "raw_auc": 100 * auc(ab, true_ab),
        "rebalanced_auc": 100 * auc(ab, true_ab, weight),
        "psnr": psnr(paint(lightness, ab), photos).mean().item(),
        "chroma": mean_chroma(ab).mean().item(),
        "skies": 100 * blue[is_sky].float().mean().item(),
        "blue": 100 * blue.float().mean().item(),
        "greens": 100 * green[is_green].float().mean().item(),
        "green": 100 * green.float().mean().item(),
    }
    return {name: round(value, 2) for name, value in found.items()}


def baselines(photos: Tensor) -> dict[str, dict[str, float]]:
    """Numbers of the true colors, of gray, and of the photos' own mean color everywhere."""
    true_ab = rgb_to_lab(photos)[:, 1:]
    constant = true_ab.mean(dim=(0, 2, 3), keepdim=True).expand_as(true_ab)
    candidates = {"truth": true_ab, "gray": torch.zeros_like(true_ab), "constant": constant}
    return {name: numbers(ab, photos) for name, ab in candidates.items()}
