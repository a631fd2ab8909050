"""Evaluation, and a recipe from a folder of photos to a weights file, at a size that takes seconds."""

import dataclasses

import pytest
import torch

from colorize import evaluation, images, recipes
from colorize.colorizer import Colorizer, save_weights
from colorize.lab import rgb_to_lab
from colorize.networks import SmallNet


@pytest.fixture(scope="module")
def photos():
    return torch.stack([images.square(images.bundled(name), 64) for name in images.BUNDLED])


def test_the_truth_is_perfect_and_gray_is_gray(photos):
    found = evaluation.baselines(photos)
    assert found["truth"]["raw_auc"] == found["truth"]["rebalanced_auc"] == 100
    assert found["truth"]["skies"] == 100
    assert found["gray"]["chroma"] == found["gray"]["skies"] == found["gray"]["green"] == 0
    assert found["gray"]["rebalanced_auc"] < found["gray"]["raw_auc"] < 100
    true_ab = rgb_to_lab(photos)[:, 1:]
    assert found["constant"]["chroma"] == pytest.approx(true_ab.mean(dim=(0, 2, 3)).norm().item(), abs=0.01)


def test_shares_of_blue_and_green_are_counted():
    """Two truly blue pixels, one green, one red; the prediction is right for one blue and for the green."""
    colors = [[60, 110, 230], [60, 110, 230], [40, 160, 40], [200, 40, 40]]
    photos = torch.tensor(colors, dtype=torch.float32).T.reshape(1, 3, 2, 2) / 255
    ab = torch.tensor([[5.0, -20], [5, 20], [-30, 30], [40, 30]]).T.reshape(1, 2, 2, 2)
    found = evaluation.numbers(ab, photos)
    assert (found["skies"], found["blue"]) == (50, 25)
    assert (found["greens"], found["green"]) == (100, 25)


@pytest.mark.parametrize("size", [64, 48])
def test_prediction_is_the_colorizers_own(photos, size):
    torch.manual_seed(0)
    colorizer = Colorizer(SmallNet(width=4), size=size)
    found = evaluation.predict(colorizer, photos, (1.0, 0.38), batch=2)
    assert set(found) == {1.0, 0.38}
    lightness, answer = colorizer.answer(photos[3])
    expected = rgb_to_lab(colorizer.paint(lightness, answer, 0.38))
    inside = (expected[:, 0] - lightness[:, 0]).abs() < 0.1  # where nothing was clipped
    assert (expected[:, 1:] - found[0.38][3]).abs().amax(dim=1)[inside].max() < 0.1


def test_gray_photos_are_left_out(tmp_path):
    images.save(torch.full((3, 20, 30), 0.5), tmp_path / "gray.png")
    images.save(images.bundled("coffee", 40), tmp_path / "coffee.png")
    found = evaluation.validation_photos(sorted(tmp_path.iterdir()), 16)
    assert found.shape == (1, 3, 16, 16)


@pytest.mark.parametrize("loss", ["l2", "classification", "rebalanced"])
def test_a_recipe_from_photos_to_a_card(tmp_path, monkeypatch, capsys, loss):
    folder = tmp_path / "photos" / "cifar"
    folder.mkdir(parents=True)
    for k in range(40):  # enough for some to fall into the validation split: 2, 5, 21, 23, 32
        photo = images.square(images.bundled(images.BUNDLED[k % 5]), 40)
        images.save(photo, folder.parent / f"{k}.jpg")
        images.save(photo, folder / f"{k}.png")
    phases = (recipes.Phase(32, (1.0, 1.2), 0.5, 3, 4, 2e-3), recipes.Phase(40, (1.0,), 0.0, 2, 3, 1e-3))
    small = recipes.Recipe(loss, phases, width=4, view=32)
    monkeypatch.setitem(recipes.RECIPES, loss, small)
    monkeypatch.setenv("COLORIZE_DATA", str(tmp_path / "data"))
    command = [loss, "--photos", str(folder.parent), "--out", str(tmp_path / "runs")]
    assert recipes.main(command) == 0
    said = capsys.readouterr().out
    assert f"{loss}, phase 1 of 2: [35, 36] pictures" in said  # 40 without five, and without four
    assert f"{loss}, phase 2 of 2: [35] pictures" in said  # no thumbnails wanted
    loaded = Colorizer.load(loss)
    assert loaded.size == 32
    assert [phase["steps"] for phase in loaded.recipe["phases"]] == [3, 2]
    text = (tmp_path / "data" / "weights" / f"{loss}.md").read_text()
    assert "Measured** on 5 validation photos" in text
    assert f"make weights NAME={loss}" in text
    assert "| gray | " in text
    weights = (tmp_path / "data" / "weights" / f"{loss}.safetensors").read_bytes()
    assert recipes.main(command) == 0  # finished: nothing is trained, the same file is written
    assert Colorizer.load(loss).network.state_dict().keys() == loaded.network.state_dict().keys()
    assert len((tmp_path / "data" / "weights" / f"{loss}.safetensors").read_bytes()) == len(weights)


def test_twins_differ_in_the_loss_alone():
    twins = [dataclasses.asdict(recipes.RECIPES[name]) for name in ("l2", "classification", "rebalanced")]
    assert len({tuple(sorted((k, str(v)) for k, v in twin.items() if k != "loss")) for twin in twins}) == 1


def test_a_missing_folder_is_one_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit):
        recipes.main(["l2", "--photos", str(tmp_path / "missing"), "--out", str(tmp_path)])
    assert "there is no folder" in capsys.readouterr().err


def test_a_network_can_go_on_from_a_shipped_one(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLORIZE_DATA", str(tmp_path))
    recipe = recipes.Recipe("rebalanced", width=4, start="other")
    monkeypatch.setitem(recipes.RECIPES, "first", recipe)
    images.save(images.bundled("coffee", 40), tmp_path / "photo.png")
    with pytest.raises(SystemExit):
        recipes.main(["first", "--photos", str(tmp_path), "--out", str(tmp_path / "runs")])
    assert "there is no network 'other'" in capsys.readouterr().err
    (tmp_path / "weights").mkdir()
    torch.manual_seed(3)
    other = SmallNet(width=4)
    save_weights(tmp_path / "weights" / "other.safetensors", other, {"outputs": 313, "width": 4}, 32, {})
    lightness = torch.rand(2, 1, 32, 32) * 100
    with torch.inference_mode():
        expected, got = (network.eval()(lightness) for network in (other, recipes.make_network(recipe)))
    assert (got - expected).abs().max() < 0.01  # half precision
    assert (
        recipes.make_network(recipes.Recipe("rebalanced", width=4)).eval()(lightness) - expected
    ).abs().max() > 0.1
