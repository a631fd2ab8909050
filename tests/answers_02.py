"""Answers to the exercises of lesson 2, right and wrong, as different people might write them."""

import torch

from colorize.lab import lab_to_xyz, xyz_to_linear


def hull_by_matplotlib(points, cloud):
    from matplotlib.path import Path
    from scipy.spatial import ConvexHull

    corners = cloud.double().numpy()[ConvexHull(cloud.double().numpy()).vertices]
    return torch.from_numpy(Path(corners).contains_points(points.numpy()))


def keep_by_loop(grid, colors, reach=10.0):
    copies = [colors + torch.tensor([i * reach, j * reach]) for i in (-1, 1) for j in (-1, 1)]
    return hull_by_matplotlib(grid, torch.cat(copies))


def keep_by_concatenation(grid, colors, reach):
    wide = torch.cat((colors + torch.tensor([reach, 0.0]), colors - torch.tensor([reach, 0.0])))
    return hull_by_matplotlib(
        grid, torch.cat((wide + torch.tensor([0.0, reach]), wide - torch.tensor([0.0, reach])))
    )


def displayable_by_min_and_max(lab):
    light = xyz_to_linear(lab_to_xyz(lab))
    return (light.amin(dim=-3) >= 0) & (light.amax(dim=-3) <= 1)


def displayable_by_channel(lab):
    good = torch.ones_like(lab.select(-3, 0), dtype=torch.bool)
    for channel in xyz_to_linear(lab_to_xyz(lab)).unbind(-3):
        good &= channel.clamp(0, 1) == channel
    return good


def nearest_by_loop(ab, centers):
    return torch.tensor([int(((centers - color) ** 2).sum(1).argmin()) for color in ab])


def soft_by_softmax(ab, centers, neighbors=5, sigma=5.0):
    squared = (ab[:, None] - centers).square().sum(-1)
    near, index = squared.sort(dim=1)
    return index[:, :neighbors], torch.softmax(near[:, :neighbors] / (-2 * sigma * sigma), dim=1)


def soft_by_loop(ab, centers, neighbors=5, sigma=5.0):
    rows = []
    for color in ab:
        distance = (centers - color).norm(dim=1)
        index = distance.argsort()[:neighbors].flip(0)  # farthest first: the order is free
        weight = (-distance[index].pow(2) / (2 * sigma**2)).exp()
        rows.append((index, weight / weight.sum()))
    return torch.stack([i for i, _ in rows]), torch.stack([w for _, w in rows])


def decode_by_softmax(index, weight, centers, T=1.0):
    return torch.einsum("mk,mkc->mc", torch.softmax(weight.log() / T, dim=1), centers[index])


def decode_by_loop(index, weight, centers, T=1.0):
    rows = []
    for i, w in zip(index, weight, strict=True):
        sharp = w.pow(1 / T)
        rows.append((sharp[:, None] * centers[i]).sum(0) / sharp.sum())
    return torch.stack(rows)


RIGHT = {
    "2.1": [lambda ab, spacing: (ab / spacing + 0.5).floor() * spacing, lambda ab, spacing: ab - torch.remainder(ab + spacing / 2, spacing) + spacing / 2],
    "2.2": [displayable_by_min_and_max, displayable_by_channel],
    "2.3": [keep_by_loop, keep_by_concatenation],
    "2.4": [nearest_by_loop, lambda ab, centers: (-torch.cdist(ab, centers)).max(dim=1).indices],
    "2.5": [soft_by_softmax, soft_by_loop],
    "2.6": [decode_by_softmax, decode_by_loop],
}  # fmt: skip

# The same mistakes, written as another person might: they must get the same message.
WRONG = {
    "2.1": [(lambda ab, spacing: ab // spacing * spacing, "always round down"), (lambda ab, spacing: (ab / spacing).int() * spacing, "cut off towards zero")],
    "2.2": [(lambda lab: displayable_by_min_and_max(lab) | True, "Everything is displayable"), (lambda lab: xyz_to_linear(lab_to_xyz(lab)).amin(-3) >= 0, "only test against 0")],
    "2.3": [(lambda grid, colors, reach: hull_by_matplotlib(grid, colors), "not widened"), (lambda grid, colors, reach: keep_by_loop(grid, colors, 8.0), "your rule keeps")],
    "2.4": [(lambda ab, centers: nearest_by_loop(centers, ab), "the other dimension"), (lambda ab, centers: centers[nearest_by_loop(ab, centers)], "Wanted is its number")],
    "2.5": [(lambda ab, centers, k, s: (soft_by_loop(ab, centers, k, s)[0], 3 * soft_by_loop(ab, centers, k, s)[1]), "sum to 3.000, not to 1"), (lambda ab, centers, k, s: soft_by_softmax(ab, centers, k, s / 2**0.5), "The 2 is missing")],
    "2.6": [(lambda i, w, c, T: decode_by_loop(i, w, c, 1 / T), "wrong way round"), (lambda i, w, c, T: decode_by_loop(i, w, c)[:, [1, 0]], "off in")],
}  # fmt: skip

# The half solved lesson of tests/test_states.py. Its badges must say right for the first, open where there is none, and not yet
# for the others, which crash, make a typical mistake (a number), return nothing, or never end.
HALF = {
    "2.1": "return torch.round(ab / spacing) * spacing",
    "2.3": "return undefined_name(grid)",
    "2.4": 1,
    "2.5": "distance = torch.cdist(ab, centers)",
    "2.6": "while T > 0:\n    pass",
}
