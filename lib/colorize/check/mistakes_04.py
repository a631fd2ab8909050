"""Typical mistakes in lesson 4, each with the message it gets."""

import math

import torch

from .lesson_04 import axis_bins, best_answer, gradient, log_softmax, separate, soft_cross_entropy

MISTAKES = {
    "4.1": (
        (
            lambda z: z - z.exp().sum(dim=1, keepdim=True).log(),
            "Your formula is right, but exp(1000) is infinity for a computer and exp(-1000) is 0. Subtract the "
            "largest logit of each pixel first.",
        ),
        (
            lambda z: (z.exp() / z.exp().sum(dim=1, keepdim=True)).log(),
            "You divide exponentials. For logits near 1000 that is infinity by infinity, for logits near -1000 it is "
            "0 by 0. Subtract the largest logit of each pixel first.",
        ),
        (
            lambda z: torch.softmax(z, dim=1).log(),
            "You take the logarithm after the softmax. A probability of e to the -200 has already become 0 there, and "
            "its logarithm minus infinity. Stay with logarithms: logit minus log of the sum.",
        ),
        (
            lambda z: torch.softmax(z, dim=1),
            "You return probabilities. Wanted are their logarithms.",
        ),
        (
            lambda z: z - torch.logsumexp(z, dim=0, keepdim=True),
            "Your sum runs over the pixels (dim=0). Each pixel has its own distribution: sum over the bins, dim=1.",
        ),
        (
            lambda z: (z - z.max()) - (z - z.max()).exp().sum(dim=1, keepdim=True).log(),
            "You subtract the largest logit of all pixels together. Beside a pixel near 1000, one near -1000 has only "
            "zeros left. Each pixel needs its own maximum: amax(dim=1, keepdim=True).",
        ),
        (
            lambda z: z - z.amax(dim=1, keepdim=True),
            "You subtract the largest logit, and stop: the logarithm of the sum of the exponentials is missing.",
        ),
        (
            lambda z: log_softmax(z) + z.amax(dim=1, keepdim=True),
            "You subtract the maximum inside the sum only. Subtract it from the logits, too, or add it back to the "
            "logarithm of the sum.",
        ),
    ),
    "4.2": (
        (
            lambda z, i, w: -soft_cross_entropy(z, i, w),
            "The sign is wrong: logarithms of probabilities are negative, a price is positive.",
        ),
        (
            lambda z, i, w: len(z) * soft_cross_entropy(z, i, w),
            "You sum over the pixels. Take their mean: the sum grows with the picture.",
        ),
        (
            lambda z, i, w: soft_cross_entropy(z, i, w) / i.shape[1],
            "You take the mean over the neighbors, too. Sum over the K neighbors (their weights already sum to 1), "
            "then take the mean over the pixels.",
        ),
        (
            lambda z, i, w: -(w * z.gather(1, i)).sum(dim=1).mean(),
            "You use the logits themselves. Their logarithm of the softmax is needed: log_softmax(logits).",
        ),
        (
            lambda z, i, w: -(w * log_softmax(z).exp().gather(1, i)).sum(dim=1).mean(),
            "You use probabilities. The price is minus the logarithm of a probability.",
        ),
        (
            lambda z, i, w: soft_cross_entropy(z, i[:, :1], torch.ones_like(w[:, :1])),
            "You use the nearest bin alone. Sum over all K bins of the code, each with its weight.",
        ),
        (
            lambda z, i, w: soft_cross_entropy(z, i, torch.ones_like(w)),
            "You forget the weights: each bin of the code counts with its own.",
        ),
        (
            lambda z, i, w: soft_cross_entropy(z, i, w) / math.log(2),
            "Your logarithm has base 2. The course counts in nats: the natural logarithm.",
        ),
    ),
    "4.3": (
        (
            lambda z, i, w: -gradient(z, i, w),
            "The sign is wrong: softmax minus code. A step goes against the gradient, so this one would push the true "
            "bins down.",
        ),
        (
            lambda z, i, w: torch.softmax(z, dim=1),
            "The code is missing: subtract its weights at its bins.",
        ),
        (
            lambda z, i, w: torch.softmax(z, dim=1).scatter(1, i, -w),
            "You overwrite the softmax at the bins of the code. Subtract there: scatter_add adds, scatter replaces.",
        ),
        (
            lambda z, i, w: z.scatter_add(1, i, -w),
            "You subtract the code from the logits. Take the softmax of the logits first.",
        ),
        (
            lambda z, i, w: log_softmax(z).scatter_add(1, i, -w),
            "You subtract the code from logarithms. The gradient holds probabilities: exp of log_softmax.",
        ),
        (
            lambda z, i, w: gradient(z, i, w) / len(z),
            "You divide by the number of pixels. Here each pixel's own loss is asked for, not the mean.",
        ),
        (
            lambda z, i, w: gradient(z, i[:, :1], torch.ones_like(w[:, :1])),
            "You subtract 1 at the nearest bin. Subtract each weight of the code at its own bin.",
        ),
        (
            lambda z, i, w: torch.softmax(z, dim=0).scatter_add(1, i, -w),
            "Your softmax runs over the pixels (dim=0). Each pixel's bins must sum to 1: dim=1.",
        ),
    ),
    "4.4": (
        (
            lambda i, w, p, q: torch.zeros(q).index_put((i,), p[:, None] * w),
            "Where two colors share a bin, the second replaces the first. Their shares must add up: scatter_add, or "
            "index_add, or a loop with +=.",
        ),
        (
            lambda i, w, p, q: best_answer(i, w, torch.full_like(p, 1 / len(p)), q),
            "All colors count the same for you. Weigh each code with its color's probability.",
        ),
        (
            lambda i, w, p, q: best_answer(i, w, torch.ones_like(p), q),
            "You add up the codes. Take their mean, each weighed with its color's probability.",
        ),
        (
            lambda i, w, p, q: best_answer(i[:, :1], torch.ones_like(w[:, :1]), p, q),
            "You put each color's probability on its nearest bin. That is the palette; the targets are its soft codes.",
        ),
        (
            lambda i, w, p, q: best_answer(i, torch.full_like(w, 1 / w.shape[1]), p, q),
            "You spread each color evenly over its bins. The code has a weight for each of them.",
        ),
        (
            lambda i, w, p, q: p[:, None] * torch.zeros(len(i), q).scatter_(1, i, w),
            "You return one row for each color. Sum over the colors.",
        ),
    ),
    "4.5": (
        (
            lambda ab, bins: ((ab + 100) / (200 / bins)).floor().long(),
            "Colors outside -100..100 get bins that do not exist, such as -1. Put them into the first or the last bin.",
        ),
        (
            lambda ab, bins: ((ab + 100) / (200 / bins)).round().long().clamp(0, bins - 1),
            "You round to the nearest edge. A bin reaches from its lower edge to the next: round down.",
        ),
        (
            lambda ab, bins: (ab / (200 / bins)).floor().long().clamp(0, bins - 1),
            "You count from 0. The first bin begins at -100: add 100 first.",
        ),
        (
            lambda ab, bins: ((ab + 100) / bins).floor().long().clamp(0, bins - 1),
            "You divide by the number of bins. Divide by the width of one: 200 / bins.",
        ),
        (
            lambda ab, bins: axis_bins(ab),
            "Your bins are always 10. Use the argument bins.",
        ),
        (
            lambda ab, bins: (axis_bins(ab, bins) + 0.5) * (200 / bins) - 100,
            "You return the middle of the bin. Wanted is its number.",
        ),
        (
            lambda ab, bins: axis_bins(ab, bins) + 1,
            "Your numbers begin at 1. Count from 0.",
        ),
        (
            lambda ab, bins: ((ab + 110) / (220 / bins)).floor().long().clamp(0, bins - 1),
            "Your bins reach from -110 to 110. Here the range is -100 to 100.",
        ),
    ),
    "4.6": (
        (
            lambda joint: joint,
            "You return the joint probabilities. Wanted is what is left of them when a and b are drawn apart.",
        ),
        (
            lambda joint: separate(joint).T,
            "a and b are swapped: rows are bins of a, columns are bins of b. The sum over a row belongs to its a.",
        ),
        (
            lambda joint: joint.sum(dim=1, keepdim=True) + joint.sum(dim=0, keepdim=True),
            "You add the two probabilities. That both happen has their product.",
        ),
        (
            lambda joint: joint.amax(dim=1, keepdim=True) * joint.amax(dim=0, keepdim=True),
            "You take the largest entry of each row and column. The probability of one a is the sum of its row.",
        ),
        (
            lambda joint: joint.mean(dim=1, keepdim=True) * joint.mean(dim=0, keepdim=True),
            "You take means of rows and columns. The probability of one a is the sum of its row.",
        ),
        (
            lambda joint: joint.sum(dim=1),
            "You return the probabilities of a. Multiply them with those of b, each pair once.",
        ),
    ),
}
