"""Answers to the exercises of lesson 4, right and wrong, as different people might write them."""

import math

import torch
import torch.nn.functional as F


def log_softmax_by_loop(logits):
    rows = []
    for row in logits:
        shifted = row - max(row.tolist())
        rows.append(shifted - math.log(sum(math.exp(x) for x in shifted.tolist())))
    return torch.stack(rows)


def dense(index, weight, bins):
    return F.one_hot(index, bins).mul(weight[..., None]).sum(dim=1)


def naive(logits):
    return logits.exp() / logits.exp().sum(dim=1, keepdim=True)


def loss_by_loop(logits, index, weight):
    total = 0.0
    for z, i, w in zip(logits, index, weight, strict=True):
        total = total + torch.logsumexp(z, 0) - sum(b * z[int(a)] for a, b in zip(i, w, strict=True))
    return total / len(logits)


def gradient_by_autograd(logits, index, weight):
    z = logits.clone().requires_grad_()
    F.cross_entropy(z, dense(index, weight, z.shape[1]), reduction="sum").backward()
    return z.grad


def gradient_by_one_hot(logits, index, weight):
    return torch.softmax(logits, dim=-1) - dense(index, weight, logits.shape[1])


def best_by_loop(index, weight, probabilities, bins=313):
    found = [0.0] * bins
    for i, w, p in zip(index.tolist(), weight.tolist(), probabilities.tolist(), strict=True):
        for q, share in zip(i, w, strict=True):
            found[q] += p * share
    return torch.tensor(found)


def separate_by_loop(joint):
    return torch.stack([row.sum() * joint.sum(dim=0) for row in joint])


RIGHT = {
    "4.1": [log_softmax_by_loop, lambda z: F.log_softmax(z.double(), dim=1).float()],
    "4.2": [loss_by_loop, lambda z, i, w: F.cross_entropy(z, dense(i, w, z.shape[1]))],
    "4.3": [gradient_by_autograd, gradient_by_one_hot],
    "4.4": [best_by_loop, lambda i, w, p, bins=313: p @ dense(i, w, bins)],
    "4.5": [lambda ab, bins=10: torch.floor((ab.clamp(-99.99, 99.99) + 100) * bins / 200).long(), lambda ab, bins=10: (ab.unsqueeze(-1) >= torch.linspace(-100, 100, bins + 1)[1:-1]).sum(-1)],
    "4.6": [separate_by_loop, lambda joint: joint.sum(1)[:, None] @ joint.sum(0)[None]],
}  # fmt: skip

# The same mistakes, written as another person might: they must get the same message.
WRONG = {
    "4.1": [(lambda z: z - torch.log(torch.exp(z).sum(1))[:, None], "exp(1000) is infinity"), (lambda z: torch.log_softmax(z, dim=0), "over the pixels (dim=0)"), (lambda z: 2 * torch.log_softmax(z, dim=1), "sum to")],
    "4.2": [(lambda z, i, w: -(w * naive(z).log().gather(1, i)).sum(1).mean(), "near 1000: the loss holds NaN"), (lambda z, i, w: F.cross_entropy(z, dense(i, w, z.shape[1]), reduction="sum"), "Take their mean"), (lambda z, i, w: F.cross_entropy(z, i[:, 0]), "nearest bin alone"), (lambda z, i, w: -(w * torch.log_softmax(z, 1).gather(1, i)).mean(), "over the neighbors, too")],
    "4.3": [(lambda z, i, w: naive(z).scatter_add(1, i, -w), "near 1000: the gradient holds NaN"), (lambda z, i, w: dense(i, w, z.shape[1]) - torch.softmax(z, 1), "softmax minus code"), (lambda z, i, w: gradient_by_autograd(z, i, w) / len(z), "divide by the number of pixels"), (lambda z, i, w: torch.softmax(z, 1) - 2 * dense(i, w, z.shape[1]), "must sum to 0")],
    "4.4": [(lambda i, w, p, bins: dense(i, w, bins).mean(0), "count the same"), (lambda i, w, p, bins: dense(i, w, bins).sum(0), "Take their mean"), (lambda i, w, p, bins: 2 * best_by_loop(i, w, p, bins), "sums to 2")],
    "4.5": [(lambda ab, bins: ((ab + 100) // (200 / bins)).long(), "do not exist"), (lambda ab, bins: torch.bucketize(ab, torch.linspace(-100, 100, bins + 1)[1:-1]), "0, 20 and 100, which lie on borders"), (lambda ab, bins: ((ab + 100) / 20).floor().long().clamp(0, 9), "always 10")],
    "4.6": [(lambda joint: torch.outer(joint.sum(0), joint.sum(1)), "a and b are swapped"), (lambda joint: joint.sum(1), "probabilities of a"), (lambda joint: 3 * separate_by_loop(joint), "sums to 3")],
}  # fmt: skip

# The half solved lesson of tests/test_states.py. Its badges must say right for the first, open where there is none, and not yet
# for the others, which crash, make a typical mistake (a number), return nothing, or never end.
HALF = {
    "4.1": "return torch.log_softmax(logits, dim=1)",
    "4.3": "return undefined_name(logits)",
    "4.4": 1,
    "4.5": "steps = (ab + 100) / (200 / bins)",
}
