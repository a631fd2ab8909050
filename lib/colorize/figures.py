"""Figures of the lessons: one way to show them, and the few kinds that return."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image, ImageChops
from scipy.spatial import ConvexHull
from torch import Tensor

from .bins import srgb_hull
from .images import to_tensor, to_uint8
from .lab import lab_to_rgb, lab_to_xyz, xyz_to_linear

STYLE: dict[Any, Any] = {
    "figure.dpi": 100,
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
UNSEEN = 8  # levels of 255, by which a palette may change a plot
AB = 115  # the ab plane is drawn from -AB to AB on both axes


def show(fig: Figure, alt: str, caption: str) -> None:
    """Display a figure as a standard picture output with a visible caption below it, and close it.

    Parameters
    ----------
    fig : the figure.
    alt : what the figure shows, for those who cannot see it; kept in the output's metadata and as its plain text.
    caption : what to see in it, one or two sentences of Markdown.

    Raises
    ------
    ValueError if alt or caption is empty.
    """
    if not alt.strip() or not caption.strip():
        raise ValueError("a figure needs an alt text and a caption")
    try:
        kind, file = _encode(_render(fig))
    finally:
        plt.close(fig)
    display({f"image/{kind}": file, "text/plain": alt}, metadata={f"image/{kind}": {"alt": alt}}, raw=True)
    display({"text/markdown": caption, "text/plain": caption}, raw=True)


def _render(fig: Figure) -> io.BytesIO:
    """Draw a figure, once: to draw takes longer than to encode. A PNG, packed loosely."""
    buffer = io.BytesIO()
    with plt.rc_context(STYLE):
        fig.savefig(buffer, format="png", dpi=100, bbox_inches="tight", pil_kwargs={"compress_level": 1})
    return buffer


def _encode(loose: io.BytesIO) -> tuple[str, bytes]:
    """Plots are small as PNG. Photos are several times smaller as JPEG, and a repository of lessons has to stay light."""
    pixels = Image.open(loose).convert("RGB")
    jpeg = _jpeg(pixels)
    # Tight packing and 256 colors make a sixth of a loose PNG at best: where that is not enough, it need not be tried.
    if 9 * len(jpeg) < loose.getbuffer().nbytes:
        return "jpeg", jpeg
    png = _png(pixels)
    return ("jpeg", jpeg) if 1.5 * len(jpeg) < len(png) else ("png", png)


def _jpeg(pixels: Image.Image) -> bytes:
    buffer = io.BytesIO()
    # No subsampling of color: color is the subject.
    pixels.save(buffer, "JPEG", quality=85, subsampling=0, optimize=True, progressive=True, dpi=(100, 100))
    return buffer.getvalue()


def _png(pixels: Image.Image) -> bytes:
    """Encode a picture with 256 colors where nobody can see it: plots come out at a third of the size."""
    few = pixels.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    change = np.max(ImageChops.difference(pixels, few.convert("RGB")).getextrema())
    buffer = io.BytesIO()
    # Pillow writes no "Software" entry, which would put Matplotlib's version into the notebook.
    (few if change <= UNSEEN else pixels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def panels(
    rows: int = 1, columns: int = 1, size: tuple[float, float] = (3.0, 3.0)
) -> tuple[Figure, np.ndarray]:
    """Make a grid of axes in the course's style: the figure and a flat array of axes. ``size`` is inches a panel."""
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(
            rows, columns, figsize=(size[0] * columns, size[1] * rows), squeeze=False, layout="constrained"
        )
    return fig, axes.ravel()


def picture(ax: Axes, image: Tensor, title: str = "") -> None:
    """Draw one picture, (3, H, W) or (1, H, W), float in [0, 1] or uint8, without axes."""
    ax.imshow(
        to_uint8(to_tensor(image.detach().clamp(0, 255 if image.dtype == torch.uint8 else 1))),
        interpolation="nearest",
    )
    ax.set_axis_off()
    ax.set_title(title)


def pictures(
    images: Sequence[Tensor], titles: Sequence[str], columns: int = 5, inches: float = 2.2
) -> Figure:
    """Draw pictures (3, H, W) side by side, each with a title: say a number in it, not everyone sees the colors."""
    if not len(images) == len(titles) > 0:
        raise ValueError(f"every picture needs a title, got {len(images)} pictures and {len(titles)} titles")
    rows = -(-len(images) // columns)
    height, width = images[0].shape[-2:]
    fig, axes = panels(rows, min(columns, len(images)), (inches, inches * height / width + 0.3))
    for ax in axes[len(images) :]:
        ax.set_axis_off()
    for ax, image, title in zip(axes, images, titles, strict=False):
        picture(ax, image, title)
    return fig


def name_row(ax: Axes, name: str) -> None:
    """Write what a row of pictures shows: upright, to the left of its first panel."""
    ax.text(-0.06, 0.5, name, transform=ax.transAxes, rotation=90, ha="right", va="center")


def training_curve(
    losses: Sequence[float],
    band: tuple[Tensor, Tensor, Tensor] | None = None,
    floor: float | None = None,
    unit: str = "loss",
    window: int = 50,
) -> Figure:
    """Draw the running mean of a training's loss, over the band that other runs have filled.

    Parameters
    ----------
    losses : the loss of each step.
    band : steps (k,), lowest and highest smoothed loss (k,) of the other runs, or None.
    floor : the least that the loss can reach in the mean, drawn as a dashed line, or None.
    unit : label of the loss axis.
    window : steps of the running mean, which begins at the first full window.
    """
    fig, (ax,) = panels(1, 1, (5.4, 2.8))
    sums = torch.tensor([0.0, *losses], dtype=torch.float64).cumsum(0)
    if len(losses) >= window:
        smooth = (sums[window:] - sums[:-window]) / window
        ax.plot(range(window, len(losses) + 1), smooth, color="C0", label="this run")
    if band is not None:
        ax.fill_between(*band, color="C1", alpha=0.45, linewidth=0, label="our three seeds")
    if floor is not None:
        ax.axhline(floor, color="0.3", linestyle="--", linewidth=1, label=f"floor {floor:.3g}")
    ax.set(xlabel=f"step (mean of the last {window})", ylabel=unit)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False)
    return fig


def ab_plane(ax: Axes, title: str = "", lightness: float | None = 65.0) -> None:
    """Set up the ab plane: labels, equal units, the outline of sRGB and, faintly, its colors at one lightness."""
    if lightness is not None:
        ax.imshow(_plane(lightness), extent=(-AB, AB, -AB, AB), origin="lower", alpha=0.45)
    hull = srgb_hull().numpy()
    outline = hull[_outline(hull)]
    ax.plot(*outline.T, color="0.25", linewidth=1)
    ax.set(xlim=(-AB, AB), ylim=(-AB, AB), aspect="equal", title=title)
    ax.set_xlabel("a  (green – red)")
    ax.set_ylabel("b  (blue – yellow)")


def _outline(points: np.ndarray) -> np.ndarray:
    corners = ConvexHull(points).vertices
    return np.append(corners, corners[0])


def _plane(lightness: float, samples: int = 231) -> np.ndarray:
    """Colors of the ab plane at one L, (samples, samples, 4) RGBA, b upwards; transparent where sRGB has none."""
    axis = torch.linspace(-AB, AB, samples)
    b, a = torch.meshgrid(axis, axis, indexing="ij")
    lab = torch.stack((torch.full_like(a, lightness), a, b))
    linear = xyz_to_linear(lab_to_xyz(lab))
    inside = ((linear >= 0) & (linear <= 1)).all(dim=0, keepdim=True)
    return torch.cat((lab_to_rgb(lab), inside.float())).movedim(0, -1).numpy()
