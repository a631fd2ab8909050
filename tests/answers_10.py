"""Answers to the exercises of lesson 10, right and wrong, as different people might write them."""

import numpy as np
import torch
import torch.nn.functional as F


def cost_by_loop(colors, told, answers):
    total = 0.0
    for s in range(len(colors)):
        for m in range(len(answers)):
            total += told[s, m] * (colors[s] - answers[m]).pow(2).sum() / 2
    return total / len(colors)


def cost_by_cdist(colors, told, answers):
    return (told * torch.cdist(colors, answers).square()).sum() / (2 * len(colors))


def cost_as_float(colors, told, answers):
    return cost_by_loop(colors, told, answers).item()


def beside_by_loop(local, embedding):
    n, _, h, w = local.shape
    everywhere = torch.zeros(n, embedding.shape[1], h, w)
    for y in range(h):
        for x in range(w):
            everywhere[:, :, y, x] = embedding
    return torch.cat((local, everywhere), dim=1)


def beside_in_numpy(local, embedding):
    h, w = local.shape[2:]
    everywhere = np.tile(embedding.numpy()[:, :, None, None], (1, 1, h, w))
    return np.concatenate((local.numpy(), everywhere), axis=1)


def fuse_by_parts(local, embedding, weight, bias):
    near, far = weight.split([local.shape[1], embedding.shape[1]], dim=1)
    return F.conv2d(local, near[:, :, None, None]) + F.linear(embedding, far, bias)[:, :, None, None]


def fuse_with_repeating(local, embedding, weight, bias):
    return F.conv2d(beside_by_loop(local, embedding), weight[:, :, None, None], bias)


def fuse_by_matmul(local, embedding, weight, bias):
    c = local.shape[1]
    near = (weight[:, :c] @ local.flatten(2)).view(len(local), -1, *local.shape[2:])
    return near + (embedding @ weight.T[c:] + bias).view(len(local), -1, 1, 1)


def stack_by_cat(gray, side=299):
    small = F.interpolate(gray, size=(side, side), mode="bilinear", align_corners=False, antialias=True)
    return (torch.cat((small, small, small), dim=1) - 0.5) / 0.5


def stack_first(gray, side=299):
    return F.interpolate(2 * gray.repeat(1, 3, 1, 1) - 1, (side, side), mode="bilinear", antialias=True)


def joint_in_their_units(ab, true_ab, logits, label, alpha=1 / 300):
    color = ((ab - true_ab) / 220).square().mean()
    return 220**2 * (color + alpha * F.cross_entropy(logits, label))


def joint_by_hand(ab, true_ab, logits, label, alpha=1 / 300):
    named = logits.log_softmax(dim=1)[torch.arange(len(label)), label]
    return (ab - true_ab).pow(2).sum(1).mean() / 2 - alpha * 48400 * named.mean()


RIGHT = {
    "10.1": [cost_by_loop, cost_by_cdist, cost_as_float],
    "10.2": [beside_by_loop, beside_in_numpy],
    "10.3": [fuse_by_parts, fuse_with_repeating, fuse_by_matmul],
    "10.4": [stack_by_cat, stack_first],
    "10.5": [joint_in_their_units, joint_by_hand],
}

# The same mistakes, written as another person might: they must get the same message.
WRONG = {
    "10.1": [(lambda c, t, a: (t * torch.cdist(c, a)).sum() / len(c), "average distances"), (lambda c, t, a: (t * torch.cdist(c, a) ** 2).sum() / 2, "add up the seasons"), (lambda c, t, a: F.mse_loss(t @ a, c), "average the answers first"), (lambda c, t, a: (t * torch.cdist(c, a) ** 2).sum(1) / 2, "should have shape"), (lambda c, t, a: 0.5 * (t * torch.cdist(c, a) ** 2).mean(), "mean over the messages")],
    "10.2": [(lambda x, g: torch.cat((g[:, :, None, None].expand(-1, -1, *x.shape[2:]), x), 1), "You put the embedding first"), (lambda x, g: torch.cat((x, g.repeat(1, x[0, 0].numel()).reshape(len(x), -1, *x.shape[2:])), 1), "runs on from place to place"), (lambda x, g: torch.cat((x, g[:, :, None, None]), 1), "crashed with RuntimeError"), (lambda x, g: beside_by_loop(x, g[0].expand_as(g)), "embedding of the first")],
    "10.3": [(lambda x, g, w, b: F.conv2d(x, w[:, : x.shape[1], None, None], b) + F.linear(g, w[:, x.shape[1] :], b)[:, :, None, None], "add b twice"), (lambda x, g, w, b: fuse_by_parts(x, g, w, torch.zeros_like(b)), "b is missing"), (lambda x, g, w, b: F.relu(fuse_by_matmul(x, g, w, b)), "what is negative"), (lambda x, g, w, b: F.linear(g, w[:, x.shape[1] :], b), "should have shape")],
    "10.4": [(lambda x, side=299: stack_by_cat(x, side) * 0.5 + 0.5, "lie in 0..1"), (lambda x, side=299: F.interpolate(2 * x - 1, (side, side), mode="bilinear").repeat(1, 3, 1, 1), "without antialias"), (lambda x, side=299: F.interpolate(2 * x.repeat(1, 3, 1, 1) - 1, (side, side)), "For a wide picture"), (lambda x, side=299: stack_by_cat(x, side).permute(1, 0, 2, 3), "should have shape"), (lambda x, side=299: torch.stack([2 * (one - one.min()) / (one.max() - one.min()) - 1 for one in stack_by_cat(x, side)]), "its own range")],
    "10.5": [(lambda ab, t, z, k, alpha=1 / 300: joint_by_hand(ab, t, z, k, alpha / 48400), "Bring alpha to your units"), (lambda ab, t, z, k, alpha=1 / 300: joint_by_hand(ab, t, z, k, alpha / 4), "convert with 110"), (lambda ab, t, z, k, alpha=1 / 300: joint_by_hand(ab, t, F.softmax(z, 1), k, alpha), "take the softmax before"), (lambda ab, t, z, k, alpha=1 / 300: joint_by_hand(ab, t, z, k, alpha).item(), "no gradient flows back"), (lambda ab, t, z, k, alpha=1 / 300: joint_by_hand(ab, t, z.detach(), k, alpha), "no gradient flows back"), (lambda ab, t, z, k, alpha=1 / 300: ((ab - t) / 220).pow(2).mean() + alpha * F.cross_entropy(z, k), "in their units")],
}  # fmt: skip

# The half solved lesson of tests/test_states.py. Its badges must say right for the first, open where there is none, and not yet
# for the others, which crash, make a typical mistake (a number), return nothing, or never end.
HALF = {
    "10.1": "off = torch.cdist(colors, answers) ** 2\nreturn 0.5 * (told * off).sum(dim=1).mean()",
    "10.2": 1,
    "10.3": "return undefined_name(local)",
    "10.5": "color = 0.5 * (ab - true_ab).square().sum(dim=1).mean()",
}
