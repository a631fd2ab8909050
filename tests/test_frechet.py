"""The Frechet distance: closed forms, SciPy's matrix root, and what few pictures do to it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from colorize.frechet import Moments, frechet_distance, moments, root


def given_moments(mean, covariance, count=100):
    found = Moments(len(mean))
    found.count, found.mean = count, torch.as_tensor(mean, dtype=torch.float64)
    found._scatter = torch.as_tensor(covariance, dtype=torch.float64) * (count - 1)
    return found


def vectors(seed, count=50, size=4):
    random = torch.Generator().manual_seed(seed)
    mixed = torch.randn(size, size, generator=random, dtype=torch.float64)
    return torch.randn(count, size, generator=random, dtype=torch.float64) @ mixed


def test_moments_are_numpys_whatever_the_batches():
    values = vectors(0) + 1e6  # a large mean, a small spread
    for size in (1, 7, 50):
        found = Moments(4)
        for part in values.split(size):
            found.update(part)
        found.update(values[:0])
        assert found.count == 50
        assert found.mean.numpy() == pytest.approx(values.numpy().mean(axis=0), rel=1e-12)
        assert found.covariance.numpy() == pytest.approx(np.cov(values.numpy().T), rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6))
def test_the_distance_is_that_of_scipys_root(seed, size):
    first, second = moments(vectors(seed, 30, size)), moments(vectors(seed + 1, 40, size) + 1)
    c1, c2 = first.covariance.numpy(), second.covariance.numpy()
    expected = ((first.mean - second.mean) ** 2).sum().item() + np.trace(
        c1 + c2 - 2 * np.real(sqrtm(c1 @ c2))
    )
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert frechet_distance(second, first) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_diagonal_covariances_have_a_closed_form():
    a, b = given_moments([0, 0, 0], np.diag([1.0, 4, 9])), given_moments([3, 0, 4], np.diag([4.0, 4, 1]))
    assert frechet_distance(a, b) == pytest.approx(25 + 1 + 0 + 4)  # |m|^2 and (s1 - s2)^2
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-12)


def test_a_shift_alone():
    values = vectors(3)
    assert frechet_distance(moments(values), moments(values + 2)) == pytest.approx(16)


def test_turning_all_features_changes_nothing():
    first, second = vectors(4), vectors(5)
    turn = torch.linalg.qr(
        torch.randn(4, 4, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    )[0]
    plain = frechet_distance(moments(first), moments(second))
    assert frechet_distance(moments(first @ turn), moments(second @ turn)) == pytest.approx(plain)


def test_covariances_of_low_rank():
    few = vectors(7, count=3, size=6)  # rank 2 of 6
    assert frechet_distance(moments(few), moments(few)) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(moments(few), moments(few + 1)) == pytest.approx(
        6, abs=1e-4
    )  # roots of rounding errors


def test_few_vectors_are_far_apart_by_chance():
    random = torch.Generator().manual_seed(8)
    found = [
        frechet_distance(*(moments(torch.randn(count, 10, generator=random)) for _ in range(2)))
        for count in (5, 50, 500, 5000)
    ]
    assert found == sorted(found, reverse=True)
    assert found[0] > 100 * found[-1] > 0


def test_root():
    matrix = moments(vectors(9)).covariance
    assert torch.allclose(root(matrix) @ root(matrix), matrix)
    assert torch.allclose(root(matrix), root(matrix).T)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Moments(3).update(torch.zeros(2, 4)), r"must have shape \(N, 3\), got \(2, 4\)"),
        (lambda: Moments(1).update(torch.tensor([[float("nan")]])), "finite"),
        (lambda: moments(torch.zeros(1, 3)).covariance, "two vectors or more, got 1"),
        (lambda: frechet_distance(moments(torch.zeros(2, 3)), moments(torch.zeros(2, 4))), "got 3 and 4"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
