"""Answers to the exercises of lesson 13, right and wrong, as different people might write them."""

import itertools
import math

import numpy as np
import torch
from scipy.linalg import sqrtm
from scipy.spatial.distance import jensenshannon


def print_in_numpy(lab, share=0.01):
    light = lab[0].numpy()
    low, high = np.quantile(light, [share, 1 - share])
    return np.clip(100 * (light - low) / (high - low), 0, 100)


def print_by_sorting(lab, share=0.01):
    """Quantiles with the line between two neighbors, by hand."""
    values = sorted(lab[0].flatten().tolist())

    def quantile(s):
        place = s * (len(values) - 1)
        below = math.floor(place)
        above = min(below + 1, len(values) - 1)
        return values[below] + (place - below) * (values[above] - values[below])

    low, high = quantile(share), quantile(1 - share)
    return ((lab[0] - low) * (100 / (high - low))).clip(min=0).clip(max=100)


def print_by_interp(lab, share=0.01):
    """NumPy all the way, which returns float64."""
    return np.interp(lab[0], np.percentile(lab[0], [100 * share, 100 - 100 * share]), [0, 100])


def print_by_rank(lab, share=0.01):
    """Quantiles that are pixels themselves."""
    values = lab[0].flatten().sort().values
    low, high = (values[round(s * (len(values) - 1))] for s in (share, 1 - share))
    return (lab[0].clamp(low, high) - low) / (high - low) * 100


def bits_by_comparison(gray):
    bits = (gray.diff(dim=2) > 0).flatten(1)
    return (bits[:, None] != bits[None]).sum(dim=2)


def bits_by_loop(gray):
    numbers = []
    for picture in gray.tolist():
        bits = "".join(str(int(a < b)) for row in picture for a, b in itertools.pairwise(row))
        numbers.append(int(bits, 2))
    return torch.tensor([[(a ^ b).bit_count() for b in numbers] for a in numbers])


def flicker_by_norm(first, second, step):
    width = first.shape[-1]
    return (first[:, :, step:] - second[:, :, : width - step]).norm(dim=0).mean()


def flicker_by_complex_numbers(first, second, step):
    seen = first.roll(-step, dims=2)[:, :, : first.shape[2] - step] - second[:, :, : first.shape[2] - step]
    return torch.complex(*seen).abs().mean().item()


def flicker_by_loop(first, second, step):
    _, height, width = first.shape
    apart = [
        math.dist(first[:, y, x + step].tolist(), second[:, y, x].tolist())
        for y in range(height)
        for x in range(width - step)
    ]
    return sum(apart) / len(apart)


def js_by_scipy(p, q):
    return torch.from_numpy(np.nan_to_num(jensenshannon(p.numpy(), q.numpy(), axis=-1)) ** 2)


def js_by_kl(p, q):
    m = (p + q) / 2
    halves = [(torch.xlogy(x, x) - torch.xlogy(x, m)).sum(-1) for x in (p, q)]
    return (halves[0] + halves[1]) / 2


def frechet_by_scipy(mean1, cov1, mean2, cov2):
    middle = np.real(sqrtm(cov1.numpy() @ cov2.numpy()))
    return ((mean1 - mean2) ** 2).sum().item() + np.trace(cov1.numpy() + cov2.numpy() - 2 * middle)


def frechet_by_eigenvalues(mean1, cov1, mean2, cov2):
    """The roots of the eigenvalues of the product, which is not symmetric."""
    values = torch.linalg.eigvals(cov1 @ cov2).real.clamp(min=0)
    return (mean1 - mean2).norm() ** 2 + cov1.trace() + cov2.trace() - 2 * values.sqrt().sum()


def frechet_by_singular_values(mean1, cov1, mean2, cov2):
    """The trace of the root is the sum of the singular values of the product of both roots."""
    both = [torch.from_numpy(np.real(sqrtm(cov.numpy()))) for cov in (cov1, cov2)]
    between = torch.linalg.matrix_norm(both[0] @ both[1], ord="nuc")
    return ((mean1 - mean2).square().sum() + (cov1 + cov2).trace() - 2 * between).item()


RIGHT = {
    "13.1": [print_in_numpy, print_by_sorting, print_by_interp, print_by_rank],
    "13.2": [bits_by_comparison, bits_by_loop],
    "13.3": [flicker_by_norm, flicker_by_loop, flicker_by_complex_numbers],
    "13.4": [js_by_scipy, js_by_kl],
    "13.5": [frechet_by_scipy, frechet_by_eigenvalues, frechet_by_singular_values],
}

# The same mistakes, written as another person might: they must get the same message.
WRONG = {
    "13.1": [(lambda lab, share=0.01: np.interp(lab[0], [(1 - share) * lab[0].min() + share * lab[0].max(), (1 - share) * lab[0].max() + share * lab[0].min()], [0, 100]), "a share of the way"), (lambda lab, share=0.01: (lab[0] - lab[0].min()) * 100 / (lab[0].max() - lab[0].min()), "a single speck decides"), (lambda lab, share=0.01: torch.from_numpy(print_in_numpy(lab, share)) / 100, "goes from 0 to 1"), (lambda lab, share=0.01: (lab[0] - lab[0].quantile(share)) / (lab[0].quantile(1 - share) - lab[0].quantile(share)) * 100, "Nothing is cut off"), (lambda lab, share=0.01: print_by_sorting(lab, share)[None], "should have shape")],
    "13.2": [(lambda gray: bits_by_comparison(torch.cat((gray, gray[:, :, :1]), dim=2)), "72 bits"), (lambda gray: bits_by_comparison(gray.reshape(-1, 1, 72)), "71 bits"), (lambda gray: bits_by_comparison(gray.flip(2)), "Equal neighbors count otherwise"), (lambda gray: 64 - bits_by_loop(gray), "count the bits that agree"), (lambda gray: bits_by_loop(gray.transpose(1, 2)), "the one below"), (lambda gray: (gray.diff(dim=2) > 0).flatten(1), "the numbers of bits")],
    "13.3": [(lambda first, second, step: (first[:, :, step:] - second[:, :, : second.shape[2] - step]).norm(p=1, dim=0).mean(), "You add the differences"), (lambda first, second, step: flicker_by_norm(first, second, 0), "the window has moved"), (lambda first, second, step: flicker_by_loop(second, first, step), "shift the wrong way"), (lambda first, second, step: ((first[:, :, step:] - second[:, :, : second.shape[2] - step]) ** 2).sum(0).mean() ** 0.5, "root after the mean"), (lambda first, second, step: (first[:, :, step:] - second[:, :, : second.shape[2] - step]).norm(dim=0), "should have shape")],
    "13.4": [(lambda p, q: torch.from_numpy(np.nan_to_num(jensenshannon(p.numpy(), q.numpy(), axis=-1))), "You take the root"), (lambda p, q: js_by_kl(p, q) * 2, "add the two KLs"), (lambda p, q: js_by_kl(p, q) / math.log(2), "count in bits"), (lambda p, q: js_by_kl(p, q).mean(), "should have shape")],
    "13.5": [(lambda m, c, n, d: frechet_by_eigenvalues(m, c.diag().diag(), n, d.diag().diag()), "diagonals alone"), (lambda m, c, n, d: frechet_by_eigenvalues(m, c, n, d).abs() ** 0.5, "The square is wanted"), (lambda m, c, n, d: frechet_by_eigenvalues(m, c, n, d) - ((m - n) ** 2).sum() + ((m - n) ** 2).sum() ** 0.5, "must be squared"), (lambda m, c, n, d: torch.dist(m, n) ** 2, "means alone"), (lambda m, c, n, d: c + d, "should have shape")],
}  # fmt: skip

# The half solved lesson of tests/test_states.py. Its badges must say right for the first, open where there is none, and not yet
# for the others, which crash, make a typical mistake (a number), or return nothing.
HALF = {
    "13.1": "low, high = np.percentile(lab[0], [100 * share, 100 - 100 * share])\nreturn np.interp(lab[0], [low, high], [0, 100])",
    "13.2": 0,
    "13.3": "return undefined_name(first)",
    "13.5": "half = root(cov1)",
}
