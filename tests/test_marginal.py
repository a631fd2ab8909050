"""Bins along each axis, the stack that Agrawal & Sawhney trained, blotches as numbers, and their comparison as a command."""

import json
import math
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from colorize import agrawal, images
from colorize.lab import lab_to_rgb
from colorize.losses import l2
from colorize.marginal import Marginal, adapted_axis, equal_axis, jumps, lattice, with_means
from colorize.metrics import bin_accuracy
from colorize.networks import PlainNet
from colorize.toyworld import ToyWorld

# Bins


@pytest.mark.parametrize("bins", [1, 10, 30, 50])
def test_equal_bins_are_those_of_the_measure(bins):
    """NumPy's formula, and the accuracy that the metrics give a prediction at the center of the true bin: 1."""
    axis = equal_axis(bins)
    values = torch.cat((torch.linspace(-140, 140, 5601), axis.edges)).double()
    wanted = np.clip(np.floor((values.numpy() + 100) * bins / 200), 0, bins - 1)
    inside = (values[:, None] - axis.edges.double()).abs().min(
        dim=1
    ).values > 1e-4  # off the edges, where float32 rounds
    assert np.array_equal(axis.index(values)[inside].numpy(), wanted[inside.numpy()])
    ab = torch.randn(3, 2, 9, 9) * 40
    assert bin_accuracy(Marginal(axis, axis).quantized(ab), ab, bins) == 1
    assert torch.allclose(axis.centers, (axis.edges[1:] + axis.edges[:-1]) / 2)


def test_an_edge_belongs_to_the_bin_on_its_right():
    axis = equal_axis(10)
    assert axis.index(torch.tensor([-100.0, -80, 0, 80, 100, -500, 500])).tolist() == [0, 1, 5, 9, 9, 0, 9]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=80),
    st.integers(1, 12),
)
def test_adapted_bins_hold_about_as_many_each(values, bins):
    values = torch.tensor(values)
    axis = adapted_axis(values, bins)
    count = torch.bincount(axis.index(values), minlength=len(axis))
    assert len(axis) <= bins and count.min() > 0 and count.sum() == len(values)
    assert axis.edges.isinf().tolist() == [True] + [False] * (len(axis) - 1) + [True]
    if len(values.unique()) == len(values) and len(values) >= bins:
        assert len(axis) == bins and count.max() - count.min() <= 1
    for number, center in enumerate(axis.centers):
        assert center.item() == pytest.approx(
            values[axis.index(values) == number].double().mean().item(), abs=1e-4
        )


def test_means_have_the_least_squared_error():
    torch.manual_seed(0)
    values, axis = torch.randn(4000) * 25, equal_axis(10)

    def error(found):
        return (values - found.centers[found.index(values)]).square().mean().item()

    best = with_means(axis, values)
    assert error(best) < error(axis)
    for number in range(10):
        for step in (-0.5, 0.5):
            moved = best.centers.clone()
            moved[number] += step
            assert error(type(best)(best.edges, moved)) >= error(best)
    assert error(adapted_axis(values, 10)) < error(
        best
    )  # narrow where the values are: section 6 is right about that
    assert with_means(axis, torch.tensor([5.0])).centers.tolist() == [
        -90,
        -70,
        -50,
        -30,
        -10,
        5,
        30,
        50,
        70,
        90,
    ]


def test_wrong_axes_are_one_sentence():
    with pytest.raises(ValueError, match="bins must be 1 or more and limit above 0, got 0 and 100"):
        equal_axis(0)
    with pytest.raises(ValueError, match="needs values and 1 bin or more, got 0 and 10"):
        adapted_axis(torch.zeros(0))
    with pytest.raises(ValueError, match=r"logits must have 20 channels, got \(1, 10, 2, 2\)"):
        Marginal(equal_axis(), equal_axis()).mode(torch.zeros(1, 10, 2, 2))


# Two classifications


def test_the_loss_is_two_cross_entropies():
    torch.manual_seed(0)
    pair = Marginal(equal_axis(10), equal_axis(4))
    logits, ab = torch.randn(2, 14, 5, 3), torch.randn(2, 2, 5, 3) * 40
    p_a, p_b = logits[:, :10].softmax(dim=1).numpy(), logits[:, 10:].softmax(dim=1).numpy()
    total = 0.0
    for n, y, x in np.ndindex(2, 5, 3):
        a, b = ab[n, :, y, x].tolist()
        total -= math.log(p_a[n, min(9, max(0, int((a + 100) // 20))), y, x])
        total -= math.log(p_b[n, min(3, max(0, int((b + 100) // 50))), y, x])
    assert pair.loss(logits, ab).item() == pytest.approx(total / 30, rel=1e-5)
    assert pair.mean(logits)[0, 0, 0, 0].item() == pytest.approx(
        float(p_a[0, :, 0, 0] @ pair.axes[0].centers.numpy()), rel=1e-4
    )


def test_a_sure_answer_is_decoded_to_its_bin():
    pair = Marginal(equal_axis(10), equal_axis(10))
    ab = torch.randn(2, 2, 6, 6) * 30
    code = [
        F.one_hot(axis.index(v), 10).movedim(-1, 1) for axis, v in zip(pair.axes, ab.unbind(1), strict=True)
    ]
    logits = 1000.0 * torch.cat(code, dim=1)
    assert torch.equal(pair.mode(logits), pair.quantized(ab))
    assert torch.allclose(pair.mean(logits), pair.quantized(ab))
    assert (pair.quantized(ab) - ab).abs().max() <= 10 or ab.abs().max() > 100


def test_axes_that_choose_alone_make_colors_that_nothing_has():
    """The toy world's balloons: the likeliest a and the likeliest b, found exactly, lie far from all six of their colors."""
    palette = ToyWorld(24).palette("balloon")
    pair = Marginal(equal_axis(10), equal_axis(10))
    shares = [
        torch.zeros(10).double().scatter_add_(0, axis.index(palette.colors[:, k]), palette.probabilities)
        for k, axis in enumerate(pair.axes)
    ]
    found = pair.mode(torch.cat(shares).log().view(1, 20, 1, 1)).flatten()
    assert torch.cdist(found[None], palette.colors).min() > 20


# Blotches


def test_jumps_and_lattices_are_counted():
    lightness = torch.full((1, 1, 4, 4), 50.0)
    ab = torch.zeros(1, 2, 4, 4)
    assert jumps(ab, lightness) == 0 and lattice(ab) == 0
    ab[0, 0, 1, 1] = 30  # one pixel: four of the 24 pairs
    assert jumps(ab, lightness) == pytest.approx(4 / 24)
    assert jumps(ab, lightness, jump=31) == 0
    lightness[0, 0, 1, 1] = 80  # an edge of L, too: a color may change there
    assert jumps(ab, lightness) == 0
    assert math.isnan(jumps(ab[..., :1, :1], lightness[..., :1, :1]))
    torch.manual_seed(0)
    noise = torch.randn(4, 2, 64, 64)
    assert lattice(noise) < 0.05
    doubled = F.interpolate(noise[..., :32, :32], scale_factor=2, mode="nearest")
    assert lattice(doubled) == pytest.approx(1, abs=0.05)


def test_a_deconvolution_can_build_a_lattice_and_one_pixel_steps_cannot():
    """Kernel 3 and stride 2 cover every second pixel twice; kernel 4 covers all alike; a stack of stride 1 has no lattice."""
    torch.manual_seed(0)
    found = {}
    for kernel in (3, 4):
        layer = nn.ConvTranspose2d(1, 2, kernel, stride=2, padding=1, output_padding=kernel % 2, bias=False)
        nn.init.ones_(layer.weight)
        with torch.no_grad():
            found[kernel] = layer(torch.ones(1, 1, 20, 20))[..., 2:-2, 2:-2]
    assert found[4].std() == 0 and found[3].std() > 0.5
    network = PlainNet(width=4, layers=2).eval()
    with torch.no_grad():
        flat = network(torch.full((1, 1, 20, 20), 60.0))[..., 5:-5, 5:-5]
    assert flat.std(dim=(2, 3)).max() < 1e-4


# The stack


def test_what_a_pixel_of_the_stack_sees():
    network = PlainNet(width=4).eval()
    seen = torch.rand(1, 1, 61, 61, requires_grad=True)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()  # so that no ReLU is shut
    network(seen + 60)[0, 0, 30, 30].backward()
    assert (seen.grad != 0).any(dim=2).sum() == 37
    with pytest.raises(ValueError, match="layers must be 1 or more and kernel odd, got 9 and 4"):
        PlainNet(kernel=4)


def test_the_dense_layer_takes_one_size():
    network = PlainNet(width=4, layers=3, dense=16).eval()
    assert network(torch.zeros(2, 1, 16, 16)).shape == (2, 2, 16, 16)
    with pytest.raises(ValueError, match=r"pictures of 16 x 16, got \(16, 20\)"):
        network(torch.zeros(1, 1, 16, 20))


def test_batch_norm_undoes_a_shift_of_lightness_but_at_the_border():
    """So that to subtract the mean of a set of pictures is to do nothing; each picture's own mean is another matter."""
    torch.manual_seed(0)
    body = PlainNet(width=4, layers=1).train().body
    x = torch.rand(3, 1, 200, 200)
    change = (body[:1](x + 0.3) - body[:1](x))[..., 2:-2, 2:-2]
    assert change.std(dim=(0, 2, 3)).max() < 1e-5  # a constant for each channel
    one = PlainNet(width=4, centered=True).eval()
    assert torch.allclose(one(x[:1] * 20 + 10), one(x[:1] * 20 + 40), atol=1e-3)


# The comparison


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Forty thumbnails, of which five fall into the validation split."""
    root = tmp_path_factory.mktemp("thumbnails")
    for k in range(40):
        images.save(images.square(images.bundled(images.BUNDLED[k % 5]), 32), root / f"{k}.jpg")
    return root


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZE_DATA", str(tmp_path))
    for name, value in {
        "WIDTH": 2,
        "BATCH": 4,
        "PHOTOS": 12,
        "SEEN": 3,
        "SEARCHES": 3,
        "SEARCH_STEPS": 2,
    }.items():
        monkeypatch.setattr(agrawal, name, value)
    return tmp_path / "results" / "agrawal.json"


def test_every_row_and_the_search(folder, tiny, capsys, monkeypatch):
    short = ["baseline", "l2_dropout", "smooth_l1", "ce10", "ce50", "ce30_adapted", "ce10_centered"]
    command = ["--photos", str(folder), "--steps", "3", "--device", "cpu", "--rows"]
    assert agrawal.main([*command, *short, "ce10_nesterov", "ce10_nadam", "search"]) == 0
    found = json.loads(tiny.read_text())
    assert set(found["rows"]) == {*short, "ce10_nesterov", "ce10_nadam", "search"}
    assert set(found["rows"]["smooth_l1"]["numbers"]) == {"ab"}
    assert set(found["rows"]["ce10"]["numbers"]) == {"mode", "mean", "bins"}
    assert found["rows"]["ce10"]["plan"]["photos"] <= 12 and found["rows"]["ce10"]["machine"]
    assert found["truth"]["frobenius"] == 0 and found["truth"]["accuracy_50"] == 1
    assert found["gray"]["chroma"] == 0
    runs = found["rows"]["search"]["runs"]
    assert len(runs) == 3 and all(1e-5 <= run["rate"] <= 1e-1 for run in runs)
    losses = [run["loss"] for run in runs if run["loss"] is not None]
    assert losses == sorted(losses)
    capsys.readouterr()
    monkeypatch.setattr(agrawal, "measure", None)  # nothing is trained a second time
    assert agrawal.main([*command, "ce10", "ce50"]) == 0
    assert capsys.readouterr().out.splitlines() == ["ce10: done before", "ce50: done before"]
    with pytest.raises(TypeError):
        agrawal.main(["--photos", str(folder), "--steps", "4", "--rows", "ce10"])  # another plan


def test_wrong_commands_are_one_sentence(folder, tiny, capsys):
    for arguments, said in (
        (["--rows", "ce11"], "a row must be one of baseline, l2, .*got 'ce11'"),
        (["--steps", "0"], "--steps must be 1 or more, got 0"),
        (["--device", "cuda:99", "--rows", "ce10"], "cuda:99"),
    ):
        with pytest.raises(SystemExit):
            agrawal.main(["--photos", str(folder), *arguments])
        assert re.search(said, capsys.readouterr().err)


def test_the_measures_of_the_report():
    """Frobenius by NumPy; a prediction that is the truth; what the bins alone cost."""
    torch.manual_seed(0)
    lab = torch.cat((torch.rand(3, 1, 8, 8) * 100, torch.randn(3, 2, 8, 8) * 20), dim=1)
    found = agrawal.judged(torch.zeros(3, 2, 8, 8), lab)
    wanted = np.mean([np.linalg.norm(ab.numpy()) for ab in lab[:, 1:]])
    assert found["frobenius"] == pytest.approx(wanted, rel=1e-4)
    assert agrawal.judged(lab[:, 1:], lab)["accuracy_10"] == 1


def test_a_row_learns():
    """Two colors that L tells apart: after 60 steps the marginal network names both bins, and L2 is near both colors."""

    class Halves:
        size = 16

        def __init__(self):
            lab = torch.zeros(40, 3, 16, 16)
            lab[:, 0], lab[:, 1], lab[:, 2] = 40, 35, 25
            lab[:, 0, :, 8:], lab[:, 1, :, 8:], lab[:, 2, :, 8:] = 70, -30, 35
            self.photos = (lab_to_rgb(lab) * 255).round().to(torch.uint8)

        def __len__(self):
            return len(self.photos)

        def batch(self, n, seed):
            return self.photos[:n]

    data = Halves()
    lab = agrawal.rgb_to_lab(data.photos[:1])
    small = {"batch_size": 4, "progress": False}
    row = agrawal.Row(layers=2, rate=1e-2)
    network, pair, history = agrawal.train(row, data, 60, **small)
    found = pair.mode(agrawal.answers(network, lab[:, :1]))
    assert bin_accuracy(found, lab[:, 1:], 10) > 0.9
    assert history.losses[-1] < 0.2 * math.log(100)
    network, pair, history = agrawal.train(agrawal.Row("l2", layers=2, rate=1e-2), data, 60, **small)
    assert pair is None
    assert l2(agrawal.answers(network, lab[:, :1]), lab[:, 1:]) < 0.2 * l2(
        torch.zeros(1, 2, 16, 16), lab[:, 1:]
    )
