"""Typical mistakes in lesson 10, each with the message it gets."""

import torch
import torch.nn.functional as F

from .lesson_10 import beside, cost, fuse, joint_loss, stack


def _off(colors, answers):
    return (colors[:, None] - answers[None]).square().sum(dim=2)


def _tiled(local, embedding):
    """The numbers of the embedding one after the other, laid out in rows: each place gets another one."""
    (n, e), (h, w) = embedding.shape, local.shape[2:]
    return torch.cat((local, embedding.repeat(1, h * w).view(n, e, h, w)), dim=1)


def _squash(gray, side, **how):
    return F.interpolate(gray, (side, side), mode="bilinear", **how)


def _cropped(gray, side):
    """The square in the middle, then the same as right."""
    short, (h, w) = min(gray.shape[2:]), gray.shape[2:]
    top, left = (h - short) // 2, (w - short) // 2
    return stack(gray[:, :, top : top + short, left : left + short], side)


def _stretched(gray, side):
    """Each picture's darkest value at -1 and its lightest at 1."""
    x = stack(gray, side)
    low, high = x.amin(dim=(1, 2, 3), keepdim=True), x.amax(dim=(1, 2, 3), keepdim=True)
    return 2 * (x - low) / (high - low) - 1


def _color(ab, true_ab):
    return 0.5 * (ab - true_ab).square().sum(dim=1).mean()


def _joint(factor, reduction="mean", color=_color):
    """The loss with another factor on alpha, another sum over pictures, or another loss of the colors."""
    return lambda ab, true, z, label, alpha=1 / 300: (
        color(ab, true) + alpha * factor * F.cross_entropy(z, label, reduction=reduction)
    )


MISTAKES = {
    "10.1": (
        (
            lambda c, t, a: 2 * cost(c, t, a),
            "You leave out the half. The loss is half the squared distance, as in lesson 3.",
        ),
        (
            lambda c, t, a: (t * _off(c, a).sqrt()).sum(dim=1).mean(),
            "You average distances. The squared loss averages their squares, and halves them.",
        ),
        (
            lambda c, t, a: 0.5 * (t * _off(c, a)).sum(),
            "You add up the seasons. Each comes half of the time (one in S): take the mean over them.",
        ),
        (
            lambda c, t, a: 0.5 * _off(c, a).mean(),
            "You take all messages for equally frequent. Each has its probability in its season: weigh with told.",
        ),
        (
            lambda c, t, a: 0.5 * (c - t @ a).square().sum(dim=1).mean(),
            "You average the answers first. A mean of answers can be right where each of them is wrong: the loss first, then the mean.",
        ),
        (
            lambda c, t, a: 0.5 * (t.T * _off(c, a)).sum(dim=1).mean(),
            "You read told the wrong way round. Its rows are seasons, its columns messages.",
        ),
        (
            lambda c, t, a: 0.5 * cost(c, t, a),
            "You take the mean over a and b. Their two squares are added: the distance has both in it.",
        ),
        (
            lambda c, t, a: cost(c, t, a) / t.shape[1],
            "You take the mean over the messages. Their probabilities add up to 1 already: sum over messages, mean over seasons.",
        ),
    ),
    "10.2": (
        (
            lambda x, g: torch.cat((beside(x, g)[:, x.shape[1] :], x), dim=1),
            "You put the embedding first. The local features come first: the weights of the convolution are in that order.",
        ),
        (
            _tiled,
            "Your embedding runs on from place to place: repeat and view mix its numbers. Give it two dimensions of length 1, then expand.",
        ),
        (
            lambda x, g: beside(x, g[:1].expand_as(g)),
            "All pictures get the embedding of the first. Each has its own.",
        ),
        (
            lambda x, g: beside(x, g.mean(dim=0, keepdim=True).expand_as(g)),
            "All pictures get the mean embedding. Each has its own.",
        ),
        (
            lambda x, g: beside(x, g / (x.shape[2] * x.shape[3])),
            "You share the embedding out among the places. Every place gets all of it, undivided.",
        ),
        (
            lambda x, g: beside(x, g)[:, x.shape[1] :],
            "The local features are gone. Return both, local first.",
        ),
    ),
    "10.3": (
        (
            lambda x, g, w, b: fuse(x, g, w, 0 * b),
            "The shift b is missing.",
        ),
        (
            lambda x, g, w, b: fuse(x, g, w, 2 * b),
            "You add b twice, once in each part. It belongs to one of them.",
        ),
        (
            lambda x, g, w, b: fuse(x, g, torch.cat((w[:, g.shape[1] :], w[:, : g.shape[1]]), dim=1), b),
            "You give the first columns of the weight to the embedding. The first C belong to the local features.",
        ),
        (
            lambda x, g, w, b: fuse(x, g, w, b).relu(),
            "You cut off what is negative. The ReLU comes after the fusion; leave it out here.",
        ),
        (
            lambda x, g, w, b: fuse(x, g[:1].expand_as(g), w, b),
            "All pictures are shifted by the embedding of the first. Each has its own shift.",
        ),
        (
            lambda x, g, w, b: fuse(x, 0 * g, w, b),
            "The embedding is missing: add its product with the last E columns of the weight, the same at every place.",
        ),
        (
            lambda x, g, w, b: fuse(x, x.shape[2] * x.shape[3] * g, w, b),
            "Your shift is as many times too large as there are places. It is added once at each of them.",
        ),
    ),
    "10.4": (
        (
            lambda x, side=299: (stack(x, side) + 1) / 2,
            "Your values lie in 0..1. Inception was trained on -1..1; nothing would crash, and the embedding would be wrong.",
        ),
        (
            lambda x, side=299: 255 * (stack(x, side) + 1) / 2,
            "Your values lie in 0..255. Inception was trained on -1..1.",
        ),
        (
            lambda x, side=299: stack(x, side) / 2,
            "Your values lie in -1/2..1/2. Inception was trained on -1..1: 2 x - 1.",
        ),
        (
            _cropped,
            "You cut out the square in the middle. What stands at the border belongs to the whole: squash the picture.",
        ),
        (
            lambda x, side=299: 2 * _squash(x, side).expand(-1, 3, -1, -1) - 1,
            "You squash without antialias: most pixels of a large picture then count for nothing. Pass antialias=True.",
        ),
        (
            lambda x, side=299: stack(x, side)[:, :1],
            "You have one channel. Inception takes three: the same one three times.",
        ),
        (
            lambda x, side=299: torch.cat((stack(x, side)[:, :1], 0 * stack(x, side)[:, :2]), dim=1),
            "Your second and third channel are empty. A gray picture has the same red, green and blue.",
        ),
        (
            _stretched,
            "You stretch each picture to its own range. What is dark must stay dark: 0 becomes -1 and 1 becomes 1, whatever is shown.",
        ),
    ),
    "10.5": (
        (
            _joint(1),
            "You add colors in ab units to classes weighted for colors in 0..1. Bring alpha to your units: times 220 squared.",
        ),
        (
            _joint(220),
            "You convert with 220. The loss of the colors is a square, and so is the factor: 220 squared.",
        ),
        (
            _joint(110**2),
            "You convert with 110. From one end to the other, -110 to 110, there are 220 ab units.",
        ),
        (
            _joint(220**2, "sum"),
            "You add up the cross-entropy of the pictures. Take its mean, as for the colors.",
        ),
        (
            _joint(220**2, color=lambda ab, true: 2 * _color(ab, true)),
            "You leave out the half before the squared distance of the colors.",
        ),
        (
            lambda ab, true, z, label, alpha=1 / 300: joint_loss(ab, true, z.softmax(dim=1), label, alpha),
            "You take the softmax before F.cross_entropy, which takes it itself. Give it the logits.",
        ),
        (
            lambda ab, true, z, label, alpha=1 / 300: (1 - alpha) * _color(ab, true) + alpha * 220**2 * F.cross_entropy(z, label),
            "You weigh the colors with 1 - alpha. They count in full; alpha belongs to the classes alone.",
        ),
        (
            lambda ab, true, z, label, alpha=1 / 300: joint_loss(ab, true, z, label, alpha) / 220**2,
            "Your loss is in their units: both parts are 220 squared times too small. Leave the colors in ab units, bring alpha to them.",
        ),
    ),
}  # fmt: skip
