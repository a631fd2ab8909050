"""Typical mistakes in lesson 12, each with the message it gets."""

import math

import torch

from .lesson_12 import energy, match_ranks, mean_of_like, prefer, shares, unsure


def _mean(p, centers):
    return torch.einsum("nqhw,qc->nchw", p, centers)


def _hues(p, sector, some, sectors):
    return torch.zeros(len(p), sectors).index_add_(1, sector[some], p[:, some])


def _entropy(hue):
    return torch.special.entr(hue).sum(dim=1)


def _all(chroma):
    return torch.ones_like(chroma, dtype=torch.bool)


def _chi(m, t):
    return ((m - t) ** 2 / (m + t)).sum() / 2


def _kl(log_y, bias, turned=False):
    new = torch.log_softmax(log_y + bias, dim=1)
    return (log_y.exp() * (log_y - new) if turned else new.exp() * (new - log_y)).sum(dim=1)


def _biased(log_y, bias):
    return torch.softmax(log_y + bias, dim=1)


def _share(y, near, variance, spread):
    w = torch.exp(-((near - y[:, None]) ** 2) / (spread * variance.clamp(min=2e-6)))
    return w / w.sum(dim=1, keepdim=True)


def _variance(y, near, correction=0):
    return torch.cat((y[:, None], near), dim=1).var(dim=1, correction=correction, keepdim=True)


def _raw(y, near, spread=0.6):
    return torch.exp(-((near - y[:, None]) ** 2) / (spread * _variance(y, near).clamp(min=2e-6)))


def _weighted(ab, w):
    return w @ ab / w.sum()


def _bell(x, sigma):
    return torch.exp(-((x / sigma) ** 2) / 2)


MISTAKES = {
    "12.1": (
        (
            lambda z, b, c: _mean(torch.softmax(z, dim=1) + b[:, None, None], c),
            "You add the bias to the probabilities. It belongs to the logits, before the softmax.",
        ),
        (
            lambda z, b, c: _mean(torch.softmax(torch.softmax(z, dim=1) + b[:, None, None], dim=1), c),
            "You take the softmax twice, the second time of probabilities plus bias. Add the bias to the logits, and take it once.",
        ),
        (
            lambda z, b, c: prefer(z, 0 * b, c),
            "The bias has no effect: that is the network's own mean.",
        ),
        (
            lambda z, b, c: prefer(z, -b, c),
            "You subtract the bias. A positive number shall make a color more likely: add it.",
        ),
        (
            lambda z, b, c: _mean(torch.softmax(z, dim=1) * b.exp()[:, None, None], c),
            "You multiply probabilities by e to the bias, which is right, but they no longer sum to 1. Take the softmax after the bias.",
        ),
        (
            lambda z, b, c: c[(z + b[:, None, None]).argmax(dim=1)].movedim(-1, 1),
            "You paint the likeliest color. The mean of all colors is wanted.",
        ),
    ),
    "12.2": (
        (
            lambda p, s, c, sectors=32: _entropy(_hues(p, s, _all(c), sectors)) * (p @ c),
            "You count gray as a hue, in sector 0. It has none: leave out the bins with chroma 0 and scale the rest to sum 1.",
        ),
        (
            lambda p, s, c, sectors=32: _entropy(_hues(p, s, c > 0, sectors)) * (p @ c),
            "Your sectors do not sum to 1 where gray is possible. Divide by their sum before the entropy.",
        ),
        (
            lambda p, s, c, sectors=32: unsure(p, s, c, sectors) / (p @ c).clamp(min=1e-12),
            "That is the entropy of the hue alone. Multiply it by the expected chroma.",
        ),
        (
            lambda p, s, c, sectors=32: _entropy(p) * (p @ c),
            "You take the entropy over all bins. Two reds of one sector are one hue: add up the bins of each sector first.",
        ),
        (
            lambda p, s, c, sectors=32: unsure(p, s, c, sectors) / math.log(2),
            "You count in bits. Nats are wanted: the natural logarithm.",
        ),
        (
            lambda p, s, c, sectors=32: unsure(p, s, c, sectors) / p[:, c > 0].sum(dim=1).clamp(min=1e-12),
            "You take the chroma of the colored bins only. The expected chroma counts gray, too, with its 0: p @ chroma.",
        ),
        (
            lambda p, s, c, sectors=32: -unsure(p, s, c, sectors),
            "The sign is missing: the sum of h ln h is below 0, the entropy its opposite.",
        ),
    ),
    "12.3": (
        (
            lambda s, r: r.sort().values,
            "You return the sorted reference. Its smallest value belongs where the source has its smallest.",
        ),
        (
            lambda s, r: r.sort().values[s.argsort()],
            "argsort says which value comes first, not which rank a value has. Take argsort of argsort.",
        ),
        (
            lambda s, r: r[s.argsort().argsort()],
            "Your ranks are right, but they index the reference as it came. Sort it first.",
        ),
        (
            lambda s, r: match_ranks(-s, r),
            "Your order is upside down: the smallest value of the source gets the largest of the reference.",
        ),
        (
            lambda s, r: (s - s.mean()) / s.std() * r.std() + r.mean(),
            "You match mean and spread. The values themselves shall be those of the reference, rank by rank.",
        ),
        (
            lambda s, r: match_ranks(r, s),
            "You have it the wrong way round: values of the source in the order of the reference.",
        ),
    ),
    "12.4": (
        (
            lambda z, b, t, lam=10.0: _kl(z, b, turned=True).mean() + lam * _chi(_biased(z, b).mean(dim=0), t),
            "Your KL is turned around: wanted is the sum of y* (ln y* - ln y), weighted by the biased distribution.",
        ),
        (
            lambda z, b, t, lam=10.0: _kl(z, b).mean() + 2 * lam * _chi(_biased(z, b).mean(dim=0), t),
            "The factor 1/2 of the chi-square is missing.",
        ),
        (
            lambda z, b, t, lam=10.0: (_kl(z, b) + lam * torch.stack([_chi(y, t) for y in _biased(z, b)])).mean(),
            "You compare each pixel with the histogram. No pixel shall have all colors: take the mean over the pixels first.",
        ),
        (
            lambda z, b, t, lam=10.0: _kl(z, b).sum() + lam * _chi(_biased(z, b).mean(dim=0), t),
            "You add up the KL of all pixels. Then a large photo hardly looks at the histogram: take the mean.",
        ),
        (
            lambda z, b, t, lam=10.0: _kl(z, b).mean() + lam * ((_biased(z, b).mean(dim=0) - t) ** 2).sum() / 2,
            "You leave out the division by the sum of both. It is what lets rare colors count.",
        ),
        (
            lambda z, b, t, lam=10.0: lam * _kl(z, b).mean() + _chi(_biased(z, b).mean(dim=0), t),
            "Lambda belongs to the other term, the chi-square.",
        ),
        (
            lambda z, b, t, lam=10.0: _kl(z, b).mean() + lam * _chi(z.exp().mean(dim=0), t),
            "You compare the histogram before the bias. The biased distributions are wanted in both terms.",
        ),
        (
            lambda z, b, t, lam=10.0: energy(z, b, t, 0.0),
            "The chi-square is missing: you return the KL alone.",
        ),
    ),
    "12.5": (
        (
            _raw,
            "Your weights do not sum to 1. Divide those of each pixel by their sum.",
        ),
        (
            lambda y, n, spread=0.6: _share(y, n, _variance(y, n).sqrt(), spread),
            "You divide by the standard deviation. The variance, its square, is wanted.",
        ),
        (
            lambda y, n, spread=0.6: _share(y, n, _variance(y, n, correction=1), spread),
            "Your variance divides by one less than the number of values, as torch does by default. Take the mean of the squares: correction=0.",
        ),
        (
            lambda y, n, spread=0.6: _share(y, n, n.var(dim=1, correction=0, keepdim=True), spread),
            "You take the variance of the neighbors alone. The pixel itself belongs to it, too.",
        ),
        (
            lambda y, n, spread=0.6: shares(y, n, 0.6),
            "You do not use spread: it stands before the variance.",
        ),
        (
            lambda y, n, spread=0.6: shares(y, n, 2 * spread),
            "Your exponent is halved, as in a bell curve. Here there is no 2: divide by spread times the variance.",
        ),
        (
            lambda y, n, spread=0.6: _raw(y, n, spread) / _raw(y, n, spread).sum(dim=0, keepdim=True),
            "You scale over the pixels. Each pixel's own weights shall sum to 1: dim=1.",
        ),
    ),
    "12.6": (
        (
            lambda ab, L, d, s=3.0, t=4.0: _weighted(ab, _bell(d, s)),
            "You do not look at the lightness: colors bleed across edges. Multiply by the second factor.",
        ),
        (
            lambda ab, L, d, s=3.0, t=4.0: _weighted(ab, _bell(L - L[0], t)),
            "You do not look at the distance. Multiply by the first factor.",
        ),
        (
            lambda ab, L, d, s=3.0, t=4.0: (_bell(d, s) * _bell(L - L[0], t)) @ ab,
            "You add up, and a mean is wanted: divide by the sum of the weights.",
        ),
        (
            lambda ab, L, d, s=3.0, t=4.0: _weighted(ab, _bell(d, s) + _bell(L - L[0], t)),
            "You add the two factors. A pixel must be both near and alike: multiply them.",
        ),
        (
            lambda ab, L, d, s=3.0, t=4.0: mean_of_like(ab, L, d, s / 2**0.5, t / 2**0.5),
            "The 2 in the exponents is missing: divide by twice the square of sigma.",
        ),
        (
            lambda ab, L, d, s=3.0, t=4.0: mean_of_like(ab, L, d, t, s),
            "The two sigmas have changed places.",
        ),
        (
            lambda ab, L, d, s=3.0, t=4.0: _weighted(ab[1:], (_bell(d, s) * _bell(L - L[0], t))[1:]),
            "You leave the pixel itself out. It counts like all others, with weight 1.",
        ),
    ),
}  # fmt: skip
