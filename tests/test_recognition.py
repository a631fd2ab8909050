"""The judge of colorizations: counts by hand, exact answers on the toy world, and VGG-16 through a stand-in."""

import sys
import types

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from colorize import recognition, weights
from colorize.networks import Classifier
from colorize.recognition import Judge, JudgeError, ToyJudge, toy_recall
from colorize.toyworld import ToyWorld

WAYS = ("true", "gray", "mean", "annealed", "mode", "sample")


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_confusion_counts_pairs(pairs):
    labels, answers = torch.tensor(pairs).T
    counts = recognition.confusion(labels, answers, 4)
    expected = np.zeros((4, 4), dtype=int)
    for shown, answered in pairs:
        expected[shown, answered] += 1
    assert np.array_equal(counts.numpy(), expected)
    assert recognition.accuracy(counts) == pytest.approx(100 * np.trace(expected) / len(pairs))
    rows = recognition.shares(counts)
    for k in range(4):
        if expected[k].sum():
            assert rows[k].numpy() == pytest.approx(100 * expected[k] / expected[k].sum())
        else:
            assert rows[k].isnan().all()


def test_added_confusions_are_of_each_class_and_off_the_diagonal():
    true = torch.tensor([[80, 20, 0], [0, 10, 0], [1, 1, 2]])
    recolored = torch.tensor([[60, 20, 20], [4, 6, 0], [2, 0, 2]])
    found = recognition.added(recolored, true)
    assert found.tolist() == [[-20, 0, 20], [40, -40, 0], [25, -25, 0]]
    named = recognition.most_added(recolored, true, ("cat", "dog", "fox"), count=3)
    # 40 of 100 dogs, although only 4 dogs were shown as cats; the diagonal is no confusion
    assert named == [("dog", "cat", 40.0), ("fox", "cat", 25.0), ("cat", "fox", 20.0)]
    assert len(recognition.most_added(recolored, true, ("cat", "dog", "fox"), count=99)) == 6


def test_classes_that_were_not_shown_are_not_named():
    true = torch.tensor([[3, 1], [0, 0]])
    recolored = torch.tensor([[1, 3], [0, 0]])
    assert recognition.most_added(recolored, true, "ab", count=1) == [("a", "b", 50.0)]


def test_right_answers_that_became_more_frequent_are_no_confusions():
    true = torch.tensor([[4, 6], [1, 9]])
    recolored = torch.tensor([[9, 1], [2, 8]])  # +50 points right in the first row
    assert recognition.most_added(recolored, true, "ab", count=1) == [("b", "a", 10.0)]
    true, recolored = torch.tensor([[3, 0], [0, 3]]), torch.tensor([[2, 1], [0, 3]])
    assert recognition.most_added(recolored, true, "ab", count=1) == [("a", "b", 33.33)]


def test_bad_answers_are_refused():
    with pytest.raises(ValueError, match=r"both be \(N,\), got \(2,\) and \(3,\)"):
        recognition.confusion(torch.zeros(2).long(), torch.zeros(3).long(), 2)
    with pytest.raises(ValueError, match=r"answers must lie in 0..1, got 0 to 2"):
        recognition.confusion(torch.tensor([0, 1]), torch.tensor([0, 2]), 2)
    with pytest.raises(ValueError, match="no answers"):
        recognition.accuracy(torch.zeros(3, 3))


# Judges


def test_a_judge_works_in_parts_and_without_training():
    network = Classifier(3, widths=(4, 8))
    judge = Judge(network.train(), "abc")
    pictures = torch.rand(7, 3, 16, 16)
    assert (judge(pictures, batch=2) - judge(pictures)).abs().max() < 1e-5
    assert not network.training
    with pytest.raises(ValueError, match=r"\(N, 3, H, W\), got \(7, 1, 16, 16\)"):
        judge(pictures[:, :1])


def test_a_judge_comes_back_from_its_file(tmp_path):
    torch.manual_seed(0)
    network = Classifier(2, widths=(4, 8))
    path = tmp_path / "mine.safetensors"
    weights.save(path, network, {"classes": 2, "widths": [4, 8]}, 16, {"classes": ["cat", "dog"]})
    judge = recognition.load(path)
    assert judge.classes == ["cat", "dog"]
    pictures = torch.rand(5, 3, 16, 16)
    assert (judge(pictures) - Judge(network, "ab")(pictures)).abs().max() < 0.01
    with pytest.raises(weights.WeightsError, match=r"there is no network 'nobody'; .* and vgg16"):
        recognition.load("nobody")


def stand_in(monkeypatch, failing=None):
    """Put a module in torchvision's place that has what is asked of it: same names, same interface, a tiny network."""

    class Published:
        meta = types.MappingProxyType({"categories": ["dark", "bright"]})

        @staticmethod
        def transforms():
            return lambda pictures: (pictures - 0.5) / 0.25

    def vgg16(weights):
        if failing:
            raise failing
        assert weights is Published
        network = nn.Sequential(nn.Dropout(0.9), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
        with torch.no_grad():
            network[3].weight.copy_(torch.tensor([[-1.0, -1, -1], [1, 1, 1]]))
            network[3].bias.zero_()
        return network

    models = types.SimpleNamespace(VGG16_Weights=types.SimpleNamespace(IMAGENET1K_V1=Published), vgg16=vgg16)
    module = types.ModuleType("torchvision")
    module.models = models
    monkeypatch.setitem(sys.modules, "torchvision", module)


def test_vgg16_is_prepared_and_named_as_torchvision_says(monkeypatch):
    stand_in(monkeypatch)
    judge = recognition.load("vgg16")
    assert judge.classes == ["dark", "bright"]
    pictures = torch.stack([torch.full((3, 8, 8), 0.2), torch.full((3, 8, 8), 0.9)])
    logits = judge(pictures)
    assert logits.argmax(dim=1).tolist() == [0, 1]
    assert logits[1, 1].item() == pytest.approx(3 * (0.9 - 0.5) / 0.25, abs=1e-5)  # prepared, and no dropout


def test_vgg16_that_cannot_be_had_gets_one_sentence(monkeypatch):
    from urllib.error import URLError

    stand_in(monkeypatch, failing=URLError("no route"))
    with pytest.raises(JudgeError, match=r"528 MB\) could not be downloaded: .*no route"):
        recognition.vgg16()
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(JudgeError, match="pip install torchvision"):
        recognition.vgg16()


# The toy world


def test_the_toy_judge_is_bayes_rule():
    world = ToyWorld()
    ab = torch.tensor([[53.0, 38.0], [40.0, 30.0], [0.0, 0.0], [-30.0, 30.0]])
    density = np.zeros((4, len(world.kinds)))
    for k, palette in enumerate(world.palettes.values()):
        for color, p in zip(palette.colors.numpy(), palette.probabilities.numpy(), strict=True):
            density[:, k] += p * np.exp(-((ab.numpy() - color) ** 2).sum(axis=1) / (2 * 12.0**2))
    expected = density / density.sum(axis=1, keepdims=True)
    assert ToyJudge(world, 12.0)(ab).numpy() == pytest.approx(expected, abs=1e-12)


def test_toy_recall_equals_a_count_of_drawn_things():
    world = ToyWorld()
    exact = toy_recall(world, "true")
    scenes = world.scenes(400, seed=7)
    judge = ToyJudge(world, 5.0)
    for k, palette in enumerate(world.palettes.values()):
        shown = scenes.kinds == k
        if shown.sum() < 200:
            continue
        answers = judge(palette.colors[scenes.choices[shown]]).argmax(dim=1)
        drawn = (answers == k).double()
        assert abs(drawn.mean() - exact[k]) < 4 * (0.25 / len(drawn)) ** 0.5 + 1e-9


def test_toy_recall_by_hand():
    world = ToyWorld()
    recall = {way: dict(zip(world.kinds, toy_recall(world, way).tolist(), strict=True)) for way in WAYS}
    assert (
        sum(recall["gray"].values()) == 1
    )  # one answer for everything: the kind whose color is nearest to gray
    assert recall["true"] == recall["sample"]  # drawn alike
    assert recall["mean"]["apple"] == recall["mean"]["plum"] == recall["mean"]["balloon"] == 0  # brown, gray
    assert recall["true"]["apple"] == pytest.approx(0.5)  # green apples look like grass
    assert recall["mode"]["apple"] == 1  # better recognized than in its true colors
    assert recall["mode"]["tulip"] == 0 and recall["true"]["tulip"] == pytest.approx(0.15)


@pytest.mark.parametrize("spread", [0.0, -1.0, float("nan")])
def test_a_spread_must_be_above_0(spread):
    with pytest.raises(ValueError, match="spread must be above 0"):
        ToyJudge(ToyWorld(), spread)
    with pytest.raises(ValueError, match="way must be true, gray"):
        toy_recall(ToyWorld(), "colorful")
