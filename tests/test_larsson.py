"""The tables of Larsson et al. in miniature: the exact answers they compare with, and each part at a size that takes seconds."""

import json
import shutil

import pytest
import torch
import torch.nn.functional as F

from colorize import images, larsson, weights
from colorize.files import data_folder
from colorize.huechroma import hue_chroma
from colorize.networks import HypercolumnNet
from colorize.networks.heads import HEADS
from colorize.toyworld import ToyWorld


@pytest.fixture
def tiny(monkeypatch):
    for name, value in {
        "SCENE": 24,
        "WIDTH": 2,
        "HIDDEN": 8,
        "STEPS": 3,
        "BATCH": 2,
        "SCENES": 4,
        "PIXELS": 32,
    }.items():
        monkeypatch.setattr(larsson, name, value)
    larsson.train.cache_clear()
    yield
    larsson.train.cache_clear()


@pytest.fixture(scope="module")
def toy():
    world = ToyWorld(24)
    return world, world.scenes(6, seed=3)


def test_the_best_regression_is_the_mean_of_the_palette(toy):
    world, scenes = toy
    found = HEADS["l2"]().readout(larsson.best("l2", world, scenes), None)
    assert torch.allclose(found, world.mean_ab(scenes.kind).float(), atol=1e-4)


def test_the_best_histograms_are_the_palettes(toy):
    """Of a, by the palette's own probabilities; of hue and chroma at one pixel, color by color."""
    world, scenes = toy
    head, p = HEADS["lab_marginal"](), larsson.best("lab_marginal", world, scenes).exp()
    assert torch.allclose(p[:, :32].sum(dim=1), torch.ones(6, 24, 24), atol=1e-5)
    apple = scenes.kind == world.kinds.index("apple")
    if apple.any():
        first = p[:, :32].movedim(1, -1)[apple][0]
        assert sorted(first[first > 0].tolist()) == pytest.approx([0.5, 0.5])
        assert set(first.nonzero().flatten().tolist()) == set(
            head.axis.index(torch.tensor([53.0, -37.0])).tolist()
        )
    grass = scenes.kind == world.kinds.index("grass")  # one color: its own hue and chroma, at each lightness
    q = larsson.best("hue_chroma", world, scenes).exp().movedim(1, -1)[grass]
    hue, chroma = hue_chroma(scenes.rgb())
    axis = HEADS["hue_chroma"]().axis
    assert torch.allclose(q[:, :32].gather(1, axis.index(hue)[grass][:, None]), torch.ones(1), atol=1e-5)
    assert torch.allclose(q[:, 32:].gather(1, axis.index(chroma)[grass][:, None]), torch.ones(1), atol=1e-5)


def test_measured_enlarges_first():
    rgb = torch.stack([images.square(images.bundled("coffee"), 32)] * 2)
    ab = torch.randn(2, 2, 16, 16, generator=torch.Generator().manual_seed(0)) * 10
    whole = F.interpolate(ab, (32, 32), mode="bilinear")
    assert larsson.measured(ab, rgb) == larsson.measured(whole, rgb)


def test_tables_of_the_toy_world(tiny):
    rows = larsson.spaces()["rows"]
    assert next(iter(rows)) == "no colorization" and len(rows) == 7
    for name, row in rows.items():
        assert set(row) <= {"best", "trained"}
        if name != "no colorization" and "best" in row:  # exact answers beat a network of three steps
            assert row["best"]["psnr"] > row["trained"]["psnr"]
            assert row["best"]["psnr"] > rows["no colorization"]["best"]["psnr"]
    found = larsson.layers()["rows"]
    assert list(found) == list(larsson.SLICES)
    assert found["data..fc7"]["channels"] == max(row["channels"] for row in found.values())
    found = larsson.sparse()
    assert found["the paper's, computed"]["128 places, value and gradient, 4 bytes each: MB"] == 12.7
    memory = found["MB of hypercolumns of one photo of 256 x 256"]
    assert memory["all places"] > 100 * memory["128 places"]


def test_tables_of_photos(tiny, tmp_path, monkeypatch, capsys):
    data = tmp_path / "data"
    (data / "weights").mkdir(parents=True)
    shutil.copytree(data_folder() / "recipes", data / "recipes")
    monkeypatch.setenv("COLORIZE_DATA", str(data))
    torch.manual_seed(0)
    network = HypercolumnNet(width=2)
    weights.save(
        data / "weights" / "hypercolumns.safetensors", network, {"width": 2}, 32, {"temperature": 1.0}
    )
    (tmp_path / "photos").mkdir()
    for k in (2, 5, 21, 23):  # of the validation split
        images.save(
            images.square(images.bundled(images.BUNDLED[k % 5]), 40), tmp_path / "photos" / f"{k}.jpg"
        )
    assert larsson.main(["readouts", "histograms", "--photos", str(tmp_path / "photos")]) == 0
    found = json.loads((data / "results" / "hypercolumns.json").read_text())
    assert set(found) == {"readouts", "histograms"}
    assert found["readouts"]["command"] == "python -m colorize.larsson readouts --photos FOLDER"
    rows = found["readouts"]["rows"]
    assert list(rows) == ["no colorization", *larsson.WAYS]
    faded, vivid = (rows[f"expectation, median{way}"]["photos"]["chroma"] for way in (", fading", ""))
    assert faded < vivid
    rows = found["histograms"]["rows"]  # a network that knows nothing: the true histogram helps it
    assert rows["ours, quantile matching"]["rmse"] != rows["ours"]["rmse"]
    assert rows["ours, energy"]["rmse"] != rows["ours"]["rmse"]
    for wrong, sentence in {
        "tables": "PART must be one of spaces, layers, sparse, readouts, histograms, got 'tables'",
        "readouts": "the part readouts needs photos: --photos FOLDER",
    }.items():
        with pytest.raises(SystemExit):
            larsson.main([wrong])
        assert sentence in capsys.readouterr().err
