"""Typical mistakes in lesson 8, each with the message it gets."""

import math

import torch

from .lesson_08 import CAP, added, auc_by_hand, fooling, interval, rarity


def _curve(distance):
    return auc_by_hand(distance)[0]


def _area(curve):
    return curve, torch.trapezoid(curve) / 150


def _shares(weight):
    """Rows or columns of a table of counts, as percentages."""
    return lambda counts: 100 * counts.double() / weight(counts)


def _added_with(recolored, true, weight):
    share = _shares(weight)
    return (share(recolored) - share(true)) * (1 - torch.eye(len(true)))


def _squares(pred, true, dim=(1, 2, 3)):
    pair = [x.float() / 255 if x.dtype == torch.uint8 else x for x in (pred, true)]
    return (pair[0] - pair[1]).square().mean(dim=dim)


def _wraps(pred, true, cap=CAP):
    """The difference of 8-bit numbers, which PyTorch takes modulo 256."""
    squares = ((pred - true).float() / (255 if pred.dtype == torch.uint8 else 1)).square().mean(dim=(1, 2, 3))
    return (-10 * squares.log10()).clamp(max=cap)


def _counted(practice, fooled):
    chosen = fooled[~practice].double()
    return chosen.sum().item(), len(chosen)


def _wald(practice, fooled, z=1.96):
    k, n = _counted(practice, fooled)
    half = z * math.sqrt(k / n * (1 - k / n) / n)
    return k / n, k / n - half, k / n + half


def _by_trials(practice, fooled, z=1.96):
    (rate, low, high), (_, n) = fooling(practice, fooled, z), _counted(practice, fooled)
    return rate, low * (n + z**2) / n, high * (n + z**2) / n


def _own(right):
    """The exercise's share and weights, of one photo alone."""
    return lambda bins: torch.stack([right(photo[None])[0] for photo in bins])


def _mixed(bins):
    """What a loss is weighted with (lesson 5): half of the prior, half of equal shares."""
    share = torch.bincount(bins.flatten(), minlength=313) / bins.numel()
    return (1 / (0.5 * share + 0.5 / 313))[bins]


def _smoothed(bins):
    """Counts with one more in each bin."""
    return (1 / (torch.bincount(bins.flatten(), minlength=313) + 1))[bins]


MISTAKES = {
    "8.1": (
        (
            lambda d: _area((d[:, None] < torch.arange(151)).float().mean(dim=0)),
            "You count the pixels below the threshold. A pixel that is just as far away as the threshold is within it: <=.",
        ),
        (
            lambda d: (_curve(d), _curve(d).mean()),
            "You take the mean of the 151 values. The area of the trapezoids counts the first and the last of them half.",
        ),
        (
            lambda d: (_curve(d), _curve(d).sum() / 150),
            "You add up 151 values. There are only 150 strips between them, each with the mean of its two ends: torch.trapezoid.",
        ),
        (
            lambda d: (_curve(d), torch.trapezoid(_curve(d))),
            "Your area is that below the curve. Divide it by 150, the largest that there can be.",
        ),
        (
            lambda d: _area((d[:, None] > torch.arange(151)).float().mean(dim=0)),
            "Your curve falls: you count the pixels beyond the threshold. Count those within it.",
        ),
        (
            lambda d: (len(d) * _curve(d), len(d) * _area(_curve(d))[1]),
            "You count pixels. The curve shows their share: divide by their number.",
        ),
        (
            lambda d: (_curve(d)[::10], torch.trapezoid(_curve(d)[::10]) / 15),
            "You have every tenth threshold only. All from 0 to 150 are wanted, 151 of them.",
        ),
        (
            lambda d: _area(torch.cat((torch.zeros(1), _curve(d).diff()))),
            "Your curve shows the share of pixels at each distance. Wanted is the share up to it: add them up.",
        ),
    ),
    "8.2": (
        (
            _own(rarity),
            "You count in each photo by itself. The shares are those of the whole set: a color may be rare in it and frequent in one photo.",
        ),
        (
            lambda b: 1 / rarity(b),
            "You return the share itself, so that frequent colors count more. Take one over it.",
        ),
        (
            _mixed,
            "You mix in equal shares, as the weights of a loss do (lesson 5). A score has no lambda: one over the share.",
        ),
        (
            lambda b: rarity(b).sqrt(),
            "You take the root. One over the share, as it is.",
        ),
        (
            _smoothed,
            "You add one to each count. There is no need: the bin of a pixel always holds that pixel.",
        ),
        (
            lambda b: -(1 / rarity(b)).log(),
            "You take the logarithm of the share, the surprise. One over the share is wanted.",
        ),
    ),
    "8.3": (
        (
            _wraps,
            "You subtract whole numbers of 8 bits, which go around: 3 - 5 is 254. Make floats of both first.",
        ),
        (
            lambda p, t, cap=CAP: (-10 * (_squares(p, t) * (255.0**2 if p.dtype == torch.uint8 else 1)).log10()).clamp(max=cap),
            "The values of 8-bit pictures go up to 255, and their PSNR is relative to that: divide them by 255.",
        ),
        (
            lambda p, t, cap=CAP: -10 * _squares(p, t).log10(),
            "Two pictures that are the same come out as infinite. Cut the values off at the cap.",
        ),
        (
            lambda p, t, cap=CAP: (-10 * _squares(p, t, None).log10()).clamp(max=cap).expand(len(p)),
            "You take one mean over all pictures. Each has a PSNR of its own: average over dimensions 1, 2 and 3.",
        ),
        (
            lambda p, t, cap=CAP: (-20 * _squares(p, t).log10()).clamp(max=cap),
            "20 belongs to the logarithm of the root of the mean square. That of the mean square itself takes 10.",
        ),
        (
            lambda p, t, cap=CAP: (-10 * _squares(p, t).log()).clamp(max=cap),
            "That is the natural logarithm. Decibels are counted with powers of ten: log10.",
        ),
        (
            lambda p, t, cap=CAP: (-10 * (3 * _squares(p, t)).log10()).clamp(max=cap),
            "You add up the three channels. The mean is over them, too.",
        ),
        (
            lambda p, t, cap=CAP: (10 * _squares(p, t).log10()).clamp(max=cap),
            "The sign is missing: a small error makes a high PSNR.",
        ),
    ),
    "8.4": (
        (
            lambda a, b, d: ((a - b).quantile(0.025), (a - b).quantile(0.975)),
            "You say where the photos lie. Wanted is where their mean would lie with other photos: draw, average each draw, then the quantiles.",
        ),
        (
            lambda a, b, d: interval(b, a, d),
            "You subtract the wrong way round: above 0 shall mean that the first method is ahead.",
        ),
        (
            lambda a, b, d: ((a - b)[d].mean(dim=1).quantile(0.05), (a - b)[d].mean(dim=1).quantile(0.95)),
            "You leave out 5 % on each side. Then 90 % are left: 2.5 % on each side.",
        ),
        (
            lambda a, b, d: (a[d].mean(dim=1).quantile(0.025) - b[d].mean(dim=1).quantile(0.975), a[d].mean(dim=1).quantile(0.975) - b[d].mean(dim=1).quantile(0.025)),
            "You subtract the ends of two intervals. A photo that is hard for one method is hard for the other: subtract photo by photo first.",
        ),
        (
            lambda a, b, d: ((a - b)[d].mean(dim=1).min(), (a - b)[d].mean(dim=1).max()),
            "You take the smallest and the largest mean. They move apart the more you draw; take the quantiles 0.025 and 0.975.",
        ),
        (
            lambda a, b, d: ((a - b)[d].median(dim=1).values.quantile(0.025), (a - b)[d].median(dim=1).values.quantile(0.975)),
            "You take the median of each draw. The score is a mean over photos.",
        ),
        (
            lambda a, b, d: ((a - b)[d].mean(dim=1).mean() - 1.96 * (a - b)[d].mean(dim=1).std(), (a - b)[d].mean(dim=1).mean() + 1.96 * (a - b)[d].mean(dim=1).std()),
            "You take 1.96 standard deviations, which assumes a bell curve. Take the quantiles of the means as they are.",
        ),
        (
            lambda a, b, d: ((a - b)[d].quantile(0.025), (a - b)[d].quantile(0.975)),
            "You have not averaged: each draw is a set of photos and has one mean, over dimension 1.",
        ),
    ),
    "8.5": (
        (
            lambda p, f, z=1.96: fooling(torch.zeros_like(p), f, z),
            "You count the practice trials, too. There the person was still learning: leave them out.",
        ),
        (
            lambda p, f, z=1.96: fooling(~p, f, z),
            "You count the practice trials and leave out the others.",
        ),
        (
            lambda p, f, z=1.96: fooling(p, ~f, z),
            "You count the answers that were right. Fooled are the others.",
        ),
        (
            _wald,
            "That is the interval of the bell curve. At rate 0 it has no width, as if 40 trials could prove that nobody is ever fooled. Take Wilson's.",
        ),
        (
            _by_trials,
            "You divide by the number of trials. Wilson's formula divides by that plus z squared.",
        ),
        (
            lambda p, f, z=1.96: tuple(100 * x for x in fooling(p, f, z)),
            "You return percentages. Shares, from 0 to 1, are wanted.",
        ),
        (
            lambda p, f, z=1.96: (fooling(p, f, z)[0], fooling(p, f, z)[2], fooling(p, f, z)[1]),
            "Your lower and upper end are swapped.",
        ),
        (
            lambda p, f, z=1.96: (sum(fooling(p, f, z)[1:]) / 2, *fooling(p, f, z)[1:]),
            "Your rate is the middle of the interval. The rate is k / n; the interval lies around another point, nearer to 1/2.",
        ),
    ),
    "8.6": (
        (
            lambda r, t: _added_with(r, t, lambda c: c.sum(dim=0, keepdim=True)),
            "You divide by the sum of each column. A row holds the pictures of one true class: divide by its sum.",
        ),
        (
            lambda r, t: _added_with(r, t, lambda c: c.sum()),
            "You divide by all pictures. Then a class with few pictures hardly counts: divide each row by its own sum.",
        ),
        (
            lambda r, t: (r - t).double() * (1 - torch.eye(len(t))),
            "You subtract counts. Make each row a percentage of its pictures first.",
        ),
        (
            lambda r, t: added(t, r),
            "You subtract the wrong way round: what recoloring adds is recolored minus true.",
        ),
        (
            lambda r, t: _shares(lambda c: c.sum(dim=1, keepdim=True))(r) - _shares(lambda c: c.sum(dim=1, keepdim=True))(t),
            "The diagonal is still there: right answers are no confusions. Set it to 0.",
        ),
        (
            lambda r, t: added(r, t) / 100,
            "You return shares. Percentage points are 100 times as large.",
        ),
        (
            lambda r, t: added(r, t).abs(),
            "You drop the sign. Recoloring can also make a confusion rarer: then the number is negative.",
        ),
        (
            lambda r, t: added(r, t).clamp(min=0),
            "You drop the confusions that became rarer. Keep them, with their minus.",
        ),
    ),
}  # fmt: skip
