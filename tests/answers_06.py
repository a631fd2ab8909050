"""Answers to the exercises of lesson 6, right and wrong, as different people might write them."""

import numpy as np
import torch


def mean_by_loop(logits, centers):
    total = torch.zeros(len(logits), 2, *logits.shape[2:])
    for q, p in enumerate(logits.softmax(1).unbind(1)):
        total += p[:, None] * centers[q].view(1, 2, 1, 1)
    return total


def mean_by_matmul(logits, centers):
    p = (logits - logits.logsumexp(1, keepdim=True)).exp()
    return (p.movedim(1, -1) @ centers).permute(0, 3, 1, 2)


def mode_by_one_hot(logits, centers):
    best = torch.nn.functional.one_hot(logits.max(dim=1).indices, len(centers)).float()
    return torch.einsum("nhwq,qc->nchw", best, centers)


def mode_by_axis(logits, centers):
    number = logits.softmax(1).topk(1, dim=1).indices[:, 0]
    return torch.stack((centers[number, 0], centers[number, 1]), dim=1)


def median_by_loop(p, levels):
    found = []
    width = float(levels[1] - levels[0])
    for row in p.tolist():
        below = 0.0
        for level, mass in zip(levels.tolist(), row, strict=True):
            if below + mass >= 0.5:
                found.append(level - width / 2 + width * (0.5 - below) / mass)
                break
            below += mass
    return torch.tensor(found)


def median_by_interp(p, levels, shift=0.5):
    width = float(levels[1] - levels[0])
    edges = np.append(levels.numpy() - width * shift, levels.numpy()[-1] + width * (1 - shift))
    sums = np.concatenate((np.zeros((len(p), 1)), p.double().cumsum(1).numpy()), axis=1)
    return torch.tensor([np.interp(0.5, row, edges) for row in sums])


def anneal_by_power(logits, centers, T=0.38):
    p = logits.softmax(1) ** (1 / T)
    return mean_by_loop((p / p.sum(1, keepdim=True)).log(), centers)


def anneal_by_exp(logits, centers, T=0.38):
    p = torch.exp((logits - logits.amax(1, keepdim=True)) / T)
    return torch.einsum("qc,nqhw->nchw", centers, p) / p.sum(1, keepdim=True)


def entropy_by_clamp(logits):
    p = logits.softmax(1)
    return -(p * p.clamp(min=1e-30).log()).sum(1)


def entropy_by_distribution(logits):
    return torch.distributions.Categorical(probs=logits.softmax(1).movedim(1, -1)).entropy()


RIGHT = {
    "6.1": [mean_by_loop, mean_by_matmul],
    "6.2": [mode_by_one_hot, mode_by_axis],
    "6.3": [median_by_loop, median_by_interp],
    "6.4": [anneal_by_power, anneal_by_exp],
    "6.5": [entropy_by_clamp, entropy_by_distribution],
}

# The same mistakes, written as another person might: they must get the same message.
WRONG = {
    "6.1": [(lambda z, c: mean_by_matmul(z.softmax(1), c), "softmax twice"), (lambda z, c: (z.softmax(0).movedim(1, -1) @ c).movedim(-1, 1), "over the pictures")],
    "6.2": [(lambda z, c: c[z.max(1)[1]], "last dimension"), (lambda z, c: c[z.max(1)[1]].reshape(len(z), 2, *z.shape[2:]), "in their old order")],
    "6.3": [(lambda p, v: median_by_interp(p, v, 1.0), "half a spacing too low"), (lambda p, v: v[(p.cumsum(1) < 0.5).sum(1)], "return the level itself")],
    "6.4": [(lambda z, c, T: anneal_by_power(z, c, 1 / T), "multiply by T"), (lambda z, c, T: mean_by_matmul(z.softmax(1).div(T), c), "the second one"), (lambda z, c, T: mean_by_loop(z, c) * (1 / T), "stretches all colors")],
    "6.5": [(lambda z: -(z.softmax(1) * z.log_softmax(1)).sum(1), "0 times ln 0"), (lambda z: -entropy_by_clamp(z), "the minus is missing"), (lambda z: entropy_by_clamp(z) * 1.442695, "in bits")],
}  # fmt: skip

# The half solved lesson of tests/test_states.py. Its badges must say right for the first, open where there is none, and not yet
# for the others, which crash, make a typical mistake (a number), return nothing, or never end.
HALF = {
    "6.1": "p = logits.softmax(1)\nreturn (p.movedim(1, -1) @ centers).movedim(-1, 1)",
    "6.3": "return undefined_name(p)",
    "6.4": 5,
}
