"""Answers to the exercise of lesson 0, right and wrong, as different people might write them."""

import torch


def by_norm(a, b):
    return torch.stack((a, b)).norm(dim=0)


def by_hypot(a, b):
    return torch.hypot(a, b)


def by_loop(a, b):
    values = [(float(x) * x + float(y) * y) ** 0.5 for x, y in zip(a.flatten(), b.flatten(), strict=True)]
    return torch.tensor(values).view_as(a)


RIGHT = {"0.1": [by_norm, by_hypot, by_loop]}

WRONG = {
    "0.1": [
        (lambda a, b: torch.stack((a, b)).square().sum(dim=0), "square root is missing"),
        (lambda a, b: torch.stack((a, b)).sum(dim=0), "add a and b"),
        (lambda a, b: torch.stack((a, b)).norm(p=1, dim=0), "|a| and |b|"),
        (lambda a, b: torch.hypot(a, b).max() * 0 + torch.hypot(a, b).mean(), "one number"),
    ]
}
