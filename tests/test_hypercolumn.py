"""Hypercolumns: read between cells as bilinear interpolation says, sparse as dense, balanced without a change."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from colorize import images, weights
from colorize.colorizer import NETWORKS, Colorizer, decoded
from colorize.evaluation import predict
from colorize.huechroma import hue_chroma, hue_chroma_to_ab
from colorize.lab import lab_to_rgb, rgb_to_lab
from colorize.networks import HypercolumnNet, SmallNet
from colorize.networks.heads import HEADS
from colorize.networks.hypercolumn import (
    LAYERS,
    NAMES,
    Sampled,
    balance,
    gray_filters,
    grid_points,
    hypercolumns,
    read_layer,
    sampled_loss,
)
from colorize.quantiles import dense_histograms, patch
from colorize.toyworld import ToyWorld
from colorize.training import fit


def by_hand(layer, point, spacing):
    """Bilinear interpolation of one point of one picture in NumPy, written down corner by corner."""
    _, height, width = layer.shape
    where = [(value + 0.5) / spacing - 0.5 for value in point]
    where = [min(max(value, 0), side - 1) for value, side in zip(where, (height, width), strict=True)]
    (top, left), total = [math.floor(value) for value in where], 0.0
    for row, share_row in ((top, 1 - where[0] + top), (top + 1, where[0] - top)):
        for column, share in ((left, 1 - where[1] + left), (left + 1, where[1] - left)):
            total = total + share_row * share * layer[:, min(row, height - 1), min(column, width - 1)]
    return total


@pytest.mark.parametrize("spacing", [1, 2, 8])
def test_a_layer_is_read_between_its_cells(spacing):
    random = torch.Generator().manual_seed(0)
    layer = torch.randn(2, 3, 5, 7, generator=random)
    size = torch.tensor([5.0, 7.0]) * spacing
    points = torch.rand(2, 40, 2, generator=random) * size - 0.5
    points[:, :4] = torch.tensor([[0.0, 0], [0, 6], [4, 0], [4, 6]]) * spacing  # near the borders
    found = read_layer(layer, points, spacing)
    for n in range(2):
        for p in range(40):
            expected = by_hand(layer[n].numpy(), points[n, p].tolist(), spacing)
            assert np.allclose(found[n, :, p], expected, atol=1e-5)


def test_the_middle_of_a_cell_is_the_cell():
    layer = torch.randn(1, 2, 3, 4)
    points = grid_points(12, 16, 4)[None]
    assert torch.allclose(read_layer(layer, points, 4), layer.flatten(2), atol=1e-6)


def test_a_gradient_goes_to_the_four_nearest_cells():
    layer = torch.zeros(1, 1, 4, 4, requires_grad=True)
    read_layer(layer, torch.tensor([[[4.0, 6.0]]]), 4).sum().backward()  # at 0.625 and 1.125 cells
    expected = torch.zeros(4, 4)
    expected[0, 1], expected[0, 2], expected[1, 1], expected[1, 2] = (
        0.375 * 0.875,
        0.375 * 0.125,
        0.625 * 0.875,
        0.625 * 0.125,
    )
    assert torch.allclose(layer.grad[0, 0], expected, atol=1e-6)


@pytest.mark.parametrize("answer", HEADS)
@pytest.mark.parametrize("size", [(32, 48), (33, 47), (70, 1)])
def test_dense_is_sparse_at_every_place(answer, size):
    torch.manual_seed(0)
    network = HypercolumnNet(answer, width=3, hidden=8).eval()
    lightness = torch.rand(2, 1, *size) * 100
    points = grid_points(*size, stride=2).expand(2, -1, -1)
    with torch.inference_mode():
        dense, sparse = network(lightness), network.at(lightness, points)
    assert dense.shape == (2, network.outputs, -(-size[0] // 2), -(-size[1] // 2))
    assert torch.allclose(dense.flatten(2), sparse, atol=1e-5)


@pytest.mark.parametrize(("first", "last"), [("data", "conv5_2"), ("conv4_1", "conv7"), ("conv7", "conv7")])
def test_hypercolumns_of_some_layers(first, last):
    network = HypercolumnNet(width=2, hidden=8, first=first, last=last).eval()
    lightness = torch.rand(1, 1, 32, 32) * 100
    assert network.used == NAMES[NAMES.index(first) : NAMES.index(last) + 1]
    points = grid_points(32, 32, 2)[None]
    layers = network.layers(lightness)
    columns = hypercolumns({name: layers[name] for name in network.used}, points)
    assert columns.shape == (1, network.enter.in_channels, 256)
    assert torch.allclose(network(lightness).flatten(2), network.at(lightness, points), atol=1e-5)


def test_the_sparse_gradient_is_the_dense_one_at_those_places():
    """The loss at 20 of all places, once from the dense answer and once from 20 hypercolumns: every weight's gradient."""
    torch.manual_seed(0)
    network = HypercolumnNet(width=3, hidden=8).double().eval()
    lightness = torch.rand(2, 1, 24, 40, dtype=torch.float64) * 100
    every = grid_points(24, 40, 2)
    chosen = torch.randperm(len(every))[:20]
    gradients = []
    for dense in (True, False):
        network.zero_grad()
        answer = (
            network.dense(lightness).flatten(2)[..., chosen]
            if dense
            else network.at(lightness, every[chosen].expand(2, -1, -1))
        )
        answer.square().mean().backward()
        gradients.append([parameter.grad.clone() for parameter in network.parameters()])
    assert len(gradients[0]) > 20
    for dense, sparse in zip(*gradients, strict=True):
        assert dense.abs().max() > 0
        assert torch.allclose(dense, sparse, rtol=1e-4, atol=1e-7 * dense.abs().max())


def saved_bytes(run):
    """Bytes that autograd keeps for the way back, each tensor once."""
    kept = {}

    def note(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        answer = run()
    del answer
    return sum(kept.values())


def test_sparse_hypercolumns_need_little_memory():
    network = HypercolumnNet(width=4, hidden=16).eval()
    lightness = torch.rand(1, 1, 64, 64) * 100
    layers = {name: layer.detach().requires_grad_() for name, layer in network.layers(lightness).items()}
    few, all_places = torch.rand(1, 128, 2) * 64, grid_points(64, 64)[None]
    sparse = saved_bytes(lambda: network.enter(hypercolumns(layers, few)))
    dense = saved_bytes(lambda: network.enter(hypercolumns(layers, all_places)))
    columns = 4 * network.enter.in_channels
    assert dense - sparse > 0.9 * columns * (4096 - 128)


def test_the_papers_memory():
    """12,417 channels: 13 MB for 128 places with values and gradients; 1.7 GB for 256 x 256 places needs 2 bytes a value."""
    channels = 1 + 2 * 64 + 2 * 128 + 3 * 256 + 3 * 512 + 3 * 512 + 2 * 4096
    assert channels == 12_417
    assert channels * 128 * 8 == pytest.approx(12.7e6, rel=0.01)
    assert channels * 256 * 256 * 2 == pytest.approx(1.63e9, rel=0.01)


def test_places_are_drawn_anew_and_follow_the_seed():
    network = HypercolumnNet(width=2, points=50).train()
    lightness = torch.rand(3, 1, 16, 24) * 100
    torch.manual_seed(1)
    one, two = network(lightness), network(lightness)
    torch.manual_seed(1)
    assert torch.equal(network(lightness).points, one.points)
    assert isinstance(one, Sampled) and not torch.equal(one.points, two.points)
    assert one.logits.shape == (3, 64, 50) and one.points.shape == (3, 50, 2)
    assert torch.equal(one.points, one.points.floor())
    assert (one.points >= 0).all() and (one.points.amax(dim=(0, 1)) <= torch.tensor([15, 23])).all()


def test_balance_changes_the_layers_and_not_the_answer():
    torch.manual_seed(0)
    network = HypercolumnNet(width=4, hidden=16, norm=False).double().eval()
    with torch.no_grad():
        for k, conv in enumerate(network.convs.values()):  # as different in scale as in VGG-16
            conv.weight *= 3 ** (k % 4)
            conv.bias.normal_()
    lightness = torch.rand(2, 1, 64, 64, dtype=torch.float64) * 100
    with torch.no_grad():
        before, moments = network(lightness), network.layers(lightness)
        assert max(layer.square().mean().item() for layer in moments.values()) > 100
        factors = balance(network, lightness)
        after, layers = network(lightness), network.layers(lightness)
    assert list(factors) == [name for name, *_ in LAYERS]
    assert torch.allclose(before, after, rtol=1e-9, atol=1e-9 * before.abs().max())
    for name, layer in layers.items():
        if name == "data":
            assert torch.equal(layer, moments[name])
        else:
            assert layer.square().mean().item() == pytest.approx(1, abs=1e-6)
            assert factors[name] == pytest.approx(moments[name].square().mean().item() ** -0.5)
    assert list(balance(network, lightness).values()) == pytest.approx([1.0] * len(LAYERS))
    with pytest.raises(ValueError, match="without batch norm"):
        balance(HypercolumnNet(width=2), lightness)


def test_filters_for_color_become_filters_for_gray():
    random = torch.Generator().manual_seed(0)
    filters, gray = torch.randn(6, 3, 5, 5, generator=random), torch.rand(2, 1, 9, 9, generator=random)
    expected = F.conv2d(gray.expand(-1, 3, -1, -1), filters)
    assert torch.allclose(F.conv2d(gray, gray_filters(filters)), expected, atol=1e-5)
    with pytest.raises(ValueError, match=r"\(O, 3, k, k\), got \(6, 1, 5, 5\)"):
        gray_filters(filters[:, :1])


# Heads


def certain(head, lab):
    """Logits of a network that is certain of the true color: (N, 3, H, W) -> (N, outputs, H, W)."""
    n, _, height, width = lab.shape
    points = grid_points(height, width).expand(n, -1, -1)
    targets = head.targets(patch(lab, points, 1))
    sizes = [head.outputs] if torch.is_tensor(targets) else [head.outputs // 2] * 2
    targets = [targets] if torch.is_tensor(targets) else targets[:2]
    hot = [F.one_hot(t, k).movedim(-1, 1).float() * 60 for t, k in zip(targets, sizes, strict=True)]
    return torch.cat(hot, dim=1).view(n, head.outputs, height, width)


@pytest.mark.parametrize(
    ("answer", "worst"), [("lab_marginal", 1.8), ("lab_joint", 3.5), ("hue_chroma", 3.5)]
)
def test_certain_answers_are_read_out_as_the_true_colors(answer, worst):
    """What is lost is the width of the bins: mean distance in ab units, on photos."""
    photos = torch.stack([images.square(images.bundled(name), 32) for name in images.BUNDLED])
    lab = rgb_to_lab(photos)
    head = HEADS[answer]()
    logits = certain(head, lab)
    for T in (1.0, 0.0):
        ab = head.readout(logits, lab[:, :1], T)
        assert (ab - lab[:, 1:]).norm(dim=1).mean() < worst
    assert head.loss(logits.flatten(2), lab.flatten(2).unsqueeze(-1)).item() < 1e-6
    with pytest.raises(ValueError, match="temperature T must be 0 or above, got -1"):
        head.readout(logits, lab[:, :1], -1)


def test_a_regression_is_read_out_as_it_is():
    head = HEADS["l2"]()
    lab = torch.randn(2, 3, 7, 1) * 20
    assert head.loss(lab[..., 0][:, 1:] / 50, lab).item() == pytest.approx(0, abs=1e-9)
    assert head.loss(torch.zeros(2, 2, 7), lab).item() == pytest.approx(
        0.5 * lab[:, 1:].square().sum(1).mean().item()
    )
    assert torch.equal(head.readout(torch.ones(1, 2, 1, 1), None), torch.full((1, 2, 1, 1), 50.0))


@pytest.mark.parametrize("answer", HEADS)
@pytest.mark.parametrize("kind", ["apple", "roof", "balloon", "tulip"])
def test_nothing_beats_the_best_answer(answer, kind):
    """At the exact optimum of a palette the expected loss has no gradient, and is lower than anywhere around."""
    head, palette = HEADS[answer](), ToyWorld().palette(kind)
    share = palette.probabilities.float()
    colors = torch.cat((torch.full((len(share), 1), 60.0), palette.colors.float()), dim=1).T.view(1, 3, 1, -1)
    best = head.best(colors, share)
    assert best.shape == (1, head.outputs, 1)

    def expected(logits):
        return sum(p * head.loss(logits, colors[..., k : k + 1]) for k, p in enumerate(share))

    logits = best.clamp(min=-20).requires_grad_()
    expected(logits).backward()
    assert logits.grad.abs().max() < 1e-4 * (50 * 50 if answer == "l2" else 1)
    random = torch.Generator().manual_seed(0)
    least = expected(logits)
    for _ in range(10):
        assert expected(logits + 0.3 * torch.randn(logits.shape, generator=random)) > least


def test_targets_of_patches_are_histograms():
    """Against the dense histograms of the whole picture."""
    lab = rgb_to_lab(ToyWorld(24).batch(2, seed=0)[0])
    points = torch.randint(24, (2, 30, 2), generator=torch.Generator().manual_seed(0)).float()
    head = HEADS["lab_marginal"]()
    of_a, of_b = head.targets(patch(lab, points, 7))
    for k, found in enumerate((of_a, of_b), start=1):
        dense = dense_histograms(head.axis.index(lab[:, k]), 32, 7)
        for n in range(2):
            for p, (row, column) in enumerate(points[n].int().tolist()):
                assert torch.allclose(found[n, :, p], dense[n, :, row, column], atol=1e-6)
    joint = HEADS["lab_joint"]().targets(patch(lab, points, 7))
    assert joint.shape == (2, 256, 30) and torch.allclose(joint.sum(1), torch.ones(2, 30))
    hue, chroma, value = HEADS["hue_chroma"]().targets(patch(lab, points, 7))
    assert hue.shape == chroma.shape == (2, 32, 30)
    assert torch.allclose(hue.sum(1), torch.ones(2, 30), atol=1e-5)
    true = HEADS["hue_chroma"]().targets(patch(lab, points, 1))[2]
    assert torch.allclose(value, true, atol=1e-6)  # the chroma of the middle
    near = patch(lab, points, 7)
    colored = hue_chroma(lab_to_rgb(near))
    expected = np.histogram(colored[0][0, 0], bins=32, range=(0, 1), weights=colored[1][0, 0].double())[0]
    assert np.allclose(hue[0, :, 0], expected / expected.sum(), atol=1e-5)


def test_ways_of_table_5():
    head, random = HEADS["hue_chroma"](), torch.Generator().manual_seed(0)
    logits, lightness = torch.randn(1, 64, 6, 8, generator=random), torch.full((1, 1, 24, 32), 60.0)
    faded = head.readout(logits, lightness)
    vivid = head.readout(logits, lightness, fading=None)
    assert faded.shape == (1, 2, 6, 8)
    assert (faded.norm(dim=1) < vivid.norm(dim=1)).all()
    draw = {"hue": "sample", "chroma": "sample", "fading": None}
    one, two = (
        head.readout(logits, lightness, generator=torch.Generator().manual_seed(seed), **draw)
        for seed in (0, 1)
    )
    assert not torch.equal(one, two)
    modes = head.readout(logits, lightness, hue="mode", chroma="mode", fading=None)
    assert torch.allclose(modes, head.readout(logits, lightness, 0.0, chroma="mode", fading=None), atol=1e-3)
    likeliest = head.readout(logits, lightness, hue="mode", chroma="mode", fading=None)
    edges = head.axis.edges[
        logits[:, 32:].argmax(dim=1)
    ]  # the left one: a pixel that is likely gray becomes gray
    assert torch.allclose(
        likeliest,
        hue_chroma_to_ab(head.axis.centers[logits[:, :32].argmax(dim=1)], edges, lightness[:, 0, ::4, ::4]),
        atol=1e-3,
    )
    with pytest.raises(ValueError, match="chroma one of expectation, median, mode, sample, got 'median'"):
        head.readout(logits, lightness, hue="median")


def test_wrong_networks():
    with pytest.raises(ValueError, match=r"answer must be one of l2, .*, got 'hue'"):
        HypercolumnNet("hue")
    with pytest.raises(ValueError, match=r"first and last must be two of data, .* in this order"):
        HypercolumnNet(first="conv7", last="conv1_1")


# With the rest of the library


def test_it_colors_photos_through_its_own_readout(tmp_path):
    torch.manual_seed(0)
    network = HypercolumnNet(width=2, hidden=8).eval()
    weights.save(tmp_path / "mine.safetensors", network, {"width": 2, "hidden": 8}, 48, {"temperature": 1.0})
    colorizer = Colorizer.load(tmp_path / "mine.safetensors")
    assert colorizer.temperature == 1.0 and type(colorizer.network).__name__ in NETWORKS
    photo = images.bundled("chelsea")[:, :70, :90]
    assert colorizer.colorize(photo).shape == (70, 90, 3)
    lightness, answer = colorizer.answer(photo)
    painted = colorizer.paint(lightness, answer, 1.0)
    ab = colorizer.network.readout(answer, lightness, 1.0)
    ab = F.interpolate(ab, size=(70, 90), mode="bilinear", align_corners=False)
    assert torch.equal(painted, lab_to_rgb(torch.cat((lightness, ab), dim=1)))
    squares = torch.stack([images.square(photo, 48)] * 2)
    found = predict(colorizer, squares, (1.0, 0.38))
    assert list(found) == [1.0, 0.38] and found[1.0].shape == (2, 2, 48, 48)
    with torch.inference_mode():
        small = rgb_to_lab(squares)[:, :1]
        expected = colorizer.network.readout(colorizer.network(small), small, 1.0)
    assert torch.allclose(found[1.0], F.interpolate(expected, (48, 48), mode="bilinear"), atol=1e-4)


def test_networks_without_a_readout_are_decoded_as_before():
    torch.manual_seed(0)
    lightness = torch.rand(1, 1, 16, 16) * 100
    ab = torch.randn(1, 2, 8, 8)
    assert decoded(SmallNet(2, 2), ab, lightness, 0.5) is ab
    assert decoded(SmallNet(313, 2), torch.zeros(1, 313, 8, 8), lightness, 1.0).shape == (1, 2, 8, 8)


def whole(batch):
    lab = rgb_to_lab(batch[0])
    return lab[:, :1], lab


@pytest.mark.parametrize("answer", HEADS)
def test_it_learns_the_toy_world_from_few_pixels(answer):
    """Grass is green, always: after 40 steps on a sixth of the pixels its answer is nearer than gray, and the loss has fallen."""
    world = ToyWorld(24)
    torch.manual_seed(0)
    network = HypercolumnNet(answer, width=4, hidden=16, points=96)
    history = fit(network, world, sampled_loss(answer), 40, 8, 1e-2, examples=whole, progress=False)
    assert sum(history.losses[-5:]) < 0.75 * sum(history.losses[:5])
    scenes = world.scenes(20, seed=5)
    with torch.inference_mode():
        ab = network.readout(network(scenes.lightness[:, None]), scenes.lightness[:, None])
    grass = scenes.kind[:, ::2, ::2] == world.kinds.index("grass")
    found = ab.movedim(1, -1)[grass].mean(dim=0)
    true = world.palette("grass").mean().float()
    assert (found - true).norm() < 0.5 * true.norm()


def test_the_data_layer_is_lightness_between_minus_one_and_one():
    network = HypercolumnNet(width=2).eval()
    lightness = torch.tensor([0.0, 50.0, 75.0, 100.0]).view(4, 1, 1, 1).expand(-1, -1, 32, 32)
    data = network.layers(lightness)["data"]
    assert data[:, 0, 0, 0].tolist() == [-1.0, 0.0, 0.5, 1.0]


@pytest.mark.parametrize("side", [1, 7])
def test_a_sampled_loss_looks_at_patches_of_its_side(side):
    random = torch.Generator().manual_seed(3)
    lab = rgb_to_lab(torch.rand(2, 3, 20, 12, generator=random))
    found = Sampled(
        torch.randn(2, 64, 5, generator=random), torch.randint(0, 12, (2, 5, 2), generator=random)
    )
    other = {1: 7, 7: 1}[side]
    expected, wrong = (
        HEADS["hue_chroma"]().loss(found.logits, patch(lab, found.points, r)) for r in (side, other)
    )
    assert sampled_loss("hue_chroma", side)(found, lab) == expected != wrong
