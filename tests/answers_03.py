"""Answers to the exercises of lesson 3, right and wrong, as different people might write them."""

import torch
import torch.nn.functional as F


def l2_by_loop(pred_ab, true_ab):
    total = 0.0
    for picture, truth in zip(pred_ab, true_ab, strict=True):
        a, b = picture - truth
        total = total + (a**2 + b**2).sum() / 2
    return total / pred_ab[:, 0].numel()


def best_by_loop(colors, probabilities):
    answer = torch.zeros(2, dtype=colors.dtype)
    for color, p in zip(colors, probabilities, strict=True):
        answer += p * color
    return answer


def best_by_descent(colors, probabilities):
    x = torch.zeros(2, dtype=colors.dtype)
    for _ in range(60):
        x = x - 0.5 * (probabilities[:, None] * (x - colors)).sum(0)
    return x


def floor_by_pairs(colors, probabilities):
    """Half of the mean squared distance between two independent draws, halved."""
    squared = torch.cdist(colors, colors) ** 2
    return probabilities @ squared @ probabilities / 4


def floor_by_axis(colors, probabilities):
    variance = 0
    for axis in colors.T:
        mean = (axis * probabilities).sum()
        variance = variance + (probabilities * (axis - mean) ** 2).sum()
    return variance / 2


def answer_by_channel(answer, kinds, number):
    mask = kinds == number
    return torch.stack([answer[:, 0][mask].mean(), answer[:, 1][mask].mean()])


def answer_by_loop(answer, kinds, number):
    found = [
        answer[n, :, i, j]
        for n in range(len(kinds))
        for i in range(kinds.shape[1])
        for j in range(kinds.shape[2])
        if kinds[n, i, j] == number
    ]
    return torch.stack(found).mean(0)


def mean_of_what_is_not_zero(answer, kinds, number):
    kept = answer * (kinds == number)[:, None]
    return kept.sum((0, 2, 3)) / (kept != 0).sum((0, 2, 3))


def smooth_by_masks(pred_ab, true_ab, beta=1.0):
    d = torch.abs(pred_ab - true_ab)
    small = (d < beta).float()
    loss = small * d * d / (2 * beta) + (1 - small) * (d - beta / 2)
    return loss.sum() / loss[:, 0].numel()


def force_by_gradient(x, colors, probabilities, beta=1.0):
    x = x.clone().requires_grad_()
    each = F.smooth_l1_loss(
        x[:, None].expand(-1, len(colors)), colors.expand(len(x), -1), beta=beta, reduction="none"
    )
    return torch.autograd.grad((each @ probabilities).sum(), x)[0]


def force_by_loop(x, colors, probabilities, beta=1.0):
    return sum(p * torch.clamp((x - c) / beta, -1, 1) for c, p in zip(colors, probabilities, strict=True))


RIGHT = {
    "3.1": [l2_by_loop, lambda pred, true: F.mse_loss(pred, true)],
    "3.2": [best_by_loop, best_by_descent],
    "3.3": [floor_by_pairs, floor_by_axis],
    "3.4": [answer_by_channel, answer_by_loop],
    "3.5": [smooth_by_masks, lambda pred, true, beta=1.0: 2 * F.smooth_l1_loss(pred, true, beta=beta)],
    "3.6": [force_by_gradient, force_by_loop],
}  # fmt: skip

# The same mistakes, written as another person might: they must get the same message.
WRONG = {
    "3.1": [(lambda pred, true: F.mse_loss(pred, true) / 2, "average over a and b, too"), (lambda pred, true: 2 * l2_by_loop(pred, true), "factor 1/2 is missing")],
    "3.2": [(lambda colors, probabilities: best_by_loop(colors, torch.ones_like(probabilities) / len(colors)), "weigh all colors the same"), (lambda colors, probabilities: colors[probabilities.sort().indices[-1]], "likeliest color")],
    "3.3": [(lambda colors, probabilities: 2 * floor_by_axis(colors, probabilities), "factor 1/2 of the loss"), (lambda colors, probabilities: (colors.norm(dim=1) ** 2 * probabilities).sum() / 2, "cost of answering gray")],
    "3.4": [(lambda answer, kinds, number: torch.where((kinds == number)[:, None], answer, 0.0).mean((0, 2, 3)), "count them in the mean"), (lambda answer, kinds, number: answer_by_loop(answer, kinds, number)[[1, 0]], "changed places"), (mean_of_what_is_not_zero, "most at [0]: yours 45, expected 30")],
    "3.5": [(lambda pred, true, beta: F.smooth_l1_loss(pred, true, beta=beta), "average over a and b, too"), (lambda pred, true, beta: F.l1_loss(pred, true) * 2, "That is L1")],
    "3.6": [(lambda x, colors, probabilities, beta: force_by_loop(x, colors, torch.ones_like(probabilities) / len(colors), beta), "weigh all colors the same"), (lambda x, colors, probabilities, beta: beta * force_by_loop(x, colors, probabilities, beta), "goes up to beta")],
}  # fmt: skip

# The half solved lesson of tests/test_states.py. Its badges must say right for the first, open where there is none, and not yet
# for the others, which crash, make a typical mistake (a number), return nothing, or never end.
HALF = {
    "3.1": "return 0.5 * (pred_ab - true_ab).square().sum(dim=1).mean()",
    "3.3": "return undefined_name(colors)",
    "3.4": 1,
    "3.5": "d = pred_ab - true_ab",
}
