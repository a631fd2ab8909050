"""Answers to the exercises of lesson 12, right and wrong, as different people might write them."""

import math

import numpy as np
import torch


def prefer_by_powers(logits, bias, centers):
    """Bayes: the probability times e to the bias, scaled."""
    p = logits.softmax(dim=1) * bias.exp().view(-1, 1, 1)
    p = p / p.sum(dim=1, keepdim=True)
    return (p[:, :, None] * centers[None, :, :, None, None]).sum(dim=1)


def prefer_by_pixel(logits, bias, centers):
    N, Q, H, W = logits.shape
    flat = logits.permute(0, 2, 3, 1).reshape(-1, Q) + bias
    return (torch.softmax(flat, 1) @ centers).view(N, H, W, 2).permute(0, 3, 1, 2)


def unsure_by_loop(p, sector, chroma, sectors=32):
    found = []
    for row in p:
        h = [sum(row[q].item() for q in range(len(row)) if sector[q] == k and chroma[q] > 0) for k in range(sectors)]  # fmt: skip
        total = sum(h) or 1.0  # gray for certain
        entropy = -sum(x / total * math.log(x / total) for x in h if x > 0)
        found.append(entropy * sum((row * chroma).tolist()))
    return torch.tensor(found)


def unsure_by_scatter(p, sector, chroma, sectors=32):
    colored = p * (chroma != 0)
    h = torch.zeros(p.shape[0], sectors).scatter_add_(1, sector.expand(p.shape), colored)
    h = torch.nan_to_num(h / colored.sum(1)[:, None])
    return -torch.xlogy(h, h).sum(1) * (p * chroma).sum(1)


def ranks_by_comparison(source, reference):
    rank = (source[:, None] > source[None]).sum(dim=1)
    return torch.sort(reference)[0][rank]


def ranks_in_numpy(source, reference):
    result = np.empty(len(reference))
    result[np.argsort(source.numpy())] = np.sort(reference.numpy())
    return result


def energy_in_steps(log_y, bias, target, lam=10.0):
    y = torch.softmax(log_y + bias, dim=1)
    kl = torch.nn.functional.kl_div(log_y, y, reduction="batchmean")
    m = y.mean(0)
    chi = 0.5 * torch.sum((m - target).square() / (m + target))
    return kl + lam * chi


def energy_by_loop(log_y, bias, target, lam=10.0):
    ys, kl = [], 0.0
    for row in log_y:
        y = row.exp() * bias.exp()
        y = y / y.sum()
        ys.append(y)
        kl += float((y * (y.log() - row)).sum()) / len(log_y)
    m = sum(ys) / len(ys)
    return kl + lam * float(((m - target) ** 2 / (2 * (m + target))).sum())


def shares_by_softmax(y, near, spread=0.6):
    both = torch.hstack((y.unsqueeze(1), near))
    variance = ((both - both.mean(1, keepdim=True)) ** 2).mean(1, keepdim=True)
    return torch.softmax(-(near - y.unsqueeze(1)).square() / spread / variance.clamp_min(2e-6), dim=1)


def shares_by_loop(y, near, spread=0.6):
    rows = []
    for own, others in zip(y.double().numpy(), near.double().numpy(), strict=True):
        variance = max(np.append(others, own).var(), 2e-6)
        w = np.exp(-((others - own) ** 2) / (spread * variance))
        rows.append(torch.tensor(w / w.sum()))
    return torch.stack(rows)


def like_by_loop(ab, lightness, distance, sigma_s=3.0, sigma_l=4.0):
    total, color = 0.0, torch.zeros(2)
    for c, light, d in zip(ab, lightness, distance, strict=True):
        w = math.exp(
            -(float(d) ** 2) / (2 * sigma_s**2) - float(light - lightness[0]) ** 2 / (2 * sigma_l**2)
        )
        total, color = total + w, color + w * c
    return color / total


def like_by_weights(ab, lightness, distance, sigma_s=3.0, sigma_l=4.0):
    w = torch.exp(-0.5 * (distance / sigma_s) ** 2) * torch.exp(
        -0.5 * ((lightness - lightness[0]) / sigma_l) ** 2
    )
    return (w[:, None] * ab).sum(dim=0) / w.sum()


RIGHT = {
    "12.1": [prefer_by_powers, prefer_by_pixel],
    "12.2": [unsure_by_loop, unsure_by_scatter],
    "12.3": [ranks_by_comparison, ranks_in_numpy],
    "12.4": [energy_in_steps, energy_by_loop],
    "12.5": [shares_by_softmax, shares_by_loop],
    "12.6": [like_by_loop, like_by_weights],
}

# The same mistakes, written as another person might: they must get the same message.
WRONG = {
    "12.1": [(lambda z, b, c: torch.einsum("nqhw,qc->nchw", z.softmax(1) + b.view(-1, 1, 1), c), "belongs to the logits"), (lambda z, b, c: prefer_by_powers(z, -b, c), "You subtract the bias"), (lambda z, b, c: prefer_by_pixel(z, b, c).movedim(1, -1), "should have shape"), (lambda z, b, c: prefer_by_powers(z, b * 0, c), "no effect")],
    "12.2": [(lambda p, s, c, sectors=32: unsure_by_scatter(p, s, c + 1e-9, sectors), "count gray as a hue"), (lambda p, s, c, sectors=32: -torch.xlogy(p, p).sum(1) * (p @ c), "entropy over all bins"), (lambda p, s, c, sectors=32: (lambda h: -(h / h.sum(1, keepdim=True) * (h / h.sum(1, keepdim=True)).log()).nansum(1) * (p @ c) / 0.6931472)(torch.stack([(p * ((s == k) & (c > 0))).sum(1) for k in range(sectors)], 1)), "count in bits"), (lambda p, s, c, sectors=32: (lambda h: -(h / h.sum(1, keepdim=True) * (h / h.sum(1, keepdim=True)).log()).sum(1) * (p @ c))(torch.stack([(p * ((s == k) & (c > 0))).sum(1) for k in range(sectors)], 1)), "NaN")],
    "12.3": [(lambda s, r: torch.sort(r)[0][torch.sort(s)[1]], "argsort of argsort"), (lambda s, r: ranks_by_comparison(-s, r), "upside down"), (lambda s, r: r[ranks_by_comparison(s, torch.arange(len(s)))], "Sort it first"), (lambda s, r: s.argsort().argsort(), "should hold numbers with decimals")],
    "12.4": [(lambda z, b, t, lam=10.0: energy_in_steps(z, b, t, 2 * lam), "factor 1/2"), (lambda z, b, t, lam=10.0: energy_in_steps(z, b, t, 1.0) + (lam - 1) * energy_in_steps(z, b, t, 0.0), "Lambda belongs to the other term"), (lambda z, b, t, lam=10.0: energy_by_loop(z, b, t, lam) + (len(z) - 1) * energy_by_loop(z, b, t, 0.0), "add up the KL"), (lambda z, b, t, lam=10.0: torch.special.entr(z.exp()), "the energy")],
    "12.5": [(lambda y, n, spread=0.6: shares_by_loop(y, n, spread * 2), "exponent is halved"), (lambda y, n, spread=0.6: shares_by_softmax(y, n), "do not use spread"), (lambda y, n, spread=0.6: shares_by_softmax(y, n, spread)[:, :1], "should have shape"), (lambda y, n, spread=0.6: torch.softmax(-(n - y[:, None]) ** 2 / spread / torch.hstack((y[:, None], n)).var(1, keepdim=True).clamp(2e-6), 1), "correction=0")],
    "12.6": [(lambda ab, L, d, s=3.0, t=4.0: like_by_loop(ab, 0 * L, d, s, t), "colors bleed"), (lambda ab, L, d, s=3.0, t=4.0: like_by_loop(ab, L, 0 * d, s, t), "look at the distance"), (lambda ab, L, d, s=3.0, t=4.0: like_by_weights(ab, L, d, t, s), "changed places"), (lambda ab, L, d, s=3.0, t=4.0: like_by_weights(ab, L, d, s, t)[None], "should have shape")],
}  # fmt: skip

# The half solved lesson of tests/test_states.py. Its badges must say right for the first, open where there is none, and not yet
# for the others, which crash, make a typical mistake (a number), return nothing, or never end.
HALF = {
    "12.1": 'p = torch.softmax(logits + bias.view(1, -1, 1, 1), dim=1)\nreturn torch.einsum("nqhw,qc->nchw", p, centers)',
    "12.2": 0,
    "12.3": "return undefined_name(source)",
    "12.4": 1,
    "12.6": "near = torch.exp(-(distance**2))",
}
