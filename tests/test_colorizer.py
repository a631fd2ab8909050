"""The colorizer: its file, its scale, its photo out."""

import json

import numpy as np
import pytest
import torch
from skimage import color

from colorize import colorizer, images, weights
from colorize.colorizer import Colorizer
from colorize.networks import Classifier, SmallNet
from colorize.weights import WeightsError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "weights").mkdir()
    monkeypatch.setenv("COLORIZE_DATA", str(tmp_path))
    return tmp_path / "weights"


def network(outputs=313, seed=0):
    torch.manual_seed(seed)
    made = SmallNet(outputs, width=4)
    made(torch.rand(2, 1, 64, 64) * 100)  # moves the running means
    return made.eval()


def write(path, outputs=313):
    made = network(outputs)
    weights.save(
        path,
        made,
        {"outputs": outputs, "width": 4},
        size=48,
        recipe={"loss": "test"},
        results={"gray": {"psnr": 20.5}},
    )
    return made


def test_weights_come_back(folder):
    made = write(folder / "mine.safetensors")
    loaded = Colorizer.load("mine")
    assert (loaded.name, loaded.size, loaded.recipe) == ("mine", 48, {"loss": "test"})
    assert loaded.results == {"gray": {"psnr": 20.5}}
    x = torch.rand(1, 1, 48, 64) * 100
    with torch.no_grad():
        assert (loaded.network(x) - made(x)).abs().max() < 0.05 * made(x).abs().max()
    assert colorizer.shipped() == ["mine"]


def test_the_best_is_taken_when_no_name_is_given(folder):
    with pytest.raises(WeightsError, match="no trained networks"):
        Colorizer.load()
    write(folder / "l2.safetensors", 2)
    assert Colorizer.load().name == "l2"
    write(folder / "rebalanced.safetensors")
    assert Colorizer.load().name == "rebalanced"
    assert Colorizer.load(folder / "l2.safetensors").name == "l2"


@pytest.mark.parametrize("outputs", [2, 313])
def test_lightness_and_size_are_kept(folder, outputs):
    write(folder / "mine.safetensors", outputs)
    loaded = Colorizer.load("mine")
    photo = images.bundled("coffee", 90)
    result = loaded.colorize(photo, T=1.0)
    assert result.dtype == np.uint8
    assert result.shape == (*photo.shape[1:], 3)
    before = color.rgb2lab(photo.movedim(0, -1).numpy())[..., 0]
    after = color.rgb2lab(result)[..., 0]
    assert np.median(np.abs(before - after)) < 0.5  # more only where the color had to be clipped


def test_colors_of_the_input_are_not_looked_at(folder):
    write(folder / "mine.safetensors")
    loaded = Colorizer.load("mine")
    photo = images.bundled("chelsea", 64)
    lab = torch.from_numpy(color.rgb2lab(photo.movedim(0, -1).numpy()))
    lab[..., 1:] = 0
    gray = torch.from_numpy(color.lab2rgb(lab.numpy())).movedim(-1, 0).float()
    assert np.abs(loaded.colorize(photo).astype(int) - loaded.colorize(gray)).max() <= 1


def test_inputs_of_every_kind_give_the_same(folder, tmp_path):
    write(folder / "mine.safetensors")
    loaded = Colorizer.load("mine")
    photo = images.bundled("coffee", 50)
    pixels = images.to_uint8(photo)
    path = tmp_path / "photo.png"
    images.save(photo, path)
    expected = loaded.colorize(photo)
    for other in (path, str(path), path.read_bytes(), pixels, photo.movedim(0, -1).numpy()):
        assert np.abs(loaded.colorize(other).astype(int) - expected).max() <= 1
    assert loaded.colorize(pixels[..., 0]).shape == pixels.shape


def test_temperature_counts_for_classification_and_not_for_regression(folder):
    write(folder / "mine.safetensors")
    write(folder / "l2.safetensors", 2)
    photo = images.bundled("rocket", 48)
    distribution, regression = Colorizer.load("mine"), Colorizer.load("l2")
    assert not np.array_equal(distribution.colorize(photo, T=1), distribution.colorize(photo, T=0.1))
    assert np.array_equal(regression.colorize(photo, T=1), regression.colorize(photo, T=0.1))
    with pytest.raises(ValueError, match="0 or above"):
        distribution.colorize(photo, T=-1)


def test_unknown_names_get_one_sentence(folder):
    write(folder / "rebalanced.safetensors")
    with pytest.raises(
        WeightsError, match=r"no network 'rebalance'; there are rebalanced, .*: did you mean rebalanced"
    ):
        Colorizer.load("rebalance")


def test_damaged_files_get_one_sentence(folder, monkeypatch):
    path = folder / "mine.safetensors"
    write(path)
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    with pytest.raises(WeightsError, match=r"mine.safetensors is no weights file"):
        Colorizer.load("mine")
    flipped = bytearray(good)
    flipped[-3] ^= 1
    path.write_bytes(bytes(flipped))
    with pytest.raises(WeightsError, match="is damaged"):
        Colorizer.load("mine")
    path.write_bytes(b"")
    with pytest.raises(WeightsError, match="no weights file"):
        Colorizer.load("mine")
    path.write_bytes(good)
    monkeypatch.setattr(weights, "FORMAT", "2")
    with pytest.raises(WeightsError, match="holds no network of this course"):
        Colorizer.load("mine")


def test_weights_that_do_not_fit_are_refused(folder):
    made = network()
    weights.save(folder / "mine.safetensors", made, {"outputs": 313, "width": 8}, 48, {})
    with pytest.raises(WeightsError, match=r"mine.safetensors does not fit SmallNet: .*of another shape"):
        Colorizer.load("mine")
    made.head.weight.data[0] = 1e6
    with pytest.raises(WeightsError, match=r"head\.weight: values too large for float16"):
        weights.save(folder / "huge.safetensors", made, {}, 48, {})
    assert not (folder / "huge.safetensors").exists()


def test_eight_bits_are_half_the_size_and_off_by_half_a_step_at_most(folder):
    """Held against NumPy: no number is off by more than half of max / 127 of its filter; vectors are float16 as before."""
    made = network()
    made.head.weight.data[3] = 0  # a filter of zeros must not divide by zero
    for bits in (8, 16):
        weights.save(folder / f"of{bits}.safetensors", made, {"outputs": 313, "width": 4}, 48, {}, bits=bits)
    sizes = [(folder / f"of{bits}.safetensors").stat().st_size for bits in (8, 16)]
    filters = sum(value.numel() for value in made.state_dict().values() if value.dim() > 1)
    scales = sum(len(value) for value in made.state_dict().values() if value.dim() > 1)
    assert sizes[1] - sizes[0] == pytest.approx(
        filters - 4 * scales, abs=5000
    )  # the rest is names in the header
    loaded = Colorizer.load("of8").network.state_dict()
    for key, value in made.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        got, value = loaded[key].numpy(), value.numpy()
        if value.ndim > 1:
            most = np.abs(value).reshape(len(value), -1).max(axis=1).reshape(-1, *[1] * (value.ndim - 1))
            assert (np.abs(got - value) <= most / 254 * 1.001).all(), key
        else:
            assert np.array_equal(got, value.astype(np.float16).astype(np.float32)), key
    assert np.array_equal(loaded["head.weight"][3].numpy(), np.zeros_like(loaded["head.weight"][3]))
    x = torch.rand(1, 1, 48, 64) * 100
    with torch.no_grad():
        assert (Colorizer.load("of8").network(x) - made(x)).abs().mean() < 0.02 * made(x).abs().mean()


def test_eight_bits_of_numbers_that_are_not_finite_are_refused(folder):
    made = network()
    made.head.weight.data[0, 0] = float("nan")
    with pytest.raises(
        WeightsError, match=r"head\.weight\.scale: values too large for float16, or not finite"
    ):
        weights.save(folder / "bad.safetensors", made, {}, 48, {}, bits=8)
    with pytest.raises(ValueError, match="bits must be 8 or 16, got 4"):
        weights.stored(made, bits=4)
    assert not list(folder.iterdir())


def test_networks_of_another_kind_are_not_listed_and_not_taken(folder):
    write(folder / "mine.safetensors")
    weights.save(folder / "judge.safetensors", Classifier(widths=(4, 8)), {"widths": [4, 8]}, 32, {})
    (folder / "broken.safetensors").write_bytes(b"no header")
    assert colorizer.shipped() == ["broken", "mine"]  # who asks for the broken one learns what is wrong
    assert weights.shipped({"Classifier": Classifier}) == ["broken", "judge"]
    with pytest.raises(WeightsError, match=r"judge.safetensors holds a Classifier, and SmallNet or ZhangNet"):
        Colorizer.load("judge")
    assert weights.load("judge", {"Classifier": Classifier}).size == 32


def test_metadata_is_readable_without_loading(folder):
    from safetensors import safe_open

    write(folder / "mine.safetensors")
    with safe_open(folder / "mine.safetensors", framework="pt") as file:
        about = file.metadata()
    assert about["network"] == "SmallNet"
    assert json.loads(about["arguments"]) == {"outputs": 313, "width": 4}
    assert len(about["sha256"]) == 64
