"""Typical mistakes in lesson 13, each with the message it gets."""

import torch

from .lesson_13 import bits_apart, distance, divergence, flicker, gray_of_print


def _ends(values, share):
    return torch.quantile(values.flatten(), torch.tensor([share, 1 - share], dtype=values.dtype))


def _stretched(lightness, low, high):
    return (lightness - low) / (high - low) * 100


def _within(lightness, share):
    low, high = lightness.min(), lightness.max()
    return _stretched(lightness, low + share * (high - low), high - share * (high - low)).clamp(0, 100)


def _loop_free(bits):
    return (bits[:, None] != bits[None]).sum(dim=2)


def _overlap(first, second, step):
    width = first.shape[2]
    return first[..., step:] - second[..., : width - step]


def _kl(p, q):
    return (torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).sum(dim=-1)


def _root(matrix):
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def _between(c1, c2):
    return _root(_root(c1) @ c2 @ _root(c1)).trace()


MISTAKES = {
    "13.1": (
        (
            lambda lab, share=0.01: _stretched(lab[0], *_ends(lab[0], share)),
            "Nothing is cut off: beyond the two quantiles L leaves 0 to 100. Clamp it.",
        ),
        (
            lambda lab, share=0.01: gray_of_print(lab, 0.0),
            "You stretch between the darkest and the lightest pixel: a single speck decides. Take the quantiles of share.",
        ),
        (
            lambda lab, share=0.01: _within(lab[0], share),
            "You cut off a share of the way from the darkest to the lightest pixel. Cut off a share of the pixels: take quantiles.",
        ),
        (
            lambda lab, share=0.01: gray_of_print(lab, share) / 100,
            "Your picture goes from 0 to 1. L goes from 0 to 100.",
        ),
        (
            lambda lab, share=0.01: _stretched(lab[0], *_ends(lab, share)).clamp(0, 100),
            "Your quantiles are those of all three channels. The paper's brown is no lightness: take them of lab[0].",
        ),
        (
            lambda lab, share=0.01: _stretched(lab, *_ends(lab[0], share)).clamp(0, 100),
            "You return three channels. The network takes one, L; the paper's a and b are thrown away.",
        ),
        (
            lambda lab, share=0.01: lab[0],
            "That is L as it was scanned. Stretch it.",
        ),
        (
            lambda lab, share=0.01: (lab[0] / _ends(lab[0], share)[1] * 100).clamp(0, 100),
            "You divide by the upper quantile and leave the dark end where it was. Subtract the lower one first.",
        ),
    ),
    "13.2": (
        (
            lambda gray: _loop_free((gray[:, :-1] < gray[:, 1:]).flatten(1)),
            "You compare each pixel with the one below. Compare it with the one to its right: dimension 2.",
        ),
        (
            lambda gray: _loop_free((gray > gray.mean(dim=(1, 2), keepdim=True)).flatten(1)),
            "You compare with the mean of the picture, which is another hash. Compare neighbors.",
        ),
        (
            lambda gray: _loop_free((gray[:, :, :-1] > gray[:, :, 1:]).flatten(1)),
            "Equal neighbors count otherwise with you: a bit shall be true where a pixel is darker than its neighbor to the right, and only there.",
        ),
        (
            lambda gray: _loop_free((gray < gray.roll(-1, dims=2)).flatten(1)),
            "You have 72 bits: with roll the last column is compared with the first. Only 8 pixels of a row have a neighbor to the right.",
        ),
        (
            lambda gray: _loop_free(gray.flatten(1)[:, :-1] < gray.flatten(1)[:, 1:]),
            "You have 71 bits: the end of a row is compared with the beginning of the next. Compare before you flatten.",
        ),
        (
            lambda gray: 64 - bits_apart(gray),
            "You count the bits that agree. A picture differs from itself in 0.",
        ),
        (
            lambda gray: bits_apart(gray) / 64,
            "You take the share of the bits. Their number is wanted.",
        ),
    ),
    "13.3": (
        (
            lambda first, second, step: (first - second).norm(dim=0).mean(),
            "You compare the frames pixel by pixel, but the window has moved. Column x + step of the first is column x of the second.",
        ),
        (
            lambda first, second, step: flicker(second, first, step),
            "You shift the wrong way: the window moves to the right, so things move to the left. Cut the first columns of the first frame.",
        ),
        (
            lambda first, second, step: _overlap(first, second, step).abs().mean(),
            "You take the mean difference of a and b. The distance of two colors is the root of the sum of both squares.",
        ),
        (
            lambda first, second, step: _overlap(first, second, step).abs().sum(dim=0).mean(),
            "You add the differences of a and b. The distance of two colors is the root of the sum of both squares.",
        ),
        (
            lambda first, second, step: _overlap(first, second, step).square().sum(dim=0).mean().sqrt(),
            "You take the root after the mean. Take the distance at each point, then the mean.",
        ),
        (
            lambda first, second, step: _overlap(first, second, step).square().sum(dim=0).mean(),
            "The root is missing: you have squared distances.",
        ),
        (
            lambda first, second, step: (first.roll(-step, dims=2) - second).norm(dim=0).mean(),
            "With roll the left columns come back on the right and are compared with another place. Use only what both frames show.",
        ),
        (
            lambda first, second, step: _overlap(first, second, step).norm(dim=0).sum(),
            "You add up. The mean over the points is wanted.",
        ),
    ),
    "13.4": (
        (
            lambda p, q: _kl(p, q),
            "That is KL(p || q), which is infinite where q is empty. Compare both with their mean.",
        ),
        (
            lambda p, q: 2 * divergence(p, q),
            "You add the two KLs. Their mean is wanted: two histograms with nothing in common have ln 2.",
        ),
        (
            lambda p, q: divergence(p, q).sqrt(),
            "You take the root, as SciPy's jensenshannon does. The divergence itself is wanted.",
        ),
        (
            lambda p, q: divergence(p, q) / 0.6931471805599453,
            "You count in bits. Nats are wanted: the natural logarithm.",
        ),
        (
            lambda p, q: (_kl((p + q) / 2, p) + _kl((p + q) / 2, q)) / 2,
            "Your KLs are turned around: wanted is the sum of p (ln p - ln m).",
        ),
        (
            lambda p, q: (p * (p / ((p + q) / 2)).log() + q * (q / ((p + q) / 2)).log()).sum(dim=-1) / 2,
            "An empty bin gives 0 times minus infinity, which is NaN. Take 0 there: torch.special.xlogy or entr.",
        ),
        (
            lambda p, q: (p - q).abs().sum(dim=-1) / 2,
            "That is the total variation. The Jensen-Shannon divergence has logarithms.",
        ),
        (
            lambda p, q: _kl(p, (p + q) / 2),
            "That is half of it, KL(p || m). The other half is KL(q || m); take the mean of the two.",
        ),
    ),
    "13.5": (
        (
            lambda m1, c1, m2, c2: distance(m1, c1, m2, c2).clamp(min=0).sqrt(),
            "You take the root. The square is wanted, as FID is reported.",
        ),
        (
            lambda m1, c1, m2, c2: (m1 - m2).norm() + c1.trace() + c2.trace() - 2 * _between(c1, c2),
            "The distance of the means must be squared.",
        ),
        (
            lambda m1, c1, m2, c2: (m1 - m2).square().sum() + c1.trace() + c2.trace() - _between(c1, c2),
            "The factor 2 before the root is missing: the same cloud twice must have the distance 0.",
        ),
        (
            lambda m1, c1, m2, c2: (
                (m1 - m2).square().sum() + c1.trace() + c2.trace() - 2 * (c1 @ c2).clamp(min=0).sqrt().trace()
            ),
            "You take the root of each entry. The root of a matrix is another matrix, whose square it is: use root.",
        ),
        (
            lambda m1, c1, m2, c2: (m1 - m2).square().sum(),
            "You compare the means alone. The clouds' spread counts, too.",
        ),
        (
            lambda m1, c1, m2, c2: (m1 - m2).square().sum() + (c1.diag().sqrt() - c2.diag().sqrt()).square().sum(),
            "You compare feature by feature, with the diagonals alone. Features vary together: take the root of the whole matrix.",
        ),
        (
            lambda m1, c1, m2, c2: (
                (m1 - m2).square().sum() + c1.trace() + c2.trace() - 2 * (_root(c1) @ c2 @ _root(c1)).trace()
            ),
            "Your product is right, but its root is missing: root(R C2 R), and then the trace.",
        ),
        (
            lambda m1, c1, m2, c2: (
                (m1 - m2).square().sum() + c1.trace() + c2.trace() - 2 * (_root(c1) @ _root(c2)).trace()
            ),
            "The product of two roots is the root of the product only if both have the same axes. Take root(R C2 R).",
        ),
    ),
}  # fmt: skip
