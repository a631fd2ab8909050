"""The experiments of lesson 8, at a size that takes seconds: what they write, and that it is what was measured."""

import json
import shutil

import pytest
import torch
from lessons import ROOT

from colorize import experiments, images, make_classifier, recognition, weights
from colorize.datasets import Labeled, is_validation
from colorize.lab import lab_to_rgb, rgb_to_lab, to_gray
from colorize.metrics import auc
from colorize.networks import SmallNet, ZhangNet


def names(count, validation, first=0):
    """File names of one side of the split."""
    found = (f"{k:04d}.png" for k in range(first, 10_000))
    return [name for name in found if is_validation(name) == validation][:count]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A few photos, and two classes that are told apart by color alone: reddish and bluish noise of the same lightness."""
    root = tmp_path_factory.mktemp("photos")
    (root / "imagenet800").mkdir()
    for name, photo in zip(names(3, True) + names(2, False), images.BUNDLED, strict=True):
        images.save(images.square(images.bundled(photo), 48), root / "imagenet800" / name)
    images.save(torch.full((3, 48, 48), 0.5), root / "imagenet800" / names(4, True)[3])  # gray: left out
    random = torch.Generator().manual_seed(0)
    for label, a in (("rose", 40.0), ("sea", -30.0)):
        (root / "cifar10_train" / label).mkdir(parents=True)
        for name in names(60, False) + names(24, True):
            lab = torch.empty(3, 16, 16)
            lab[0] = 30 + 40 * torch.rand(16, 16, generator=random)
            lab[1], lab[2] = a, 5.0
            images.save(lab_to_rgb(lab), root / "cifar10_train" / label / name)
    return root


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data folder with tiny untrained networks under the names of the shipped ones."""
    shutil.copytree(ROOT / "data" / "recipes", tmp_path / "recipes")
    (tmp_path / "weights").mkdir()
    monkeypatch.setenv("COLORIZE_DATA", str(tmp_path))
    monkeypatch.setenv("COLORIZE_CACHE", str(tmp_path / "cache"))
    torch.manual_seed(0)
    for name in {*experiments.COMPARED, *experiments.PROBED}:
        arguments = {"outputs": 2 if name.startswith("l2") else 313, "width": 4}
        path = tmp_path / "weights" / f"{name}.safetensors"
        weights.save(path, SmallNet(**arguments), arguments, 32, {"temperature": 1.0})
    path = tmp_path / "weights" / "zhang_small.safetensors"
    weights.save(path, ZhangNet(width=1 / 16), {"width": 1 / 16}, 32, {})
    return tmp_path


def result(data, name):
    return json.loads((data / "results" / f"{name}.json").read_text(encoding="utf-8"))


def test_the_classifier_and_what_it_makes_of_gray_and_recolored_pictures(photos, data):
    folder = photos / "cifar10_train"
    assert make_classifier.main(["--photos", str(folder), "--steps", "40"]) == 0
    card = (data / "weights" / "classifier.md").read_text(encoding="utf-8")
    assert "rose, sea" in card and "120 pictures" in card and "48 validation pictures" in card
    assert not list((data / "cache").glob("*.pt"))
    assert experiments.main(["classifier", "--photos", str(photos)]) == 0
    found = result(data, "classifier")
    assert found["command"] == "python -m colorize.experiments classifier --photos FOLDER"
    assert (found["photos"], found["classes"]) == (48, ["rose", "sea"])
    assert list(found["rows"]) == ["true", "gray", "random", *experiments.COMPARED]
    # The same, by hand.
    seen, judge = Labeled(folder, "validation"), recognition.load()
    for name, shown in (("true", seen.photos / 255), ("gray", to_gray(seen.photos))):
        right = judge(shown).argmax(dim=1) == seen.labels
        row = found["rows"][name]
        assert row["accuracy"]["value"] == pytest.approx(100 * right.double().mean().item(), abs=0.01)
        for k, label in enumerate(judge.classes):
            expected = 100 * right[seen.labels == k].double().mean().item()
            assert row["recall"][label] == pytest.approx(expected, abs=0.06)
        assert sum(map(sum, row["confusion"])) == 48
    true, gray = (found["rows"][name]["accuracy"]["value"] for name in ("true", "gray"))
    assert true > 95 and gray < 75  # color is all that tells them apart
    assert found["rows"]["true"]["accuracy"]["over gray"] == pytest.approx(true - gray, abs=0.011)
    low, high = found["rows"]["true"]["accuracy"]["over gray, interval"]
    assert low <= true - gray <= high
    assert found["rows"]["gray"]["most added"][0][2] > 25


def test_the_shipped_card_is_written_from_the_weights_file():
    found = weights.load("classifier", recognition.CLASSIFIERS)
    path = ROOT / "data" / "weights" / "classifier.md"
    assert path.read_text(encoding="utf-8") == make_classifier.card(found.recipe, found.results)
    assert found.results["gray"] + 3 < found.results["color"] > 85


def test_vgg16_judges_whole_photos_through_a_stand_in(photos, data, monkeypatch, tmp_path):
    for label in ("rose", "sea"):
        (tmp_path / "net" / label).mkdir(parents=True)
        for path in sorted((photos / "cifar10_train" / label).iterdir())[:3]:
            shutil.copy(path, tmp_path / "net" / label)
    sizes = []

    class Reddest(torch.nn.Module):  # stands where VGG-16 would: pictures in, logits out
        def forward(self, pictures):
            sizes.append(tuple(pictures.shape[1:]))
            red = pictures.mean(dim=(2, 3))[:, 0] - pictures.mean(dim=(2, 3))[:, 1]
            return torch.stack((torch.full_like(red, 0.5 * red.max()), red), dim=1)

    stand_in = recognition.Judge(Reddest(), ["sea", "rose"])
    monkeypatch.setattr(recognition, "vgg16", lambda: stand_in)
    arguments = ["classifier", "--photos", str(tmp_path / "net"), "--judge", "vgg16"]
    assert experiments.main(arguments) == 0
    found = result(data, "classifier_vgg16")
    assert found["command"].endswith("--photos FOLDER --judge vgg16")
    assert (found["photos"], found["judge"], found["classes"]) == (6, "vgg16", 2)
    assert set(sizes) == {(3, 256, 256)}
    assert found["rows"]["true"]["accuracy"]["value"] == 100
    assert found["rows"]["true"]["recall"] == {"sea": 100, "rose": 100}
    assert "confusion" not in found["rows"]["true"]  # a million numbers for ImageNet


def test_pictures_come_shuffled_and_always_in_the_same_order(photos):
    folder = photos / "cifar10_train"
    once, again = (
        torch.cat([labels for _, labels in experiments.shown(folder, ["rose", "sea"], True, 20)])
        for _ in "ab"
    )
    assert torch.equal(once, again) and once.bincount().tolist() == [24, 24]
    assert 12 < (once != once.roll(1)).sum() < 36  # the color of a neighbor says nothing of one's own class


def test_the_table(photos, data):
    assert experiments.main(["table", "--photos", str(photos)]) == 0
    found = result(data, "table")
    assert found["photos"] == 3
    assert {"gray", "random", "l2", "l2_tuned", "best, T = 1", "classification, T = 0.38"} <= set(
        found["rows"]
    )
    for name, row in found["rows"].items():
        if name not in ("truth", "l2"):
            gap, low, high = row["over l2"]["psnr"]
            assert gap == pytest.approx(
                row["numbers"]["psnr"] - found["rows"]["l2"]["numbers"]["psnr"], abs=0.011
            )
            assert low <= gap <= high


def test_gray_by_every_definition(photos, data):
    assert experiments.main(["gray_imagenet", "--photos", str(photos)]) == 0
    found = result(data, "gray_imagenet")
    assert found["photos"] == 5  # the gray one is left out
    files = sorted((photos / "imagenet800").iterdir())
    ab = rgb_to_lab(torch.stack([images.square(images.read(path), 256) for path in files]))[:, 1:]
    ab = ab[ab.abs().flatten(1).amax(dim=1) > 5]
    assert found["numbers"]["raw AuC"] == pytest.approx(100 * auc(ab * 0, ab), abs=0.006)
    sixteen = 100 * auc(ab * 0, ab, step=10, rule="mean")
    assert found["numbers"]["raw AuC, mean of 16 values"] == pytest.approx(sixteen, abs=0.006)
    printed = found["numbers"]["RMSE alpha-beta, as printed"]
    assert found["numbers"]["RMSE alpha-beta, as printed, over root 2"] == pytest.approx(
        printed / 2**0.5, abs=1e-3
    )
    pooled, apart = (found["numbers"][f"rebalanced AuC{way}"] for way in ("", ", photo by photo"))
    assert pooled < apart < found["numbers"]["raw AuC"]


def test_the_curves(photos, data):
    assert experiments.main(["curves", "--photos", str(photos)]) == 0
    found = result(data, "curves")
    assert list(found["rows"]) == ["gray", *experiments.COMPARED]
    for row in found["rows"].values():
        assert [len(values) for values in row.values()] == [31, 31, 65, 31]
        for key in ("accepted", "accepted, rebalanced", "error below"):
            assert row[key] == sorted(row[key]) and row[key][-1] <= 1
        assert sum(row["psnr"]) == pytest.approx(1, abs=2e-3)
    # Gray by hand: its distance is the chroma of the truth.
    files = [path for path in sorted((photos / "imagenet800").iterdir()) if is_validation(path)]
    chroma = torch.cat(
        [rgb_to_lab(images.square(images.read(path), 256))[1:].norm(dim=0).flatten() for path in files[:3]]
    )
    for k, share in enumerate(found["rows"]["gray"]["accepted"]):
        assert share == pytest.approx((chroma <= 5 * k).double().mean().item(), abs=1e-4)


def test_features(photos, data):
    found = experiments.features(photos, size=32, known=100, steps=3)
    assert (found["known"], found["photos"], found["pixels"]) == (100, 48, 32)
    assert list(found["rows"]) == [
        "pixels",
        "random",
        *experiments.PROBED,
        "labels",
        "zhang_random",
        "zhang_small",
    ]
    assert list(found["rows"]["best"]) == ["1/2", "1/4", "1/8", "1/16", "1/32"]
    for row in found["rows"].values():
        for level in row.values():
            low, high = level["interval"]
            assert 0 <= low <= level["accuracy"] <= high <= 100
    # The classes differ in color alone, and the probes see none: nothing to be found.
    assert all(25 < level["accuracy"] < 75 for row in found["rows"].values() for level in row.values())


def test_closeness_prefers_the_dull_and_the_set_of_colors_does_not(data):
    assert experiments.main(["closeness"]) == 0
    rows = result(data, "closeness")["rows"]
    plausible, dull = rows["plausible"], rows["dull"]
    for name in ("raw_auc", "rebalanced_auc", "psnr"):
        assert plausible[name] < dull[name] < rows["truth"][name]
    for name in ("rmse", "rms", "frobenius"):
        assert plausible[name] > dull[name] > rows["truth"][name]
    assert plausible["set_distance"] < 0.05 < dull["set_distance"]
    assert abs(plausible["chroma"] - rows["truth"]["chroma"]) < abs(dull["chroma"] - rows["truth"]["chroma"])


def test_what_is_missing_is_said(photos, data, capsys, tmp_path):
    for arguments, sentence in (
        (["table"], "the experiment table needs photos"),
        (["classifier", "--photos", str(photos)], "there is no network 'classifier'"),
        (["gray_imagenet", "--photos", str(tmp_path)], f"there is no folder {tmp_path / 'imagenet800'}"),
    ):
        with pytest.raises(SystemExit):
            experiments.main(arguments)
        assert sentence in capsys.readouterr().err
        assert not (data / "results").exists() or not list((data / "results").iterdir())


def test_folders_are_matched_with_a_judges_classes():
    assert experiments.class_numbers(["dog", "ant"], ["ant", "bee", "dog"]).tolist() == [2, 0]
    assert experiments.class_numbers(["n1", "n2"], ["ant", "bee"]).tolist() == [0, 1]
    with pytest.raises(
        ValueError, match="the judge knows no class 'n1', and 2 folders are not its 3 classes"
    ):
        experiments.class_numbers(["n1", "dog"], ["ant", "bee", "dog"])
