"""Recipes: what a file may say, and from a folder of photos to weights and card, at a size that takes seconds."""

import dataclasses
import json
import subprocess
import sys

import pytest
import torch

from colorize import images, measure, recipes, train
from colorize.colorizer import Colorizer, shipped
from colorize.files import data_folder
from colorize.networks import SmallNet
from colorize.recipes import Phase, Recipe, RecipeError
from colorize.weights import save as save_weights

SHIPPED = ("l2", "smooth_l1", "classification", "rebalanced")


# Files


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_can_be_read(name):
    recipe = recipes.load(name)
    assert recipe.phases
    assert recipes.make_rate(recipe, recipe.phases[0])(0, 1000) > 0


def test_twins_differ_in_the_loss_alone():
    twins = [dataclasses.asdict(recipes.load(name)) for name in SHIPPED]
    same = [
        {k: v for k, v in twin.items() if k not in ("loss", "bits")} for twin in twins
    ]  # bits: of the file, not of the run
    assert all(twin == same[0] for twin in same)
    narrow, broad = recipes.load("narrow"), recipes.load("broad")
    assert dataclasses.replace(narrow, only=()) == broad


def test_the_papers_recipe():
    recipe = recipes.load("zhang2016")
    assert (recipe.optimizer, recipe.betas, recipe.weight_decay) == ("Adam", (0.9, 0.99), 1e-3)
    (phase,) = recipe.phases
    rate = recipes.make_rate(recipe, phase)
    at = [phase.learning_rate * rate(step, phase.steps) for step in (0, 199_999, 200_000, 375_000, 449_999)]
    assert at == pytest.approx([3.16e-5, 3.16e-5, 1e-5, 3.16e-6, 3.16e-6], rel=2e-3)
    kth = recipes.load("kth")
    assert [recipes.make_rate(kth, kth.phases[0])(step, 150_000) for step in (0, 149_999)] == [1, 1]
    assert dataclasses.replace(kth, neighbors=10, rate="staircase", phases=recipe.phases) == recipe


def test_the_sum_is_the_mean_times_the_pixels():
    """The loss of public rewrites starts at 44 x 44 x ln 313 = 11,124."""

    class Data(recipes.Mix):
        def __init__(self):
            self.parts = [recipes.Thumbnails.__new__(recipes.Thumbnails)]
            self.parts[0].photos = torch.randint(256, (5, 3, 8, 8), dtype=torch.uint8)

    loss = recipes.make_loss(dataclasses.replace(recipes.load("zhang2016"), lam=1.0), Data())
    ab = torch.randn(2, 2, 44, 44) * 20
    assert loss(torch.zeros(2, 313, 44, 44), ab).item() == pytest.approx(11_124, abs=1)


BAD = {
    "loss": (
        'loss = "l3"',
        "loss must be one of l2, smooth_l1, classification, rebalanced, lab_marginal, lab_joint, hue_chroma, gan, got 'l3'",
    ),
    "hypercolumns": (
        'loss = "smooth_l1"\nnetwork = "HypercolumnNet"',
        "the loss of a HypercolumnNet is one of l2, lab_marginal, lab_joint, hue_chroma, got 'smooth_l1'",
    ),
    "not hypercolumns": (
        'loss = "hue_chroma"',
        "the loss of a SmallNet is one of l2, smooth_l1, classification, rebalanced, got 'hue_chroma'",
    ),
    "two players": (
        'loss = "gan"\nnetwork = "UNet"\noptimizer = "Adam"\nweight_decay = 0\nprecision = "bfloat16"',
        "with the loss gan precision must be 'float32', got 'bfloat16'",
    ),
    "kind": ('loss = "l2"\nseed = "one"', "seed must be of kind int, got 'one'"),
    "truth": ('loss = "l2"\nseed = true', "seed must be of kind int, got True"),
    "name": ('loss = "l2"\nweigth_decay = 0.1', "unknown entry 'weigth_decay', did you mean 'weight_decay'"),
    "width": ('loss = "l2"\nwidth = -3', "width must be above 0, got -3.0"),
    "accumulate": ('loss = "l2"\naccumulate = 0', "accumulate must be above 0, got 0"),
    "loss missing": ("seed = 1", "loss must be given"),
    "toml": ("loss = ", "no TOML file"),
}


@pytest.mark.parametrize("case", BAD)
def test_wrong_recipes_get_one_sentence(tmp_path, case):
    entries, sentence = BAD[case]
    path = tmp_path / "mine.toml"
    path.write_text(entries + "\n[[phases]]\nsize = 32\nsteps = 1\nbatch_size = 2\nlearning_rate = 1e-3\n")
    with pytest.raises(RecipeError) as caught:
        recipes.load(path)
    assert sentence in str(caught.value)
    assert "mine.toml" in str(caught.value)


def test_missing_recipes_and_phases(tmp_path):
    with pytest.raises(RecipeError, match=r"there is no recipe 'rebalance'; .*did you mean rebalanced"):
        recipes.load("rebalance")
    path = tmp_path / "mine.toml"
    path.write_text('loss = "l2"')
    with pytest.raises(RecipeError, match="needs at least one"):
        recipes.load(path)
    path.write_text('loss = "l2"\n[[phases]]\nsize = 32')
    with pytest.raises(RecipeError, match="steps, batch_size, learning_rate must be given"):
        recipes.load(path)
    phase = 'loss = "l2"\n[[phases]]\nsize = 32\nsteps = 1\nbatch_size = 1\nlearning_rate = 1e-3\n'
    path.write_text(phase + "zooms = []")
    with pytest.raises(RecipeError, match=r"zooms must hold numbers above 0, got \[\]"):
        recipes.load(path)
    path.write_text(phase.replace("steps = 1", "steps = 0"))
    with pytest.raises(RecipeError, match="steps must be above 0, got 0"):
        recipes.load(path)
    path.write_text('like = "mine"')
    with pytest.raises(RecipeError, match="cannot be like itself"):
        recipes.load(path)


# Training


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Forty photos and forty thumbnails, of which some fall into the validation split: 2, 5, 21, 23, 32."""
    root = tmp_path_factory.mktemp("photos")
    (root / "cifar" / "horse").mkdir(parents=True)
    for k in range(40):
        photo = images.square(images.bundled(images.BUNDLED[k % 5]), 40)
        images.save(photo, root / f"{k}.jpg")
        images.save(photo, root / "cifar" / ("horse" if k % 2 else "") / f"{k}.jpg")
    return root


PHASES = """
width = WIDTH
view = 32
measured = 32
[[phases]]
size = 32
zooms = [1.0, 1.2]
thumbnails = 0.5
steps = 3
batch_size = 4
learning_rate = 2e-3
[[phases]]
size = 40
zooms = [1.0]
steps = 2
batch_size = 3
learning_rate = 1e-3
"""


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data folder of its own, in which small recipes may be written."""
    (tmp_path / "data" / "recipes").mkdir(parents=True)
    (tmp_path / "data" / "weights").mkdir()
    monkeypatch.setenv("COLORIZE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLORIZE_CACHE", str(tmp_path / "cache"))

    def write(name, entries, phases=PHASES):
        width = "0.0625" if "ZhangNet" in entries or "UNet" in entries else "4"
        text = entries + phases.replace("WIDTH", width)
        (tmp_path / "data" / "recipes" / f"{name}.toml").write_text(text)
        return tmp_path / "data" / "weights"

    return write


@pytest.mark.parametrize("loss", ["l2", "smooth_l1", "classification", "rebalanced"])
def test_a_recipe_from_photos_to_a_card(tmp_path, data, folder, capsys, loss):
    network = "ZhangNet" if loss == "rebalanced" else "SmallNet"
    weights = data(loss, f'loss = "{loss}"\nnetwork = "{network}"')
    command = [
        "--recipe",
        loss,
        "--data",
        str(folder),
        "--out",
        str(tmp_path / "runs"),
        "--weights",
        str(weights),
    ]
    command += ["--device", "cpu"]
    assert train.main(command) == 0
    said = capsys.readouterr().out
    assert f"{loss}, phase 1 of 2: [35, 35] pictures" in said  # 40 without five
    assert f"{loss}, phase 2 of 2: [35] pictures" in said  # no thumbnails wanted
    loaded = Colorizer.load(loss)
    assert loaded.size == 32
    assert type(loaded.network).__name__ == network
    assert [phase["steps"] for phase in loaded.recipe["phases"]] == [3, 2]
    text = (weights / f"{loss}.md").read_text()
    assert "Measured** on 5 validation pictures, squares of 32 pixels" in text
    assert f"make weights NAME={loss}" in text
    assert "| gray | " in text
    log = (tmp_path / "runs" / f"{loss}-1.csv").read_text().splitlines()
    assert log[0] == "step,loss,learning_rate,chroma,raw_auc,rebalanced_auc"
    assert all(len(line.split(",")) == 6 for line in log)
    assert float(log[-1].split(",")[4]) > 50
    for suffix, size in (("jpg", (5 * 32, 3 * 32)), ("png", (800, 300))):
        with images.Image.open(tmp_path / "runs" / f"{loss}-1.{suffix}") as drawn:
            assert drawn.size == size
    assert train.main(command) == 0  # finished: nothing is trained, the same network is written
    again = Colorizer.load(loss)
    assert all(map(torch.equal, again.network.state_dict().values(), loaded.network.state_dict().values()))
    assert (again.recipe, again.results) == (loaded.recipe, loaded.results)


def test_hypercolumns_from_photos_to_a_card(tmp_path, data, folder):
    """Sparse points and patches while it trains; its own readout in the reports, the card and the loaded network."""
    entries = 'loss = "hue_chroma"\nnetwork = "HypercolumnNet"\npoints = 9\npatch = 3\ntemperature = 1.0'
    weights = data("h", entries)
    command = ["--recipe", "h", "--data", str(folder), "--out", str(tmp_path), "--weights", str(weights)]
    assert train.main([*command, "--device", "cpu"]) == 0
    loaded = Colorizer.load("h")
    assert (loaded.network.points, loaded.network.outputs, loaded.temperature) == (9, 64, 1.0)
    assert loaded.colorize(images.bundled("chelsea"), T=1.0).shape == (300, 451, 3)
    text = (weights / "h.md").read_text()
    assert "hypercolumns (`colorize.networks.HypercolumnNet`" in text
    assert "histograms of hue and chroma" in text and "313" not in text
    assert "| h, T = 1 |" in text


def test_two_players_from_photos_to_a_card(tmp_path, data, folder, capsys):
    """The generator alone is kept; the log holds what both did; a run that is over is not trained again."""
    entries = 'loss = "gan"\nnetwork = "UNet"\noptimizer = "Adam"\nweight_decay = 0\nl1_weight = 10.0'
    weights = data("g", entries)
    command = ["--recipe", "g", "--data", str(folder), "--out", str(tmp_path), "--weights", str(weights)]
    assert train.main([*command, "--device", "cpu"]) == 0
    loaded = Colorizer.load("g")
    assert (type(loaded.network).__name__, loaded.network.stride) == ("UNet", 1)
    assert loaded.recipe["l1_weight"] == 10
    assert loaded.colorize(images.bundled("chelsea")).shape == (300, 451, 3)
    text = (weights / "g.md").read_text()
    assert "the generator of a conditional GAN (`colorize.networks.UNet`" in text
    assert "- l1_weight: 10" in text and "| g | " in text
    log = (tmp_path / "g-2.csv").read_text().splitlines()
    signals = "adversarial,l1,discriminator,real,fake,chroma,true_chroma"
    assert log[0] == f"step,loss,learning_rate,{signals},reported_chroma,raw_auc,rebalanced_auc"
    assert len(log) == 3
    state = torch.load(tmp_path / "g-2.pt", weights_only=True)
    assert {"part.generator", "part.discriminator"} < set(state)
    assert train.main([*command, "--device", "cpu"]) == 0
    again = Colorizer.load("g")
    assert all(map(torch.equal, again.network.state_dict().values(), loaded.network.state_dict().values()))


def test_measuring_again_writes_the_table_and_the_same_card(tmp_path, data, folder, capsys):
    weights = data("l2", 'loss = "l2"')
    assert (
        train.main(
            ["--recipe", "l2", "--data", str(folder), "--out", str(tmp_path), "--weights", str(weights)]
        )
        == 0
    )
    card = (weights / "l2.md").read_text()
    (weights / "l2.md").unlink()
    assert measure.main(["--photos", str(folder)]) == 0
    assert (weights / "l2.md").read_text() == card
    table = json.loads((tmp_path / "data" / "results" / "networks.json").read_text())["l2"]
    assert (table["photos"], table["pixels"]) == (5, 32)
    row = table["rows"]["l2"]
    low, high = row["intervals"]["raw_auc"]
    assert low <= row["numbers"]["raw_auc"] <= high
    gray = table["rows"]["gray"]["numbers"]["raw_auc"]
    assert row["gain"]["raw_auc"] == pytest.approx(row["numbers"]["raw_auc"] - gray, abs=0.011)
    with pytest.raises(SystemExit):
        measure.main(["--photos", str(folder), "l3"])
    assert "there is no network 'l3'" in capsys.readouterr().err


def test_photos_can_be_streamed(tmp_path, data, folder):
    phases = "\nwidth = WIDTH\nview = 32\nmeasured = 32\n[[phases]]\nsize = 24\nshorter = 32\nsquash = true\n"
    weights = data(
        "s", 'loss = "rebalanced"\ntotal = true', phases + "steps = 3\nbatch_size = 4\nlearning_rate = 1e-4\n"
    )
    command = ["--recipe", "s", "--data", str(folder), "--out", str(tmp_path), "--weights", str(weights)]
    assert train.main(command) == 0
    assert Colorizer.load("s").recipe["pictures"] == "70 photos"


def test_a_recipe_can_choose_subfolders(data, folder):
    recipe = Recipe("l2", (Phase(32, 1, 2, 1e-3, thumbnails=1.0),), only=("horse",))
    found = recipes.make_data(recipe, recipe.phases[0], folder)
    assert [len(part) for part in found.parts] == [len([k for k in range(1, 40, 2) if k not in (5, 21, 23)])]
    assert len(measure.held_out(recipe, folder, 32)) == 3
    streamed = Phase(32, 1, 2, 1e-3, shorter=40)
    with pytest.raises(RecipeError, match="cannot choose subfolders"):
        recipes.make_data(recipe, streamed, folder)


def test_what_is_held_out_fits_into_memory(folder, data, monkeypatch):
    recipe = Recipe("l2", (Phase(32, 1, 2, 1e-3),))
    files = measure.held_out_files(recipe, folder)
    assert [path.stem for path in files] == ["2", "21", "23", "32", "5"]
    assert len(measure.held_out(recipe, folder, 32)) == 5
    assert len(measure.held_out(recipe, folder, 32, most=3)) == 3
    monkeypatch.setattr(measure, "MEMORY", 2 * 12 * 32**2)
    assert len(measure.held_out(recipe, folder, 32)) == 2
    assert len(measure.held_out(recipe, folder, 16)) == 5
    streamed = Recipe("l2", (Phase(32, 1, 2, 1e-3, shorter=40),))  # from an index on disk
    assert {path.stem for path in measure.held_out_files(streamed, folder)} == {path.stem for path in files}


def test_without_a_validation_photo_no_training_begins(tmp_path, data, capsys):
    data("l2", 'loss = "l2"')
    (tmp_path / "two").mkdir()
    for name in ("0.jpg", "1.jpg"):
        images.save(images.bundled("coffee", 40), tmp_path / "two" / name)
    with pytest.raises(SystemExit):
        train.main(["--recipe", "l2", "--data", str(tmp_path / "two"), "--out", str(tmp_path / "runs")])
    assert "no photo for validation in " in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_wrong_arguments_are_one_sentence(tmp_path, capsys, data, folder):
    data("l2", 'loss = "l2"')
    for command, sentence in (
        (["-r", "l2", "--data", str(tmp_path / "missing")], "there is no folder"),
        (["-r", "l4", "--data", str(folder)], "there is no recipe 'l4'; there are l2\n"),
        (["-r", "l2", "--data", str(folder), "--device", "cuda:99"], "the device 'cuda:99' is not there"),
    ):
        with pytest.raises(SystemExit):
            train.main([*command, "--out", str(tmp_path)])
        assert sentence in capsys.readouterr().err


BARE = """
import runpy, sys
for name in ("pooch", "ipywidgets", "jupytext", "IPython", "nbformat", "skimage", "matplotlib.pyplot"):
    sys.modules[name] = None
sys.argv = ["colorize", *sys.argv[1:]]
runpy.run_module("colorize", run_name="__main__", alter_sys=True)
"""


def test_training_needs_no_notebook_packages(tmp_path, data, folder):
    """As on a machine that has PyTorch and little else."""
    data("l2", 'loss = "l2"')
    command = [
        sys.executable,
        "-c",
        BARE,
        "train",
        "--recipe",
        "l2",
        "--data",
        folder,
        "--out",
        tmp_path,
        "--device",
        "cpu",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"written: {tmp_path / 'l2.safetensors'}" in done.stdout


def test_a_network_can_go_on_from_a_shipped_one(data, capsys, folder, tmp_path):
    weights = data("more", 'loss = "rebalanced"\nstart = "other"')
    with pytest.raises(SystemExit):
        train.main(["--recipe", "more", "--data", str(folder), "--out", str(tmp_path)])
    assert "there is no network 'other'" in capsys.readouterr().err
    torch.manual_seed(3)
    other = SmallNet(width=4)
    save_weights(weights / "other.safetensors", other, {"outputs": 313, "width": 4}, 32, {})
    lightness = torch.rand(2, 1, 32, 32) * 100
    recipe = recipes.load("more")
    with torch.inference_mode():
        expected, got = (network.eval()(lightness) for network in (other, recipes.make_network(recipe)))
    assert (got - expected).abs().max() < 0.01  # half precision
    fresh = dataclasses.replace(recipe, start="")
    assert (recipes.make_network(fresh).eval()(lightness) - expected).abs().max() > 0.1
    # To regression: the body goes on, the last layer is new.
    tuned = recipes.make_network(dataclasses.replace(recipe, loss="l2")).state_dict()
    body = {key: value for key, value in other.state_dict().items() if not key.startswith("head.")}
    assert all((tuned[key] - value).abs().max() < 0.01 for key, value in body.items())
    assert tuned["head.weight"].shape == (2, 4, 1, 1)


def test_every_shipped_network_has_recipe_card_and_results():
    table = json.loads((data_folder() / "results" / "networks.json").read_text())
    for name in shipped():  # not the classifier, which has a card of another kind
        path = data_folder() / "weights" / f"{name}.safetensors"
        colorizer, recipe = Colorizer.load(name), recipes.load(name)
        assert colorizer.recipe["loss"] == recipe.loss
        assert colorizer.size == recipe.view
        theirs = [
            (phase["size"], phase["steps"], phase["batch_size"]) for phase in colorizer.recipe["phases"]
        ]
        assert theirs == [(phase.size, phase.steps, phase.batch_size) for phase in recipe.phases]
        found = table[name]
        about = colorizer.recipe | {"measured": recipe.measured}
        assert path.with_suffix(".md").read_text() == measure.card(
            name, about, found["rows"], found["photos"]
        )
        assert set(found["rows"]) > {"truth", "gray", "random", "constant"}


def test_a_training_that_was_stopped_says_how_to_go_on(tmp_path, monkeypatch, capsys):
    for k in range(12):
        images.save(images.bundled("coffee", 40), tmp_path / f"{k}.png")
    monkeypatch.setattr(train, "held_out_files", lambda *_: [])
    monkeypatch.setattr(train, "run", lambda *_: None)  # what Ctrl-C makes it return
    assert train.main(["-r", "l2", "--data", str(tmp_path), "-o", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().out == "run the same command again to go on\n"


def test_no_photo_of_the_kind_that_a_recipe_asks_for(tmp_path):
    for k in range(80):  # about one in eight is for validation
        (tmp_path / f"{k}.png").touch()
    recipe = dataclasses.replace(recipes.load("l2"), only=("nowhere",))
    with pytest.raises(ValueError, match=r"no photo for validation in .* among those that the recipe asks"):
        measure.held_out_files(recipe, tmp_path)
