"""Answers to the exercises of lesson 7, right and wrong, as different people might write them."""

import torch
import torch.nn.functional as F


def table_by_loop(strides, dilations):
    spacing, field, rows = 1, 1, []
    for stride, dilation in zip(strides, dilations, strict=True):
        field += 2 * spacing * dilation
        rows.append([spacing, spacing * dilation, field])
        spacing *= stride
    return torch.tensor(rows)


def table_from_behind(strides, dilations):
    rows = []
    for k in range(len(strides)):
        field = 1
        for stride, dilation in zip(reversed(strides[:k]), reversed(dilations[:k]), strict=True):
            field = (field + 2 * dilations[k] if field == 1 else field) * stride - stride + 1 + 2 * dilation
        if k == 0:
            field = 1 + 2 * dilations[0]
        before = int(torch.tensor(strides[:k]).prod())
        rows.append([before, before * dilations[k], field])
    return torch.tensor(rows)


def cost_by_modules(inputs, outputs, kernel, places):
    numbers, multiplied = [], []
    for i, o, k, p in zip(*(x.tolist() for x in (inputs, outputs, kernel, places)), strict=True):
        conv = torch.nn.Conv2d(i, o, k, device="meta")
        numbers.append(sum(x.numel() for x in conv.parameters()))
        multiplied.append(conv.weight.numel() * p)
    return torch.tensor(numbers), torch.tensor(multiplied)


def fold_by_trying(weight, bias, scale, shift):
    """What a constant picture gives is the bias; the rest is linear."""
    flat = shift.view(1, -1, 1, 1).expand(1, -1, 3, 3)
    return torch.einsum("oihw,i->oihw", weight, scale), F.conv2d(flat, weight, bias).flatten()


def fold_by_loop(weight, bias, scale, shift):
    weight, bias = weight.clone(), bias.clone()
    for i in range(weight.shape[1]):
        bias += weight[:, i].sum(dim=(1, 2)) * shift[i]
        weight[:, i] *= scale[i]
    return weight, bias


def touches_by_convolution(height, width, dilation):
    ones, kernel = torch.ones(1, 1, height, width), torch.ones(1, 1, 3, 3)
    return F.conv2d(ones, kernel, padding=dilation, dilation=dilation)[0, 0] < 9


def touches_by_slices(height, width, dilation):
    mask = torch.ones(height, width, dtype=torch.bool)
    mask[dilation : height - dilation, dilation : width - dilation] = False
    return mask


def combined_by_distance(n1, mean1, var1, n2, mean2, var2):
    n = n1 + n2
    mean = (n1 * mean1 + n2 * mean2) / n
    within = n1 * var1 + n2 * var2
    return mean, (within + n1 * (mean1 - mean) ** 2 + n2 * (mean2 - mean) ** 2) / n


def combined_in_short(n1, mean1, var1, n2, mean2, var2):
    p = n1 / (n1 + n2)
    mean = p * mean1 + (1 - p) * mean2
    return mean, p * var1 + (1 - p) * var2 + p * (1 - p) * (mean1 - mean2) ** 2


RIGHT = {
    "7.1": [table_by_loop, table_from_behind],
    "7.2": [cost_by_modules, lambda i, o, k, p: (o * (i * k * k + 1), o * i * k * k * p)],
    "7.3": [fold_by_trying, fold_by_loop],
    "7.4": [touches_by_convolution, touches_by_slices],
    "7.5": [combined_by_distance, combined_in_short],
}

# The same mistakes, written as another person might: they must get the same message.
WRONG = {
    "7.1": [(lambda s, d: table_by_loop(s, [1] * len(d)), "off in"), (lambda s, d: torch.cat((table_by_loop(s, d)[:, :2], torch.tensor(d).mul(2).cumsum(0).add(1)[:, None]), dim=1), "counted in input pixels"), (lambda s, d: table_by_loop((*s[1:], 1), d) if len(s) < 1 else table_by_loop(s, d) - torch.tensor([0, 0, 1]), "start from 1"), (lambda s, d: table_by_loop(s, d).tolist(), "should be a tensor")],
    "7.2": [(lambda i, o, k, p: (i * o * k * k, i * o * k * k * p), "biases are missing"), (lambda i, o, k, p: (o * (i * k * k + 1), o * (i * k * k + 1) * p), "It is only added"), (lambda i, o, k, p: (o * (i * k * k + 1)).sum(), "expected 2 results")],
    "7.3": [(lambda w, b, s, t: (w * s[:, None, None, None], b + (w * t[None, :, None, None]).sum((1, 2, 3))), "dimension 1"), (lambda w, b, s, t: (w * s[None, :, None, None], b + (w * s[None, :, None, None]).sum((2, 3)) @ t), "use the old weights"), (lambda w, b, s, t: (w * s[None, :, None, None], b.clone()), "shift is lost")],
    "7.4": [(lambda h, w, d: F.conv2d(torch.ones(1, 1, h, w), torch.ones(1, 1, 3, 3), padding=1)[0, 0] < 9, "always one pixel"), (lambda h, w, d: touches_by_slices(h, w, d).float(), "True and False"), (lambda h, w, d: touches_by_convolution(h, w, d).logical_not(), "wrong way round")],
    "7.5": [(lambda n, m, v, k, a, b: ((m + a) / 2, (v + b) / 2 + ((m - a) / 2) ** 2), "Weigh each"), (lambda n, m, v, k, a, b: (combined_in_short(n, m, v, k, a, b)[0], n / (n + k) * v + k / (n + k) * b), "average the variances"), (lambda n, m, v, k, a, b: combined_in_short(n, m, v, k, a, b)[0], "expected 2 results")],
}  # fmt: skip

# The half solved lesson of tests/test_states.py. Its badges must say right for the first, open where there is none, and not yet
# for the others, which crash, make a typical mistake (a number), return nothing, or never end.
HALF = {
    "7.1": "before = torch.tensor((1, *strides[:-1])).cumprod(0)\nstep = before * torch.tensor(dilations)\nreturn torch.stack((before, step, 1 + 2 * step.cumsum(0)), dim=1)",
    "7.2": 0,
    "7.3": "return undefined_name(weight)",
    "7.4": "mask = torch.ones(height, width)",
}
