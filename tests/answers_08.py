"""Answers to the exercises of lesson 8, right and wrong, as different people might write them."""

import math

import numpy as np
import torch


def auc_by_sorting(distance):
    ordered = distance.sort().values
    curve = torch.searchsorted(ordered, torch.arange(151.0), right=True) / len(distance)
    return curve, (curve[1:] + curve[:-1]).sum() / 300


def auc_by_loop(distance):
    curve = torch.tensor([(distance <= t).sum().item() / len(distance) for t in range(151)])
    return curve, (curve.sum() - curve[0] / 2 - curve[-1] / 2) / 150


def rarity_by_unique(bin_number):
    _, which, count = bin_number.unique(return_inverse=True, return_counts=True)
    return bin_number.numel() / count[which]


def rarity_by_loop(bin_number):
    """Any common factor is right: this has the mean 1."""
    weight = torch.zeros(bin_number.shape)
    for number in bin_number.unique():
        here = bin_number == number
        weight[here] = 1 / here.sum()
    return weight / weight.mean()


def psnr_in_bytes(pred_rgb, true_rgb, cap=58.92):
    peak = 255.0 if true_rgb.dtype == torch.uint8 else 1.0
    error = (pred_rgb.double() - true_rgb.double()).flatten(1)
    rms = error.norm(dim=1) / math.sqrt(error.shape[1])
    return torch.minimum(20 * torch.log10(peak / rms), torch.tensor(cap).double())


def psnr_by_loop(pred_rgb, true_rgb, cap=58.92):
    found = []
    for p, t in zip(pred_rgb, true_rgb, strict=True):
        scale = 255 if p.dtype == torch.uint8 else 1
        mse = ((p.float() - t.float()) / scale).pow(2).mean().item()
        found.append(cap if mse == 0 else min(cap, -10 * math.log10(mse)))
    return torch.tensor(found)


def psnr_by_brightness(pred_rgb, true_rgb, cap=58.92):
    """Takes a nearly black picture of 8 bits for one of floats."""
    peak = 255 if max(pred_rgb.max(), true_rgb.max()) > 1 else 1
    mse = ((pred_rgb.double() - true_rgb.double()) / peak).square().mean(dim=(1, 2, 3))
    return (-10 * mse.log10()).clamp(max=cap)


def interval_by_means(one, other, drawn):
    difference = one[drawn].mean(dim=1) - other[drawn].mean(dim=1)
    return tuple(difference.quantile(torch.tensor([0.025, 0.975])))


def interval_in_numpy(one, other, drawn):
    means = (one - other).numpy()[drawn.numpy()].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return low, high


def fooling_by_roots(practice, fooled, z=1.96):
    """The two p with (k / n - p)^2 = z^2 p (1 - p) / n."""
    kept = fooled[practice.logical_not()].tolist()
    n, rate = len(kept), sum(kept) / len(kept)
    roots = np.roots([1 + z**2 / n, -(2 * rate + z**2 / n), rate**2])
    return rate, min(roots.real), max(roots.real)


def fooling_in_steps(practice, fooled, z=1.96):
    n = int((~practice).sum())
    p = int((fooled & ~practice).sum()) / n
    center = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    return p, center - half, center + half


def fooling_cut_off(practice, fooled, z=1.96):
    """No rate is below 0 or above 1."""
    rate, low, high = fooling_in_steps(practice, fooled, z)
    return rate, max(0, low), min(1, high)


def fooling_after_practice(practice, fooled, z=1.96):
    """Right only where all practice comes first."""
    start = int(practice.sum())
    return fooling_in_steps(practice[start:] & False, fooled[start:], z)


def fooling_by_the_bell(practice, fooled, z=1.96):
    p = fooled[~practice].float().mean().item()
    half = z * (p * (1 - p) / int((~practice).sum())) ** 0.5
    return p, p - half, p + half


def added_in_numpy(recolored, true):
    a, b = (x.numpy() / x.numpy().sum(axis=1, keepdims=True) for x in (recolored, true))
    difference = 100.0 * (a - b)
    np.fill_diagonal(difference, 0)
    return difference


def added_by_loop(recolored, true):
    table = torch.zeros(recolored.shape)
    for i in range(len(true)):
        for j in range(len(true)):
            if i != j:
                table[i, j] = 100 * (recolored[i, j] / recolored[i].sum() - true[i, j] / true[i].sum())
    return table


RIGHT = {
    "8.1": [auc_by_sorting, auc_by_loop],
    "8.2": [rarity_by_unique, rarity_by_loop],
    "8.3": [psnr_in_bytes, psnr_by_loop],
    "8.4": [interval_by_means, interval_in_numpy],
    "8.5": [fooling_by_roots, fooling_in_steps, fooling_cut_off],
    "8.6": [added_in_numpy, added_by_loop],
}

# The same mistakes, written as another person might: they must get the same message.
WRONG = {
    "8.1": [(lambda d: (auc_by_loop(d)[0], auc_by_loop(d)[0].sum() / 151), "mean of the 151 values"), (lambda d: auc_by_sorting(d)[0], "expected 2 results"), (lambda d: auc_by_loop(d + 1e-3), "just as far away"), (lambda d: (auc_by_loop(d)[0], torch.trapezoid(auc_by_loop(d)[0], dx=1.0)), "Divide it by 150")],
    "8.2": [(lambda b: torch.stack([rarity_by_unique(x) for x in b]), "each photo by itself"), (lambda b: rarity_by_loop(b) ** -1, "the share itself"), (lambda b: torch.log(rarity_by_unique(b).double()).float(), "the surprise"), (lambda b: rarity_by_unique(b).flatten(), "should have shape")],
    "8.3": [(lambda p, t, cap=58.92: torch.minimum(10 * torch.log10(1 / ((p.float() - t.float()) ** 2).flatten(1).mean(1)), torch.tensor(cap)), "divide them by 255"), (lambda p, t, cap=58.92: psnr_in_bytes(p, t, float("inf")), "come out as infinite"), (lambda p, t, cap=58.92: psnr_by_loop(p, t).mean(), "should have shape"), (psnr_by_brightness, "1 everywhere where 0 is right"), (lambda p, t, cap=58.92: psnr_by_loop(p, t), "For a cap of 30 dB"), (lambda p, t, cap=58.92: psnr_in_bytes(p, t, float("inf")).nan_to_num(posinf=cap), "For a cap of 30 dB"), (lambda p, t, cap=58.92: (-10 * torch.log10(10 ** (-psnr_in_bytes(p, t, float("inf")) / 10) + 1e-6)).clamp(max=cap), "1 everywhere where 0 is right")],
    "8.4": [(lambda a, b, d: (torch.quantile(a - b, 0.025), torch.quantile(a - b, 0.975)), "where the photos lie"), (lambda a, b, d: tuple(-x for x in interval_by_means(a, b, d))[::-1], "wrong way round"), (lambda a, b, d: interval_by_means(a, b, d)[0], "expected 2 results"), (lambda a, b, d: interval_by_means((a - b).abs(), 0 * a, d), "the first method is behind")],
    "8.5": [(fooling_by_the_bell, "that nobody is ever fooled"), (lambda p, f, z=1.96: fooling_in_steps(torch.zeros(len(p), dtype=torch.bool), f, z), "still learning"), (lambda p, f, z=1.96: fooling_in_steps(p, f.logical_not(), z), "answers that were right"), (fooling_after_practice, "For two people in a row")],
    "8.6": [(lambda r, t: (r / r.sum(0) - t / t.sum(0)).fill_diagonal_(0) * 100, "sum of each column"), (lambda r, t: -added_by_loop(r, t), "wrong way round"), (lambda r, t: 100 * (r / r.sum(1)[:, None] - t / t.sum(1)[:, None]), "diagonal is still there")],
}  # fmt: skip

# The half solved lesson of tests/test_states.py. Its badges must say right for the first, open where there is none, and not yet
# for the others, which crash, make a typical mistake (a number), return nothing, or never end.
HALF = {
    "8.1": "curve = (distance[:, None] <= torch.arange(151)).float().mean(dim=0)\nreturn curve, torch.trapezoid(curve) / 150",
    "8.2": 0,
    "8.3": "return undefined_name(pred_rgb)",
    "8.4": 1,
    "8.5": "counted = fooled[~practice]",
}
