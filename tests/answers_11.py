"""Answers to the exercises of lesson 11, right and wrong, as different people might write them."""

import numpy as np
import torch
import torch.nn.functional as F


def judge_by_labels(real, fake):
    for_real = F.binary_cross_entropy_with_logits(real, torch.ones_like(real))
    return 0.5 * for_real + 0.5 * F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))


def judge_by_logsigmoid(real, fake):
    return -(F.logsigmoid(real).mean() + F.logsigmoid(-fake).mean()) / 2


def painter_by_labels(fake, made, true, weight=100.0):
    found_out = F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))
    return found_out + weight * F.l1_loss(made / 110, true / 110)


def painter_by_parts(fake, made, true, weight=100.0):
    off = sum((made[:, k] - true[:, k]).abs().mean() for k in (0, 1)) / 2
    return -F.logsigmoid(fake).mean() + weight / 110 * off


def best_by_loop(p, q):
    D, loss = [], 0.0
    for a, b in zip(p.tolist(), q.tolist(), strict=True):
        D.append(a / (a + b) if a + b else 0.5)
        loss -= a * float(np.log(D[-1])) / 2 if a else 0
        loss -= b * float(np.log(1 - D[-1])) / 2 if b else 0
    return torch.tensor(D), torch.tensor(loss)


def best_by_divergence(p, q):
    """ln 2 minus the Jensen-Shannon divergence."""
    middle = (p + q) / 2
    apart = sum((torch.xlogy(x, x) - torch.xlogy(x, middle)).sum() for x in (p, q)) / 2
    return (p / (p + q)).nan_to_num(0.5), torch.log(torch.tensor(2.0)) - apart


def sees_by_steps(strides, pixels):
    side, step = 1, 1
    for stride in strides:
        side += 3 * step
        step *= stride
        pixels = (pixels + 2 - 4) // stride + 1
    return side, pixels


def sees_by_trying(strides, pixels):
    cells = [{x} for x in range(1000)]
    for stride in strides:
        cells = [set.union(*cells[x : x + 4]) for x in range(0, len(cells) - 3, stride)]
    x = torch.zeros(1, 1, 1, pixels)
    for stride in strides:
        x = F.conv1d(F.pad(x[0], (1, 1)), torch.zeros(1, 1, 4), stride=stride)[None]
    return len(cells[0]), x.shape[-1]


def likeliest_by_unravel(joint, centers):
    rows, columns = joint.sum(1), joint.sum(0)
    alone = centers[torch.stack((rows.argmax(), columns.argmax()))]
    return alone, centers[torch.stack(torch.unravel_index(joint.argmax(), joint.shape))]


def likeliest_by_loop(joint, centers):
    K = len(centers)
    rows = [sum(joint[i, j].item() for j in range(K)) for i in range(K)]
    columns = [sum(joint[i, j].item() for i in range(K)) for j in range(K)]
    alone = torch.stack((centers[rows.index(max(rows))], centers[columns.index(max(columns))]))
    i, j = max(((i, j) for i in range(K) for j in range(K)), key=lambda ij: joint[ij].item())
    return alone, torch.stack((centers[i], centers[j]))


def likeliest_from_one_axis(joint, centers):
    """Chooses a first, and then b among the colors with that a."""
    a = joint.sum(1).argmax()
    found = torch.stack((centers[a], centers[joint[a].argmax()]))
    return found, likeliest_by_unravel(joint, centers)[1]


RIGHT = {
    "11.1": [judge_by_labels, judge_by_logsigmoid],
    "11.2": [painter_by_labels, painter_by_parts],
    "11.3": [best_by_loop, best_by_divergence],
    "11.4": [sees_by_steps, sees_by_trying],
    "11.5": [likeliest_by_unravel, likeliest_by_loop],
}

# The same mistakes, written as another person might: they must get the same message.
WRONG = {
    "11.1": [(lambda r, f: -F.logsigmoid(r).mean() - F.logsigmoid(-f).mean(), "guessing costs ln 2"), (lambda r, f: (F.softplus(-r) + F.softplus(f)).mean() / 2, "three true patches and two made up"), (lambda r, f: -0.5 * torch.log(torch.sigmoid(r)).mean() - 0.5 * torch.log(1 - torch.sigmoid(f)).mean(), "its logarithm infinite"), (lambda r, f: judge_by_labels(-r, -f), "call the true patches made up"), (lambda r, f: judge_by_labels(r.detach(), f), "no gradient"), (lambda r, f: judge_by_labels(r, f.detach()), "no gradient"), (lambda r, f: judge_by_labels(r, f.detach().clone()).item(), "no gradient")],
    "11.2": [(lambda f, m, t, weight=100.0: F.logsigmoid(-f).mean() + weight * F.l1_loss(m, t) / 110, "ln(1 - D)"), (lambda f, m, t, weight=100.0: painter_by_labels(-f, m, t, weight), "being found out"), (lambda f, m, t, weight=100.0: painter_by_labels(f, m, t), "always 100"), (lambda f, m, t, weight=100.0: painter_by_labels(f, 110 * m, 110 * t, weight), "Divide the distance by 110"), (lambda f, m, t, weight=100.0: -f.sigmoid().log().mean() + weight * F.l1_loss(m, t) / 110, "surely found out"), (lambda f, m, t, weight=100.0: -F.logsigmoid(f).mean() + weight * (m - t).mean() / 110, "absolute value is missing"), (lambda f, m, t, weight=100.0: painter_by_labels(f, m, t, weight).item(), "no gradient"), (lambda f, m, t, weight=100.0: painter_by_labels(f, m.detach(), t, weight), "no gradient")],
    "11.3": [(lambda p, q: (p / (p + q), best_by_loop(p, q)[1]), "holds NaN"), (lambda p, q: ((q / (p + q)).nan_to_num(0.5), best_by_loop(p, q)[1]), "probability of made up"), (lambda p, q: (best_by_loop(p, q)[0], 2 * best_by_loop(p, q)[1]), "no half"), (lambda p, q: best_by_loop(p, q)[0], "expected 2 results")],
    "11.4": [(lambda s, n: (sees_by_steps(s[::-1], n)[0], sees_by_trying(s, n)[1]), "last convolution first"), (lambda s, n: (3 * len(s) + 1, sees_by_steps(s, n)[1]), "two pixels"), (lambda s, n: (sees_by_steps(s, n)[0], n // int(np.prod(s))), "only divide by the strides"), (lambda s, n: (min(sees_by_steps(s, n)[0], n), sees_by_steps(s, n)[1]), "stop at the side of the picture"), (lambda s, n: float(sees_by_steps(s, n)[0]), "expected 2 results")],
    "11.5": [(lambda p, c: (torch.stack((c[p.max(1).values.argmax()], c[p.max(0).values.argmax()])), likeliest_by_loop(p, c)[1]), "sum of its row"), (lambda p, c: (likeliest_by_loop(p.T, c)[0], likeliest_by_loop(p, c)[1]), "rows for columns"), (likeliest_from_one_axis, "expected"), (lambda p, c: (likeliest_by_loop(p, c)[0], torch.stack((c[p.argmax() // 10], c[p.argmax() % 10]))), "7 bins"), (lambda p, c: likeliest_by_loop(p, c)[1], "expected 2 results")],
}  # fmt: skip

# The half solved lesson of tests/test_states.py. Its badges must say right for the first, open where there is none, and not yet
# for the others, which crash, make a typical mistake (a number), return nothing, or never end.
HALF = {
    "11.1": "return (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2",
    "11.2": 0,
    "11.3": "return undefined_name(p)",
    "11.4": "side, cells = 1, pixels",
}
