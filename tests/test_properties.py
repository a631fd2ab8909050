"""What holds for any input, not only for those of an example: of the functions that no other test draws inputs for.

Shapes, ranges, symmetries and inequalities of the mathematics (floors 1 to 4), and that a wrong shape is named.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from colorize import (
    bins,
    datasets,
    decode,
    huechroma,
    lab,
    labeling,
    losses,
    marginal,
    metrics,
    neighbors,
    preferences,
    prior,
    quantiles,
    readouts,
    reference,
    scribbles,
    smoothing,
    streaming,
    training,
    transfer,
    weights,
)

# The same examples each time: a test that fails now and then teaches nobody.
few = settings(max_examples=30, deadline=None, derandomize=True, database=None)
seeds = st.integers(0, 2**32 - 1)
sizes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6))  # N, H, W
Q = 313


def numbers(seed, *shape, low=-1.0, high=1.0, dtype=torch.float64):
    """Random numbers between two bounds."""
    generator = torch.Generator().manual_seed(seed)
    return low + (high - low) * torch.rand(*shape, generator=generator, dtype=dtype)


def colors(seed, n, height, width):
    return numbers(seed, n, 2, height, width, low=-100, high=100)


def light(seed, n, height, width):
    return numbers(seed + 1, n, 1, height, width, low=0, high=100)


def shares(seed, *shape, dim=1):
    """Distributions along a dimension, some of them with zeros."""
    found = numbers(seed, *shape, low=-0.3).clamp(min=0)
    found = found + (found.sum(dim, keepdim=True) == 0)
    return found / found.sum(dim, keepdim=True)


# --- losses ---------------------------------------------------------------------------------------


@few
@given(seeds, sizes, st.floats(0.1, 50))
def test_losses_of_colors(seed, size, beta):
    one, other = colors(seed, *size), colors(seed + 7, *size)
    squared, smooth = losses.l2(one, other), losses.smooth_l1(one, other, beta)
    assert squared >= 0 and losses.l2(one, one) == 0 == losses.smooth_l1(one, one, beta)
    torch.testing.assert_close(squared, losses.l2(other, one))
    torch.testing.assert_close(losses.l2(3 * one, 3 * other), 9 * squared)
    torch.testing.assert_close(losses.l2(one + 5, other + 5), squared)
    # Between the parabola of which it is the beginning, and the straight line to which it bends.
    assert smooth <= squared / beta + 1e-9
    assert smooth <= (one - other).abs().sum(dim=1).mean() + 1e-9
    each = torch.ones_like(one[:, 0])
    torch.testing.assert_close(losses.l2(one, other, 4 * each), 4 * squared)
    torch.testing.assert_close(losses.smooth_l1(one, other, beta, 4 * each), 4 * smooth)


@few
@given(seeds, sizes, st.integers(1, 5))
def test_soft_cross_entropy_is_least_at_its_target(seed, size, neighbors):
    n, height, width = size
    index, weight = bins.soft_encode(colors(seed, *size), neighbors)
    logits = numbers(seed, n, Q, height, width, low=-5, high=5)
    loss = losses.soft_cross_entropy(logits, index, weight)
    floor = torch.special.entr(weight).sum(dim=1).mean()
    assert loss >= floor - 1e-6
    target = torch.full_like(logits, 1e-30).scatter(1, index, weight.to(logits))
    torch.testing.assert_close(
        losses.soft_cross_entropy(target.log(), index, weight), floor.double(), atol=1e-6, rtol=0
    )
    shifted = losses.soft_cross_entropy(logits + numbers(seed, n, 1, height, width), index, weight)
    torch.testing.assert_close(shifted, loss)
    turned = losses.soft_cross_entropy(logits, index.flip(1), weight.flip(1))
    torch.testing.assert_close(turned, loss)
    one_by_one = sum(
        losses.soft_cross_entropy(logits[k : k + 1], index[k : k + 1], weight[k : k + 1]) for k in range(n)
    )
    torch.testing.assert_close(one_by_one / n, loss)


# --- neighbors, smoothing, labels -----------------------------------------------------------------


@few
@given(seeds, sizes, st.floats(0.5, 50))
def test_weights_of_neighbors_and_their_matrix(seed, size, sigma):
    lightness = light(seed, *size)
    right, down = neighbors.contrast_weights(lightness, sigma)
    for pair in (right, down):
        assert ((pair >= 0) & (pair <= 1)).all()
    for same in (100 - lightness, lightness + 3):  # a negative, a brighter one
        for ours, theirs in zip((right, down), neighbors.contrast_weights(same, sigma), strict=True):
            torch.testing.assert_close(ours, theirs)
    mirrored = neighbors.contrast_weights(lightness.flip(3), sigma)
    torch.testing.assert_close(mirrored[0], right.flip(2))
    torch.testing.assert_close(mirrored[1], down.flip(2))
    matrix = neighbors.laplacian(right[0], down[0]).toarray()
    assert np.array_equal(matrix, matrix.T)
    assert np.allclose(matrix.sum(axis=1), 0)
    x = numbers(seed, *size[1:])
    energy = (right[0] * x.diff(dim=1) ** 2).sum() + (down[0] * x.diff(dim=0) ** 2).sum()
    assert np.isclose(x.flatten().numpy() @ matrix @ x.flatten().numpy(), energy.item())


@few
@given(seeds, sizes, st.floats(0, 30), st.floats(0.5, 50))
def test_the_quadratic_minimum_is_one(seed, size, strength, sigma):
    predicted, lightness = colors(seed, *size), light(seed, *size)
    found = smoothing.smooth(predicted, lightness, strength, sigma)
    pairs = [strength * pair for pair in neighbors.contrast_weights(lightness, sigma)]

    def energy(ab):
        return smoothing.quadratic_energy(ab, predicted, *pairs)

    least = energy(found)
    assert (least >= 0).all()
    for other in (
        predicted,
        found + numbers(seed, *found.shape),
        predicted.mean(dim=(2, 3), keepdim=True).expand_as(found),
    ):
        assert (least <= energy(other) + 1e-6).all()
    # It lies between what was predicted, keeps the mean, and mixes as its input does.
    low, high = predicted.amin(dim=(2, 3), keepdim=True), predicted.amax(dim=(2, 3), keepdim=True)
    assert ((found >= low - 1e-6) & (found <= high + 1e-6)).all()
    torch.testing.assert_close(found.mean(dim=(2, 3)), predicted.mean(dim=(2, 3)))
    other = colors(seed + 3, *size)
    mixed = smoothing.smooth(2 * predicted - other, lightness, strength, sigma)
    torch.testing.assert_close(mixed, 2 * found - smoothing.smooth(other, lightness, strength, sigma))


@few
@given(seeds, sizes, st.floats(0.3, 3), st.floats(0.5, 50))
def test_the_filter_takes_means(seed, size, sigma_space, sigma_lightness):
    ab, lightness = colors(seed, *size), light(seed, *size)
    found = smoothing.joint_bilateral(ab, lightness, sigma_space, sigma_lightness)
    low, high = ab.amin(dim=(2, 3), keepdim=True), ab.amax(dim=(2, 3), keepdim=True)
    assert ((found >= low - 1e-9) & (found <= high + 1e-9)).all()
    constant = torch.full_like(ab, 12.5)
    torch.testing.assert_close(
        smoothing.joint_bilateral(constant, lightness, sigma_space, sigma_lightness), constant
    )
    for turn in (lambda x: x.flip(3), lambda x: x.flip(2), lambda x: x.transpose(2, 3)):
        turned = smoothing.joint_bilateral(turn(ab), turn(lightness), sigma_space, sigma_lightness)
        torch.testing.assert_close(turned, turn(found))


@few
@given(seeds, sizes, st.floats(0.1, 10))
def test_labels_only_get_better(seed, size, strength):
    n, height, width = size
    logits, lightness = numbers(seed, n, Q, height, width, low=-6, high=6), light(seed, *size)
    found = labeling.icm(logits, lightness, strength)
    for before, after in zip(found.energies, found.energies[1:], strict=False):
        assert (after <= before + 1e-9).all()
    assert torch.equal(found.ab, bins.gamut_bins()[found.label].movedim(-1, 1).to(found.ab))
    alone = labeling.icm(logits, lightness, sweeps=0)
    assert torch.equal(alone.label, logits.argmax(dim=1))


# --- preferences ----------------------------------------------------------------------------------


@few
@given(seeds, st.floats(-720, 720), st.integers(1, 12), st.floats(-8, 8))
def test_preferences_turn_with_the_hue(seed, angle, n, strength):
    bias = preferences.hue_bias(angle, strength)
    assert bias.shape == (Q,)
    torch.testing.assert_close(preferences.hue_bias(angle + 360, strength), bias, atol=1e-5, rtol=0)
    torch.testing.assert_close(preferences.hue_bias(angle + 180, strength), -bias, atol=1e-5, rtol=0)
    torch.testing.assert_close(preferences.hue_bias(angle, 2 * strength), 2 * bias)
    several = preferences.hue_biases(n, strength, angle)
    torch.testing.assert_close(several[0], bias)
    if n > 1:
        torch.testing.assert_close(several.sum(dim=0), torch.zeros(Q), atol=1e-4, rtol=0)
    # The grid of bins has the symmetry of a square, up to the gamut's rim.
    centers = {tuple(center) for center in bins.gamut_bins().tolist()}
    inner = torch.tensor([(b, -a) in centers for a, b in bins.gamut_bins().tolist()])
    assert inner.sum() > 150
    turned = preferences.rotate_bias(bias, 90)
    torch.testing.assert_close(
        turned[inner], preferences.hue_bias(angle + 90, strength)[inner], atol=1e-5, rtol=0
    )


@few
@given(seeds, sizes, st.integers(1, 40))
def test_distributions_of_hues(seed, size, sectors):
    n, height, width = size
    logits = numbers(seed, n, Q, height, width, low=-6, high=6)
    found = preferences.hue_distribution(logits, sectors)
    assert found.shape == (n, sectors, height, width)
    assert (found >= 0).all()
    torch.testing.assert_close(found.sum(dim=1), torch.ones_like(found[:, 0]))
    torch.testing.assert_close(preferences.hue_distribution(logits + 11, sectors), found)
    unsure = preferences.uncertainty(logits, sectors)
    assert ((unsure >= -1e-9) & (unsure <= math.log(sectors) * 150 + 1e-9)).all()


# --- bins along one axis, and their readouts ------------------------------------------------------


@few
@given(seeds, st.integers(1, 60), st.floats(0.5, 200))
def test_axes_hold_their_own_centers(seed, count, width):
    for axis in (
        quantiles.gaussian_axis(count, width),
        quantiles.uniform_axis(count),
        marginal.equal_axis(count, width),
    ):
        assert len(axis) == count and axis.edges.shape == (count + 1,)
        assert (axis.edges.diff() > 0).all()
        assert torch.equal(axis.index(axis.centers), torch.arange(count))
        values = numbers(seed, 50, low=-300, high=300).sort().values
        index = axis.index(values)
        assert (index.diff() >= 0).all() and index.min() >= 0 and index.max() < count
        pairs = quantiles.joint_centers(axis)
        assert torch.equal(quantiles.joint_index(pairs[:, :, None], axis)[:, 0], torch.arange(count**2))
    adapted = marginal.adapted_axis(numbers(seed, 500, low=-width, high=width), min(count, 20))
    assert (adapted.edges.diff() > 0).all()
    assert torch.equal(adapted.index(adapted.centers), torch.arange(len(adapted)))


@few
@given(seeds, st.integers(2, 40), st.integers(1, 9))
def test_histograms(seed, count, members):
    index = (numbers(seed, 3, members, low=0) * count).long()
    weight = numbers(seed + 1, 3, members, low=0)
    for found in (quantiles.histogram(index, count), quantiles.histogram(index, count, weight)):
        assert found.shape == (3, count) and (found >= 0).all()
        torch.testing.assert_close(found.sum(dim=1), torch.ones_like(found[:, 0]))
    torch.testing.assert_close(
        quantiles.histogram(index.flip(1), count, weight.flip(1)), quantiles.histogram(index, count, weight)
    )
    target = shares(seed, 3, count, 4)
    logits = numbers(seed, 3, count, 4, low=-4, high=4)
    assert (quantiles.kl(logits, target) >= -1e-9).all()
    torch.testing.assert_close(quantiles.kl((target + 1e-300).log(), target), torch.zeros(3, 4).double())
    sure = (numbers(seed, 3, 4, low=0) * count).long()
    one_hot = torch.nn.functional.one_hot(sure, count).movedim(-1, 1).double()
    torch.testing.assert_close(quantiles.kl(logits, sure), quantiles.kl(logits, one_hot))


@few
@given(seeds, st.integers(2, 40), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_readouts_stay_within_their_bins(seed, count, share, other):
    p, axis = shares(seed, 2, count, 5), quantiles.uniform_axis(count)
    for value in (
        readouts.expectation(p, axis.centers),
        readouts.mode(p, axis.centers),
        readouts.median(p, axis.edges),
    ):
        assert value.shape == (2, 5) and ((value >= 0) & (value <= 1)).all()
    few_, many = sorted((share, other))
    assert (readouts.quantile(p, axis.edges, few_) <= readouts.quantile(p, axis.edges, many) + 1e-12).all()
    mirrored = readouts.expectation(p.flip(1), axis.centers)
    torch.testing.assert_close(mirrored, 1 - readouts.expectation(p, axis.centers))
    drawn = readouts.sample(p, axis.centers, torch.Generator().manual_seed(0))
    assert (p.gather(1, axis.index(drawn)[:, None]) > 0).all()


@few
@given(seeds, st.integers(2, 40), st.integers(0, 40), st.floats(0.001, 2))
def test_directions_turn_with_their_histogram(seed, count, steps, eta):
    p = shares(seed, 2, count, 5)
    hue, length = readouts.circular_mean(p)
    assert ((hue >= 0) & (hue < 1) & (length >= 0) & (length <= 1 + 1e-9)).all()
    turned, same = readouts.circular_mean(p.roll(steps, dims=1))
    torch.testing.assert_close(same, length)
    apart = (turned - hue - steps / count + 0.5).remainder(1) - 0.5
    assert (apart.abs()[length > 1e-6] < 1e-6).all()
    chroma = numbers(seed, 2, 5, low=0)
    assert (readouts.fade(chroma, length, count, eta) <= chroma).all()
    assert (readouts.fade(chroma, length, count, eta, "printed") >= chroma).all()
    unsure = readouts.uncertainty(p, chroma)
    assert ((unsure >= 0) & (unsure <= math.log(count) * chroma + 1e-9)).all()


@few
@given(seeds, sizes, st.sampled_from([1, 3, 5]))
def test_patches_are_the_pixels_around(seed, size, side):
    n, height, width = size
    picture = colors(seed, *size)
    places = torch.cartesian_prod(torch.arange(height), torch.arange(width)).expand(n, -1, -1)
    found = quantiles.patch(picture, places, side)
    assert found.shape == (n, 2, height * width, side**2)
    assert torch.equal(found[..., side**2 // 2].view_as(picture), picture)
    inside = torch.isin(found, picture)
    assert inside.all()


@few
@given(seeds, sizes, st.integers(1, 4))
def test_blotches_and_lattices(seed, size, period):
    ab, lightness = colors(seed, *size), light(seed, *size)
    share = marginal.jumps(ab, lightness, flat=200)
    assert math.isnan(share) == (size[1] * size[2] == 1) or 0 <= share <= 1
    assert marginal.jumps(ab, lightness, jump=1e6, flat=200) in (0, share) or math.isnan(share)
    large = ab.repeat(1, 1, 8, 8)
    assert marginal.lattice(large, period) >= -1e-9
    assert marginal.lattice(large, 1) == pytest.approx(0, abs=1e-9)
    assert marginal.lattice(large * 0, period) == 0


# --- strokes and references -----------------------------------------------------------------------


@few
@given(seeds, st.integers(2, 8), st.integers(2, 8), st.integers(1, 6))
def test_colors_flow_between_those_that_were_painted(seed, height, width, painted):
    lightness, ab = light(seed, 1, height, width), colors(seed, 1, height, width)
    order = torch.randperm(height * width, generator=torch.Generator().manual_seed(seed))
    mask = torch.zeros(height * width, dtype=torch.bool)
    mask[order[:painted]] = True
    mask = mask.view(1, height, width)
    found = scribbles.propagate(lightness, ab, mask)
    torch.testing.assert_close(found.movedim(1, -1)[mask], ab.movedim(1, -1)[mask])
    seen = ab.movedim(1, -1)[mask]
    low, high = seen.amin(dim=0).view(1, 2, 1, 1), seen.amax(dim=0).view(1, 2, 1, 1)
    assert ((found >= low - 1e-4) & (found <= high + 1e-4)).all()


@few
@given(st.lists(st.tuples(st.floats(-5, 25), st.floats(-5, 25)), min_size=1, max_size=4), st.floats(0.1, 6))
def test_strokes_paint_what_is_near(points, radius):
    stroke = scribbles.Stroke(tuple(points), (30.0, -20.0), radius)
    ab, mask = scribbles.rasterize([stroke], 20, 16)
    assert ab.shape == (1, 2, 20, 16) and mask.shape == (1, 20, 16)
    assert (ab.movedim(1, -1)[mask] == torch.tensor([30.0, -20.0])).all()
    assert (ab.movedim(1, -1)[~mask] == 0).all()
    there = scribbles.rasterize([scribbles.Stroke(tuple(points[::-1]), (1.0, 1.0), radius)], 20, 16)[1]
    assert torch.equal(there, mask)
    for x, y in points:
        if 0 <= round(x) < 16 and 0 <= round(y) < 20:
            assert mask[0, round(y), round(x)]


@few
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 300), seeds)
def test_pixels_of_a_grid(height, width, samples, seed):
    found = reference.jittered_grid(height, width, samples, seed)
    assert len(found.unique(dim=0)) == len(found) >= 1
    assert ((found >= 0) & (found < torch.tensor([height, width]))).all()
    assert torch.equal(found, reference.jittered_grid(height, width, samples, seed))


@few
@given(seeds, st.tuples(st.just(1), st.integers(1, 7), st.integers(1, 7)), st.sampled_from([1, 3, 5]))
def test_lightness_of_a_reference(seed, size, window):
    one, other = light(seed, *size), light(seed + 5, 1, 9, 4)
    rough = reference.roughness(one, window)
    assert rough.shape == one.shape and (rough >= 0).all()
    torch.testing.assert_close(reference.roughness(100 - one, window), rough, atol=1e-5, rtol=1e-5)
    if window == 1:
        assert rough.abs().max() < 1e-5
    remapped = reference.remap_lightness(one, other)
    torch.testing.assert_close(remapped.mean(), other.mean())
    if one.numel() > 1:
        torch.testing.assert_close(remapped.std(correction=0), other.std(correction=0))


# --- measures, trainings, weights -----------------------------------------------------------------


@few
@given(seeds, sizes)
def test_measures_of_parts_are_those_of_the_whole(seed, size):
    n, height, width = size
    rgb = numbers(seed, n, 3, height, width, low=0, dtype=torch.float32)
    ab = colors(seed, *size).float()
    whole, parts, merged = streaming.Measures(), streaming.Measures(), streaming.Measures()
    whole.update(ab, rgb)
    for k in range(n):
        parts.update(ab[k : k + 1], rgb[k : k + 1])
        single = streaming.Measures()
        single.update(ab[k : k + 1], rgb[k : k + 1])
        merged.merge(single)
    expected = whole.compute()
    for other in (parts, merged):
        assert other.compute() == pytest.approx(expected, rel=1e-5, nan_ok=True)
    curve = whole.accuracy.curve()
    assert (curve.diff() >= 0).all() and 0 <= curve[0] <= curve[-1] <= 1
    joined = [torch.cat(part) for part in zip(*streaming.in_turn(ab, rgb), strict=True)]
    assert torch.equal(joined[0], ab) and torch.equal(joined[1], rgb)


@few
@given(st.integers(1, 3000))
def test_the_learning_rate_rises_and_falls(steps):
    rates = [training.cosine(step, steps) for step in range(0, steps, max(1, steps // 50))]
    assert all(0 < rate <= 1 for rate in rates)
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)


@few
@given(st.dictionaries(st.integers(0, 100), st.floats(0, 1), max_size=4), st.integers(0, 120))
def test_a_staircase_keeps_its_last_step(factors, step):
    passed = [at for at in factors if at <= step]
    expected = factors[max(passed)] if passed else 1.0
    assert training.staircase(factors)(step, 1000) == expected


@few
@given(seeds, sizes, st.integers(1, 4))
def test_examples_are_a_picture_taken_apart(seed, size, stride):
    n, height, width = size
    rgb = numbers(seed, n, 3, height, width, low=0, dtype=torch.float32)
    lightness, ab = training.colors(stride)((rgb,))
    assert lightness.shape == (n, 1, height, width)
    assert ab.shape == (n, 2, -(-height // stride), -(-width // stride))
    if stride == 1:
        torch.testing.assert_close(lab.lab_to_rgb(torch.cat((lightness, ab), dim=1)), rgb, atol=2e-4, rtol=0)


@few
@given(seeds, st.integers(1, 9), st.integers(1, 9), st.floats(1e-3, 100))
def test_stored_weights_are_near(seed, inputs, outputs, scale):
    torch.manual_seed(seed)
    layer = torch.nn.Conv2d(inputs, outputs, 3)
    layer.weight.data *= scale
    true = layer.weight.detach()
    for bits, step in ((16, 2**-8), (8, 1 / 127)):
        found = weights.restored(weights.stored(layer, bits))
        assert found.keys() == layer.state_dict().keys()
        largest = true.abs().amax(dim=(1, 2, 3), keepdim=True)
        assert ((found["weight"].float() - true).abs() <= step * largest + 1e-7).all()


# --- shapes that are wrong ------------------------------------------------------------------------

ZERO = torch.zeros
AB, LIGHT, RGB, LOGITS = ZERO(2, 2, 4, 5), ZERO(2, 1, 4, 5), ZERO(2, 3, 4, 5), ZERO(2, Q, 4, 5)
HISTOGRAM, EVEN = torch.full((2, 32, 4, 5), 1 / 32), torch.full((Q,), 1 / Q)
INDEX = ZERO(2, 5, 4, 5, dtype=torch.int64)
# What is called, and what the sentence names: the shape that came, or how many values.
WRONG = {
    "l2": (lambda: losses.l2(RGB, AB), "(2, 3, 4, 5)"),
    "l2, sizes": (lambda: losses.l2(AB[..., :4], AB), "(2, 2, 4, 4)"),
    "l2, weight": (lambda: losses.l2(AB, AB, ZERO(2, 4, 6)), "pixel_weight .*(2, 4, 6)"),
    "smooth_l1": (lambda: losses.smooth_l1(AB[0], AB[0]), "(2, 4, 5)"),
    "soft_cross_entropy": (
        lambda: losses.soft_cross_entropy(LOGITS, INDEX[..., :4], ZERO(2, 5, 4, 4)),
        "index .*(2, 5, 4, 4)",
    ),
    "soft_cross_entropy, K": (
        lambda: losses.soft_cross_entropy(LOGITS, INDEX[:, :4], ZERO(2, 5, 4, 5)),
        "(2, 4, 4, 5)",
    ),
    "classification": (lambda: losses.classification()(LOGITS, RGB), "(2, 3, 4, 5)"),
    "classification, weight": (lambda: losses.classification(ZERO(5)), "bin_weight .*(5,)"),
    "auc": (lambda: metrics.auc(RGB, AB), "pred_ab .*(2, 3, 4, 5)"),
    "auc, weight": (lambda: metrics.auc(AB, AB, LIGHT), "weight .*(2, 1, 4, 5)"),
    "psnr": (lambda: metrics.psnr(RGB[..., :4], RGB), "pred_rgb .*(2, 3, 4, 4)"),
    "rmse_alpha_beta": (lambda: metrics.rmse_alpha_beta(AB, RGB), "pred_rgb .*(2, 2, 4, 5)"),
    "mean_chroma": (lambda: metrics.mean_chroma(RGB), "ab .*(2, 3, 4, 5)"),
    "colorfulness": (lambda: metrics.colorfulness(AB), "rgb .*(2, 2, 4, 5)"),
    "bin_accuracy": (lambda: metrics.bin_accuracy(RGB, AB, 10), "(2, 3, 4, 5)"),
    "annealed_mean": (lambda: decode.annealed_mean(AB), "logits .*(2, 2, 4, 5)"),
    "mode": (lambda: decode.mode(LOGITS[0]), "logits .*(313, 4, 5)"),
    "median": (lambda: decode.median(AB), "logits .*(2, 2, 4, 5)"),
    "sample": (lambda: decode.sample(AB), "logits .*(2, 2, 4, 5)"),
    "paint": (lambda: decode.paint(LIGHT, RGB), "(2, 3, 4, 5)"),
    "color_prior": (lambda: prior.color_prior(RGB), "ab .*(2, 3, 4, 5)"),
    "smooth_prior": (lambda: prior.smooth_prior(ZERO(5)), "(5,)"),
    "nearest_bin": (lambda: bins.nearest_bin(RGB), "ab .*(2, 3, 4, 5)"),
    "soft_encode": (lambda: bins.soft_encode(RGB), "ab .*(2, 3, 4, 5)"),
    "grid_cell": (lambda: bins.grid_cell(RGB), "ab .*(2, 3, 4, 5)"),
    "rgb_to_lab": (lambda: lab.rgb_to_lab(AB), "(2, 2, 4, 5)"),
    "lab_to_rgb": (lambda: lab.lab_to_rgb(LIGHT), "(2, 1, 4, 5)"),
    "hue_chroma": (lambda: huechroma.hue_chroma(AB), "(2, 2, 4, 5)"),
    "correct_lightness": (lambda: huechroma.correct_lightness(RGB, AB), "gray .*(2, 2, 4, 5)"),
    "alpha_beta_to_rgb": (lambda: huechroma.alpha_beta_to_rgb(RGB, LIGHT), "alpha_beta .*(2, 3, 4, 5)"),
    "alpha_beta_to_rgb, gray": (lambda: huechroma.alpha_beta_to_rgb(AB, LIGHT), "gray .*(2, 1, 4, 5)"),
    "hue_chroma_to_ab": (
        lambda: huechroma.hue_chroma_to_ab(AB[:, 0], AB[:, 0], RGB),
        "lightness .*(2, 3, 4, 5)",
    ),
    "joint_index": (lambda: quantiles.joint_index(RGB, quantiles.uniform_axis()), "ab .*(2, 3, 4, 5)"),
    "patch": (lambda: quantiles.patch(RGB, ZERO(2, 7, 3), 1), "points .*(2, 7, 3)"),
    "histogram": (lambda: quantiles.histogram(INDEX, 4, ZERO(2, 6)), "weight .*(2, 6)"),
    "dense_histograms": (lambda: quantiles.dense_histograms(INDEX[0, 0], 4, 3), "index .*(4, 5)"),
    "kl": (lambda: quantiles.kl(HISTOGRAM, HISTOGRAM[:, :31]), "target .*(2, 31, 4, 5)"),
    "kl, numbers": (lambda: quantiles.kl(HISTOGRAM, INDEX[:, :1]), "target .*(2, 1, 4, 5)"),
    "expectation": (lambda: readouts.expectation(HISTOGRAM, ZERO(31)), "(2, 32, 4, 5)"),
    "quantile": (lambda: readouts.quantile(HISTOGRAM, ZERO(32)), "(2, 32, 4, 5)"),
    "circular_mean": (lambda: readouts.circular_mean(ZERO(5)), "p .*(5,)"),
    "fade": (lambda: readouts.fade(LIGHT, AB), "length .*(2, 2, 4, 5)"),
    "uncertainty": (lambda: readouts.uncertainty(HISTOGRAM, LIGHT), "chroma .*(2, 1, 4, 5)"),
    "streaming": (lambda: streaming.parts(AB, AB), "(2, 2, 4, 5)"),
    "in_turn": (lambda: streaming.in_turn(AB, AB[:1]), "[2, 1]"),
    "jumps": (lambda: marginal.jumps(AB, LIGHT[..., :4]), "lightness .*(2, 1, 4, 4)"),
    "lattice": (lambda: marginal.lattice(RGB), "ab .*(2, 3, 4, 5)"),
    "match_quantiles": (lambda: transfer.match_quantiles(ZERO(2, 3), ZERO(3, 3)), "source .*(2, 3)"),
    "quantile_transfer": (lambda: transfer.quantile_transfer(AB, RGB), "(2, 2, 4, 5)"),
    "chi_square": (lambda: transfer.chi_square(EVEN, ZERO(5)), "(5,)"),
    "fit_bias": (lambda: transfer.fit_bias(LOGITS, ZERO(5)), "(5,)"),
    "contrast_weights": (lambda: neighbors.contrast_weights(AB), "lightness .*(2, 2, 4, 5)"),
    "laplacian": (lambda: neighbors.laplacian(ZERO(4, 5), ZERO(4, 5)), "down .*(4, 5)"),
    "joint_bilateral": (lambda: smoothing.joint_bilateral(AB, LIGHT[:1]), "lightness .*(1, 1, 4, 5)"),
    "smooth": (lambda: smoothing.smooth(AB, LIGHT[:1]), "lightness .*(1, 1, 4, 5)"),
    "quadratic_energy": (
        lambda: smoothing.quadratic_energy(AB, AB, ZERO(2, 4, 4), ZERO(2, 3, 5), ZERO(3, 4, 5)),
        "confidence .*(3, 4, 5)",
    ),
    "icm": (lambda: labeling.icm(LOGITS, LIGHT[..., :4]), "lightness .*(2, 1, 4, 4)"),
    "hue_distribution": (lambda: preferences.hue_distribution(AB), "logits .*(2, 2, 4, 5)"),
    "rotate_bias": (lambda: preferences.rotate_bias(ZERO(5), 90), "bias .*(5,)"),
    "propagate": (lambda: scribbles.propagate(LIGHT, AB, ZERO(2, 4, 4).bool()), "mask .*(2, 4, 4)"),
    "welsh_transfer": (lambda: reference.welsh_transfer(LIGHT, AB), "reference .*(2, 2, 4, 5)"),
    "roughness": (lambda: reference.roughness(AB), "lightness .*(2, 2, 4, 5)"),
    "jittered_grid": (lambda: reference.jittered_grid(0, 5), "height, width .*0, 5"),
    "is_gray": (lambda: datasets.is_gray(AB), "(2, 2, 4, 5)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_shape_is_named(name):
    call, expected = WRONG[name]
    with pytest.raises(ValueError) as caught:
        call()
    sentence = str(caught.value)
    assert len(sentence.splitlines()) == 1
    at = 0
    for part in expected.split(".*"):
        at = sentence.find(part, at)
        assert at >= 0, f"{part!r} is not in {sentence!r}"
