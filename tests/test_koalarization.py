"""The experiments with embeddings: what is given to whom, what is compared, and each part at a size that takes seconds."""

import json
import shutil

import pytest
import torch

from colorize import images, koalarization, weights
from colorize.files import data_folder
from colorize.lab import rgb_to_lab
from colorize.networks import FusionNet, SmallNet


def test_what_pictures_are_given():
    embedding = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    found = koalarization.given(embedding)
    assert list(found) == ["own", "shuffled", "mean", "zero"]
    assert torch.equal(found["own"], embedding)
    assert not (found["shuffled"] == embedding).all(dim=1).any()  # never its own
    order = [embedding.tolist().index(row) for row in found["shuffled"].tolist()]
    assert sorted(order) == list(range(7))  # each of them once
    assert torch.allclose(found["mean"], embedding.mean(dim=0).expand(7, 3))
    assert not found["zero"].any()


def test_told_is_the_network_itself_with_its_own_embedding():
    torch.manual_seed(0)
    network = FusionNet(width=1 / 16).start().eval()
    photos = torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    asked = []
    hook = network.extractor.register_forward_hook(lambda _m, inputs, _a: asked.append(len(inputs[0])))
    found = koalarization.told(network, photos, 32, batch=2)
    hook.remove()
    assert sum(asked) == 5  # once for all four ways
    with torch.no_grad():
        expected = network(rgb_to_lab(photos)[:, :1])
    expected = torch.nn.functional.interpolate(expected, (32, 32), mode="bilinear", align_corners=False)
    assert (found["own"] - expected).abs().max() < 1e-4
    assert all(ab.shape == (5, 2, 32, 32) for ab in found.values())
    assert koalarization.told(network, photos, 24)["zero"].shape == (5, 2, 32, 32)


def test_rows_compare_photo_by_photo():
    photos = torch.stack([images.bundled(name, 32)[:, :32, :32] for name in ("coffee", "chelsea", "rocket")])
    true_ab = rgb_to_lab(photos)[:, 1:]
    rows = koalarization.rows_of({"true": true_ab, "gray": true_ab * 0}, photos, "true")
    assert rows["true"]["numbers"]["raw_auc"] == pytest.approx(100, abs=0.01)
    assert set(rows["true"]) == {"numbers", "intervals"}
    off, low, high = rows["gray"]["over true"]["raw_auc"]
    assert low <= off <= high < 0
    assert rows["gray"]["ab units from true"] == pytest.approx(true_ab.norm(dim=1).mean().item(), abs=0.006)
    assert rows["gray"]["numbers"]["chroma"] == 0


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    sizes = {"SEEDS": (0,), "SCENE": 48, "STEPS": 2, "SCENES": 12, "WIDTH": 1 / 16, "BATCH": 4}
    for name, value in (sizes | {"LABELED_STEPS": 2, "KNOWN": 20, "JUDGED": 6, "PIXELS": 32}).items():
        monkeypatch.setattr(koalarization, name, value)
    folder = tmp_path / "data"
    shutil.copytree(data_folder() / "recipes", folder / "recipes")
    (folder / "weights").mkdir()
    shutil.copy(data_folder() / "weights" / "classifier.safetensors", folder / "weights")
    monkeypatch.setenv("COLORIZE_DATA", str(folder))
    return folder


def test_the_toy_part_writes_exact_and_trained(tiny, capsys):
    assert koalarization.main(["toy"]) == 0
    assert "toy: " in capsys.readouterr().out
    found = json.loads((tiny / "results" / "fusion.json").read_text())["toy"]
    assert found["command"] == "python -m colorize.koalarization toy"
    assert found["exact"]["grass"]["answers"]["season unknown"] == [-13, 40]
    assert found["exact"]["grass"]["excess"] == {"own": 0, "none": 202, "shuffled": 404, "swapped": 808}
    assert found["out of reach of the sign, %"] == 43.8  # 1 - (18 / 24)^2
    assert list(found["rows"]) == ["none", "perfect", "own", "named"]
    assert list(found["rows"]["none"][0]) == ["own", "seed", "seconds"]
    assert set(found["rows"]["named"][0]) > {"own", "none", "shuffled", "swapped", "seasons named, %"}


def test_photos_and_labels(tiny, tmp_path):
    folder = tmp_path / "photos"
    for label, hue in (("cat", 0.2), ("frog", 0.9)):
        (folder / "cifar10_train" / label).mkdir(parents=True)
        for n in range(30):  # 2, 5, 21 and 23 are of the validation split
            random = torch.Generator().manual_seed(n)
            picture = torch.rand(3, 32, 32, generator=random) * torch.tensor([hue, 0.5, 1 - hue]).view(
                3, 1, 1
            )
            images.save(picture, folder / "cifar10_train" / label / f"{n}.jpg")
    for n in range(8):
        images.save(images.bundled("coffee", 40 + n), folder / f"{n}.jpg")
    images.save(images.bundled("chelsea", 40), folder / "21.jpg")
    torch.manual_seed(0)
    plain = {"outputs": 2, "width": 2}
    weights.save(tiny / "weights" / "l2.safetensors", SmallNet(**plain), plain, 32, {"loss": "l2"})
    told = {"outputs": 2, "width": 1 / 16, "embedding": "classifier"}
    weights.save(tiny / "weights" / "fusion.safetensors", FusionNet(**told).start(), told, 32, {"loss": "l2"})
    assert koalarization.main(["labels", "photos", "--photos", str(folder)]) == 0
    results = json.loads((tiny / "results" / "fusion.json").read_text())
    photos, labels = results["photos"], results["labels"]
    assert photos["photos"] == 3
    assert list(photos["rows"]) == ["gray", "l2", "own", "shuffled", "mean", "zero"]
    assert set(photos["rows"]["shuffled"]) == {"numbers", "intervals", "over own", "ab units from own"}
    assert list(labels["networks"]) == ["none", "own", "named", "classifier"]
    assert set(labels["networks"]["named"]) == {"seconds", "probe, % right", "named, % right"}
    assert "named, shuffled" in labels["rows"] and labels["photos"] == 6
    assert koalarization.main(["photos", "--photos", str(folder)]) == 0  # the other part stays
    assert json.loads((tiny / "results" / "fusion.json").read_text())["labels"] == labels


def test_wrong_arguments_are_one_sentence(tiny, capsys, tmp_path):
    for arguments, sentence in (
        (["colors"], "PART must be one of toy, labels, photos, got 'colors'"),
        (["toy", "photos"], "the part photos needs photos: --photos FOLDER"),
        (["photos", "--photos", str(tmp_path / "no")], "there is no folder"),
    ):
        with pytest.raises(SystemExit):
            koalarization.main(arguments)
        assert sentence in capsys.readouterr().err
