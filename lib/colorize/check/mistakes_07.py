"""Typical mistakes in lesson 7, each with the message it gets."""

import torch

from .lesson_07 import combine, cost, fold, table, touches


def _with_field(right, field):
    return torch.stack((right[:, 0], right[:, 1], field), dim=1)


def _field_of(strides, dilations, apart):
    return _with_field(table(strides, dilations), 1 + 2 * apart.cumsum(0))


def _from_strides(before, dilations):
    apart = before * torch.tensor(dilations)
    return torch.stack((before, apart, 1 + 2 * apart.cumsum(0)), dim=1)


MISTAKES = {
    "7.1": (
        (
            lambda s, d: _from_strides(torch.tensor(s).cumprod(0), d),
            "You count a layer's own stride. Its kernel looks at what comes in: multiply the strides of the layers before.",
        ),
        (
            lambda s, d: _from_strides(torch.tensor((1, *s[:-1])), d),
            "You take the stride of the one layer before. Multiply those of all layers before.",
        ),
        (
            lambda s, d: torch.stack(
                (table(s, d)[:, 0], torch.tensor(d), 1 + 2 * torch.tensor(d).cumsum(0)), dim=1
            ),
            "Your dilation is counted in the pixels of the layer before. Input pixels are wanted: times the accumulated stride.",
        ),
        (
            lambda s, d: _field_of(s, d, torch.tensor(d)),
            "Your field grows by the layer's dilation. It grows by the effective dilation, which is counted in input pixels.",
        ),
        (
            lambda s, d: _with_field(table(s, d), 1 + table(s, d)[:, 1].cumsum(0)),
            "Your field grows on one side only. A 3 x 3 kernel reaches one effective dilation to the left and one to the right.",
        ),
        (
            lambda s, d: _with_field(table(s, d), table(s, d)[:, 2] - 1),
            "Your field begins at 0. A pixel alone sees 1 pixel, itself: start from 1.",
        ),
        (
            lambda s, d: _with_field(table(s, d), 1 + 2 * table(s, d)[:, 1]),
            "Your field is what one kernel spans. Add it up over all layers so far.",
        ),
        (
            lambda s, d: _with_field(table(s, d), 1 + 3 * table(s, d)[:, 1].cumsum(0)),
            "Your field grows by three effective dilations. From the first to the last of three elements there are two steps.",
        ),
    ),
    "7.2": (
        (
            lambda i, o, k, p: (i * o * k**2, i * o * k**2 * p),
            "The biases are missing: each output channel has one number more.",
        ),
        (
            lambda i, o, k, p: (i * o * k + o, i * o * k * p),
            "A kernel of side k has k times k elements. You count k.",
        ),
        (
            lambda i, o, k, p: (i * o * k**2 + i, i * o * k**2 * p),
            "You count a bias for each input channel. Each output channel has one.",
        ),
        (
            lambda i, o, k, p: (cost(i, o, k, p)[0], cost(i, o, k, p)[0] * p),
            "You count the bias among the multiplications. It is only added.",
        ),
        (
            lambda i, o, k, p: (cost(i, o, k, p)[0], 2 * cost(i, o, k, p)[1]),
            "You count multiplication and addition apart. A multiply-add is one of each.",
        ),
        (
            lambda i, o, k, p: (cost(i, o, k, p)[0], i * o * p),
            "The kernel is missing in your multiply-adds: k times k of them for each pair of channels at each place.",
        ),
        (
            lambda i, o, k, p: (o * k**2 + o, o * k**2 * p),
            "Each output channel looks at all input channels: the weights are inputs times outputs times k times k.",
        ),
    ),
    "7.3": (
        (
            lambda w, b, s, t: (w * s.view(-1, 1, 1, 1), fold(w, b, s, t)[1]),
            "You scale the output channels. The batch norm comes before the convolution: its channels are the inputs, dimension 1.",
        ),
        (
            lambda w, b, s, t: (fold(w, b, s, t)[0], b),
            "The shift is lost. It passes through the weights and ends in the bias.",
        ),
        (
            lambda w, b, s, t: (fold(w, b, s, t)[0], b + t),
            "You add the shift itself to the bias. It passes through the weights first: each shift times all weights on its channel.",
        ),
        (
            lambda w, b, s, t: (fold(w, b, s, t)[0], b + w[:, :, 1, 1] @ t),
            "You pass the shift through the middle of the kernel only. All nine elements see it: sum over them.",
        ),
        (
            lambda w, b, s, t: (fold(w, b, s, t)[0], b + w.sum(dim=(2, 3)) @ (s * t)),
            "You pass the shift through the scaled weights. The shift is added after the scaling: use the old weights.",
        ),
        (
            lambda w, b, s, t: (fold(w, b, s, t)[0], s * b + w.sum(dim=(2, 3)) @ t),
            "You scale the bias. It is added by the convolution, after the batch norm: it stays, plus the shift's part.",
        ),
        (
            lambda w, b, s, t: (w / s.view(1, -1, 1, 1), fold(w, b, s, t)[1]),
            "You divide by the scale. The batch norm multiplies by it, and so must the weights.",
        ),
    ),
    "7.4": (
        (
            lambda h, w, d: touches(h, w, 1),
            "Your border is always one pixel wide. With dilation d the kernel reaches d pixels far.",
        ),
        (
            lambda h, w, d: ~touches(h, w, d),
            "Your mask is the wrong way round: True where the kernel reaches over the edge.",
        ),
        (
            lambda h, w, d: touches(h, w, 2 * d),
            "Your border is twice too wide. The kernel spans 2 d + 1 pixels, but reaches only d to each side.",
        ),
        (
            lambda h, w, d: (torch.arange(h)[:, None] < d) | (torch.arange(w) < d),
            "You mark the top and the left. The bottom and the right have an edge, too.",
        ),
        (
            lambda h, w, d: touches(h, 10**6, d)[:, :1] & touches(10**6, w, d)[500_000:500_001],
            "You mark the corners. One edge is enough: or, not and.",
        ),
    ),
    "7.5": (
        (
            lambda n, m, v, k, a, b: (combine(n, m, v, k, a, b)[0], (n * v + k * b) / (n + k)),
            "You average the variances. Two halves with different means are farther apart than each is in itself: add the part that comes from the means.",
        ),
        (
            lambda n, m, v, k, a, b: combine(1, m, v, 1, a, b),
            "You count both parts alike. Weigh each with its number of pixels.",
        ),
        (
            lambda n, m, v, k, a, b: (combine(n, m, v, k, a, b)[0], v + b),
            "You add the variances, as for a sum of two random numbers. Here two heaps of numbers are put together.",
        ),
        (
            lambda n, m, v, k, a, b: (
                combine(n, m, v, k, a, b)[0],
                (n * v + k * b) / (n + k) + (m - a).square(),
            ),
            "Your part from the means is too large: each mean is only some way from the common one, not from the other.",
        ),
        (
            lambda n, m, v, k, a, b: (combine(n, m, v, k, a, b)[0], combine(n, m, v, k, a, b)[1].sqrt()),
            "You return the standard deviation. Wanted is the variance, its square.",
        ),
        (
            lambda n, m, v, k, a, b: (
                combine(n, m, v, k, a, b)[0],
                combine(n, m, v, k, a, b)[1] * (n + k) / (n + k - 1),
            ),
            "You divide by one pixel less than there are. Batch norm normalizes with the plain mean of the squares.",
        ),
        (
            lambda n, m, v, k, a, b: (
                combine(n, m, v, k, a, b)[0],
                (n * (v + m**2) + k * (b + a**2)) / (n + k),
            ),
            "You return the mean of the squares. Subtract the square of the common mean.",
        ),
    ),
}
