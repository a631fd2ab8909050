"""Weights between neighbors against loops, and the matrix against the sum that it stands for."""

import math

import numpy as np
import pytest
import torch

from colorize.neighbors import check, check_positive, contrast_weights, laplacian


def test_weights_pair_by_pair():
    light = 100 * torch.rand(2, 1, 4, 5, generator=torch.Generator().manual_seed(0))
    right, down = contrast_weights(light, sigma=20.0)
    assert right.shape == (2, 4, 4) and down.shape == (2, 3, 5)
    for n, y, x in np.ndindex(2, 4, 5):
        for weight, v, u in ((right, y, x + 1), (down, y + 1, x)):
            if v < 4 and u < 5:
                step = (light[n, 0, v, u] - light[n, 0, y, x]).item()
                assert weight[n, y, x].item() == pytest.approx(math.exp(-(step**2) / 800), rel=1e-4)
    assert all((w == 1).all() for w in contrast_weights(light, sigma=math.inf))


def test_the_matrix_is_the_sum_of_squares():
    generator = torch.Generator().manual_seed(0)
    right, down = torch.rand(4, 4, generator=generator), torch.rand(3, 5, generator=generator)
    matrix = laplacian(right, down)
    x = torch.randn(4, 5, generator=generator)
    wanted = (right * x.diff(dim=1) ** 2).sum() + (down * x.diff(dim=0) ** 2).sum()
    flat = x.double().numpy().ravel()
    assert flat @ (matrix @ flat) == pytest.approx(wanted.item(), rel=1e-5)
    assert abs(matrix - matrix.T).max() == 0
    np.testing.assert_allclose(matrix.sum(axis=1), 0, atol=1e-12)
    assert laplacian(torch.empty(1, 0), torch.empty(0, 1)).toarray().tolist() == [[0.0]]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: contrast_weights(torch.zeros(2, 3)),
            r"lightness must have shape \(N, 1, H, W\), got \(2, 3\)",
        ),
        (lambda: contrast_weights(torch.zeros(1, 1, 2, 2), sigma=0), "sigma must be above 0, got 0"),
        (lambda: contrast_weights(torch.zeros(1, 1, 2, 2), sigma="5"), "sigma must be a number, got str"),
        (
            lambda: contrast_weights(torch.zeros(1, 1, 2, 2, dtype=torch.int64)),
            "lightness must be a tensor of floats",
        ),
        (lambda: laplacian(torch.ones(2, 3), torch.ones(2, 4)), "right and down must have shapes"),
        (
            lambda: check(torch.zeros(1, 2, 3, 4), 2, "ab", like=torch.zeros(1, 1, 3, 3)),
            r"ab must have shape \(1, 2, 3, 3\)",
        ),
        (lambda: check_positive(float("nan"), "x"), "x must be above 0, got nan"),
    ],
)
def test_mistakes_get_one_sentence(call, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        call()
