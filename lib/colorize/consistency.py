"""Does a thing keep its color from one frame to the next? A window that pans over a photo, and two measures.

A window that moves over one photo is the simplest film: nothing in it moves by itself, and where each point of a frame stands in
the next is known exactly. So a change of its color is flicker and nothing else.

>>> frames = pan(torch.arange(6.0).expand(3, 2, 6), size=2, step=2)
>>> frames.shape
torch.Size([3, 3, 2, 2])
>>> flicker(frames[0, :2], frames[1, :2], 1)  # a thing seen at x = 1 in the first frame and 0 in the second: 1 and 2, both channels
1.4142135381698608
"""

import torch
from torch import Tensor

GAPS = (1, 2, 4)  # frames between two that are compared, as reported for CDC


def offsets(width: int, size: int, step: int) -> list[int]:
    """Left edges of a window of ``size`` pixels that moves by ``step`` over ``width`` pixels: 0, step, ..."""
    if not 1 <= size <= width or step < 1:
        raise ValueError(
            f"a window of 1 to {width} pixels and a step of 1 or more are needed, got {size}, {step}"
        )
    return list(range(0, width - size + 1, step))


def pan(image: Tensor, size: int, step: int) -> Tensor:
    """Move a square window from left to right, halfway up: (C, H, W) -> frames (T, C, size, size).

    Raises
    ------
    ValueError if the window does not fit, or step is below 1.
    """
    height, width = image.shape[-2:]
    if size > height:
        raise ValueError(f"a window of {size} pixels does not fit into {height} rows")
    top = (height - size) // 2
    return torch.stack([image[..., top : top + size, x : x + size] for x in offsets(width, size, step)])


def flicker(first: Tensor, second: Tensor, step: int) -> float:
    """Mean distance of a point's colors in two frames, where the window has moved ``step`` pixels to the right.

    Parameters
    ----------
    first, second : ab, (2, H, W).
    step : pixels, from 0 to below W. Column ``x + step`` of the first frame is column ``x`` of the second.

    Returns
    -------
    float, in ab units; 0 for frames of one colored photo.

    Raises
    ------
    ValueError for other shapes, or a step that leaves no common column.
    """
    if first.shape != second.shape or first.ndim != 3 or first.shape[0] != 2:
        raise ValueError(f"frames must both be (2, H, W), got {tuple(first.shape)} and {tuple(second.shape)}")
    width = first.shape[2]
    if not 0 <= step < width:
        raise ValueError(f"step must be 0 to {width - 1}, got {step}")
    return (first[..., step:] - second[..., : width - step]).norm(dim=0).mean().item()


def averaged(frames: Tensor, step: int, reach: int) -> Tensor:
    """Average each point over the frames that show it: (T, C, H, W) -> the same shape.

    Frame t takes the mean over frames t - reach to t + reach, each shifted to where its points stand in frame t; a point that some
    of them do not show is averaged over the others.

    Parameters
    ----------
    step : pixels by which the window moves from frame to frame.
    reach : frames to each side; 0 changes nothing.

    Raises
    ------
    ValueError if frames are not (T, C, H, W), step is below 1 or reach below 0.
    """
    if frames.ndim != 4 or step < 1 or reach < 0:
        shape = tuple(frames.shape)
        raise ValueError(
            f"frames (T, C, H, W), step >= 1 and reach >= 0 are needed, got {shape}, {step}, {reach}"
        )
    total, count = torch.zeros_like(frames), torch.zeros_like(frames)
    number, width = len(frames), frames.shape[3]
    for t in range(number):
        for other in range(max(0, t - reach), min(number, t + reach + 1)):
            shift = step * (other - t)  # the window's way from frame t to the other
            low, high = (
                max(0, shift),
                min(width, width + shift),
            )  # columns of frame t that the other shows, too
            if low < high:
                total[t, ..., low:high] += frames[other, ..., low - shift : high - shift]
                count[t, ..., low:high] += 1
    return total / count


def histograms(rgb: Tensor, bins: int = 256) -> Tensor:
    """How often each value of each channel occurs: (T, 3, H, W) in [0, 1] -> (T, 3, bins) float64, rows sum to 1.

    Values beyond 0 and 1 count as 0 and 1.

    Raises
    ------
    ValueError for another shape, no pixels, whole numbers (0 to 255, most likely), NaN, or bins below 1.
    """
    if rgb.ndim != 4 or not rgb.numel() or bins < 1:
        raise ValueError(f"rgb must be (T, C, H, W), and bins 1 or more, got {tuple(rgb.shape)}, {bins}")
    if not rgb.is_floating_point() or rgb.isnan().any():
        raise ValueError(f"rgb must hold numbers in [0, 1], got {rgb.dtype}, or NaN among them")
    cell = (rgb.clamp(0, 1) * bins).long().clamp(max=bins - 1).flatten(2)  # (T, 3, pixels)
    counts = torch.zeros(*cell.shape[:2], bins, dtype=torch.float64)
    counts.scatter_add_(2, cell, torch.ones_like(cell, dtype=torch.float64))
    return counts / cell.shape[2]


def jensen_shannon(p: Tensor, q: Tensor) -> Tensor:
    """Jensen-Shannon divergence of distributions along the last dimension: (..., K) twice -> (...), in nats, 0 to ln 2.

    With m the mean of p and q, the mean of KL(p || m) and KL(q || m); 0 ln 0 is 0.

    >>> jensen_shannon(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))  # nothing in common: ln 2
    tensor(0.6931)
    """
    if p.shape != q.shape:
        raise ValueError(f"p and q must have one shape, got {tuple(p.shape)} and {tuple(q.shape)}")
    middle = (p + q) / 2
    entropy = torch.special.entr
    return (entropy(middle) - (entropy(p) + entropy(q)) / 2).sum(dim=-1).clamp(min=0)


def cdc(rgb: Tensor, gaps: tuple[int, ...] = GAPS, bins: int = 256) -> float:
    """Color distribution consistency of a film: (T, 3, H, W) in [0, 1] -> float in nats, 0 if its colors stay.

    The Jensen-Shannon divergence of the histograms of R, G and B of two frames, averaged over the channels, over all pairs of frames that
    are a gap apart, and over the gaps 1, 2 and 4. Reported for videos (TCVC; the challenge NTIRE 2023 ranked by it); natural
    logarithms and 256 bins are our reading.

    Raises
    ------
    ValueError if there are not more frames than the largest gap, or a gap is below 1.
    """
    if not gaps or min(gaps) < 1:
        raise ValueError(f"gaps must be 1 or more frames, got {gaps}")
    if len(rgb) <= max(gaps):
        raise ValueError(f"cdc with gaps {gaps} needs more than {max(gaps)} frames, got {len(rgb)}")
    found = histograms(rgb, bins)
    return torch.stack([jensen_shannon(found[gap:], found[:-gap]).mean() for gap in gaps]).mean().item()
