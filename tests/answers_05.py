"""Answers to the exercises of lesson 5, right and wrong, as different people might write them."""

import torch

from colorize.bins import nearest_bin


def count_by_loop(ab):
    shares = [0] * 313
    for number in nearest_bin(ab).flatten().tolist():
        shares[number] += 1
    return torch.tensor(shares) / sum(shares)


def count_by_unique(ab):
    values, counts = nearest_bin(ab).unique(return_counts=True)
    return torch.zeros(313).index_put((values,), counts.float()) / counts.sum()


def smooth_by_loop(prior, centers, sigma=5.0):
    smooth = torch.zeros_like(prior)
    for share, center in zip(prior, centers, strict=True):
        near = torch.exp(-((centers - center) ** 2).sum(dim=1) / (2 * sigma**2))
        smooth += share * near / near.sum()
    return smooth


def smooth_by_softmax(prior, centers, sigma=5.0):
    difference = (centers[:, None] - centers) / sigma
    return torch.softmax(-0.5 * difference.square().sum(-1), dim=0) @ prior  # columns sum to 1: the transpose


def smooth_and_repair(prior, centers, sigma=5.0):
    smooth = (torch.cdist(centers, centers) ** 2 / (-2 * sigma**2)).exp() @ prior
    return smooth / smooth.sum()


def smooth_by_number(prior, centers, sigma=5.0):
    step = (torch.arange(len(prior))[:, None] - torch.arange(len(prior))) * 10 / sigma
    return prior @ torch.softmax(-(step**2) / 2, dim=1)


def weights_in_steps(prior, lam=0.5):
    uniform = torch.full_like(prior, 1 / prior.numel())
    weight = torch.lerp(prior, uniform, lam).reciprocal()
    return weight / torch.dot(prior, weight)


def gradient_by_loop(logits, target, bin_weight):
    rows = []
    for z, t in zip(logits, target, strict=True):
        softmax = z.exp() / z.exp().sum()
        rows.append(bin_weight[t.argmax()] * (softmax - t) / logits.shape[0])
    return torch.stack(rows)


def gradient_by_autograd(logits, target, bin_weight):
    z = logits.clone().requires_grad_(True)
    loss = torch.nn.functional.cross_entropy(z, target, reduction="none")
    (loss * bin_weight[target.max(dim=1).indices]).mean().backward()
    return z.grad


def gradient_by_class_weight(logits, target, bin_weight):
    return (torch.softmax(logits, 1) - target) * bin_weight[None, :] / logits.size(0)


RIGHT = {
    "5.1": [count_by_loop, count_by_unique],
    "5.2": [smooth_by_loop, smooth_by_softmax],
    "5.3": [weights_in_steps, lambda prior, lam=0.5: (1 / (prior * (1 - lam) + lam / len(prior))) / (prior / (prior * (1 - lam) + lam / len(prior))).sum()],
    "5.4": [gradient_by_loop, gradient_by_autograd],
    "5.5": [lambda p, v: torch.softmax(p.log() + v.log(), dim=0), lambda p, v: p * v / torch.dot(p, v)],
}  # fmt: skip

# The same mistakes, written as another person might: they must get the same message.
WRONG = {
    "5.1": [(lambda ab: torch.bincount(nearest_bin(ab).flatten()) / nearest_bin(ab).numel(), "keeps the empty bins"), (lambda ab: count_by_loop(ab.flip(1)), "a and b are swapped"), (lambda ab: torch.histc(nearest_bin(ab).double(), 313, 0, 312), "Divide them by their sum"), (lambda ab: 2 * count_by_unique(ab), "sum to 2, not to 1")],
    "5.2": [(smooth_and_repair, "lose a part of"), (smooth_by_number, "along the list"), (lambda prior, centers, sigma: smooth_by_loop(prior, centers, sigma / 2**0.5), "The 2 is missing")],
    "5.3": [(lambda prior, lam: weights_in_steps(prior, 1 - lam), "wrong way round"), (lambda prior, lam: 1 / (prior + 1e-9) / 313, "the sum of p times w, is")],
    "5.4": [(gradient_by_class_weight, "You weigh each bin"), (lambda z, t, w: gradient_by_autograd(z, t, w) * len(z), "divide by their number")],
    "5.5": [(lambda p, v: p / v / (p / v).sum(), "You divide by the weights"), (lambda p, v: p * v / p.sum(), "sum to 1")],
}  # fmt: skip

# The half solved lesson of tests/test_states.py. Its badges must say right for the first, open where there is none, and not yet
# for the others, which crash, make a typical mistake (a number), return nothing, or never end.
HALF = {
    "5.1": "return torch.bincount(nearest_bin(ab).flatten(), minlength=313) / ab[:, 0].numel()",
    "5.3": "return undefined_name(prior)",
    "5.4": 1,
    "5.5": "counted = probabilities * weights",
}
