"""Data, network and loop: what is drawn, what is learned, what survives an interruption."""

import hashlib
import signal

import pytest
import torch
from PIL import Image

from colorize import datasets, images
from colorize.lab import rgb_to_lab
from colorize.losses import classification, l2
from colorize.networks import Classifier, SmallNet
from colorize.training import fit


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve small photos in two folders, one of them gray, one no photo; and ten thumbnails."""
    root = tmp_path_factory.mktemp("photos")
    (root / "a" / "b").mkdir(parents=True)
    (root / "cifar").mkdir()
    for k in range(12):
        photo = images.resize(images.bundled(images.BUNDLED[k % 5]), 40 + 4 * k)
        images.save(photo, root / ("a" if k % 2 else "a/b") / f"photo{k}.jpg")
    images.save(torch.full((3, 50, 60), 0.5), root / "a" / "gray.png")
    (root / "a" / "broken.jpg").write_bytes(b"no photo")
    (root / "a" / "notes.txt").write_text("not looked at")
    for k in range(10):
        images.save(images.square(images.bundled(images.BUNDLED[k % 5]), 32), root / "cifar" / f"{k}.png")
    return root


# Data


def test_the_validation_split_is_a_fact_about_names():
    names = [f"n{k:08d}.JPEG" for k in range(4000)]
    chosen = [name for name in names if datasets.is_validation(f"some/folder/{name}")]
    assert chosen == [name for name in names if int(hashlib.sha1(name.encode()).hexdigest()[:2], 16) < 26]
    assert 0.08 < len(chosen) / len(names) < 0.125
    # Written down once, so that nobody moves the split by accident.
    assert [k for k in range(40) if datasets.is_validation(f"{k}.jpg")] == VALIDATION


VALIDATION = [2, 5, 21, 23, 32]


def test_photos_are_found_in_all_folders_and_split_without_overlap(folder):
    everything = datasets.photo_files(folder)
    assert len(everything) == 24
    assert everything == sorted(everything)
    train, validation = (datasets.photo_files(folder, split) for split in ("train", "validation"))
    assert sorted(train + validation) == everything
    assert not {path.name for path in train} & {path.name for path in validation}


def test_crops_are_repeatable_and_come_from_the_photos(folder):
    with pytest.warns(UserWarning, match="1 of 14 photos were skipped; the first: .*broken.jpg"):
        data = datasets.Crops(datasets.photo_files(folder / "a"), size=32)
    assert len(data) == 12  # without the gray one and the broken one
    one, two = data.batch(6, seed=3), data.batch(6, seed=3)
    assert one.shape == (6, 3, 32, 32)
    assert one.dtype == torch.uint8
    assert torch.equal(one, two)
    assert not torch.equal(one, data.batch(6, seed=4))
    for crop in one:
        assert any(
            found(crop, photo) or found(crop.flip(2), photo) for level in data.photos for photo in level
        )


def found(crop, photo):
    """Tell whether a crop stands somewhere in a photo."""
    windows = photo.unfold(1, 32, 1).unfold(2, 32, 1)  # (3, Y, X, 32, 32)
    return bool((windows == crop[:, None, None]).all(dim=(0, 3, 4)).any())


def test_thumbnails_are_enlarged_and_some_are_mirrored(folder):
    data = datasets.Thumbnails(datasets.photo_files(folder / "cifar"), size=64)
    batch = data.batch(40, seed=0)
    assert batch.shape == (40, 3, 64, 64)
    small = torch.nn.functional.avg_pool2d(batch.float(), 2)
    mirrored = 0
    for picture in small:
        plain = (data.photos.float() - picture).abs().mean(dim=(1, 2, 3)).min()
        turned = (data.photos.float().flip(3) - picture).abs().mean(dim=(1, 2, 3)).min()
        assert min(plain, turned) < 6
        mirrored += bool(turned < plain)
    assert 8 < mirrored < 32


def test_a_mix_keeps_its_shares():
    class Constant:
        size = 4

        def __init__(self, value):
            self.value = value

        def batch(self, n, seed):
            return torch.full((n, 3, 4, 4), self.value, dtype=torch.uint8)

    mix = datasets.Mix([Constant(1), Constant(2)], [3, 1])
    assert mix.batch(8, 0)[:, 0, 0, 0].tolist() == [1] * 6 + [2] * 2
    assert datasets.Mix([Constant(1), Constant(2)], [1, 0.01]).batch(3, 0)[:, 0, 0, 0].tolist() == [1, 1, 1]


def test_the_gray_filter_looks_at_both_signs():
    gray = torch.full((3, 4, 4), 120, dtype=torch.uint8)
    blue, red = gray.clone(), gray.clone()
    blue[2, 1, 1], red[0, 2, 2] = 160, 160
    batch = torch.stack((gray, blue, red))
    assert datasets.is_gray(batch).tolist() == [True, False, False]
    assert (rgb_to_lab(blue)[2] < 0).any()


def test_bad_folders_get_one_sentence(folder, tmp_path):
    with pytest.raises(ValueError, match="no folder"):
        datasets.photo_files(tmp_path / "missing")
    with pytest.raises(ValueError, match="no photo for all"):
        datasets.photo_files(tmp_path)
    with pytest.raises(ValueError, match="'test'"):
        datasets.photo_files(folder, "test")
    Image.new("RGB", (40, 40), "gray").save(tmp_path / "gray.png")
    with pytest.raises(ValueError, match="none of 1 files is a readable photo with color"):
        datasets.Crops(datasets.photo_files(tmp_path), 32)


# The network


@pytest.mark.parametrize("outputs", [2, 313])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (33, 65), (64, 48)])
def test_the_network_answers_at_half_size_rounded_up(outputs, size):
    network = SmallNet(outputs, width=8).eval()
    answer = network(torch.full((2, 1, *size), 50.0))
    assert answer.shape == (2, outputs, -(-size[0] // 2), -(-size[1] // 2))


def test_the_default_network_fits_into_its_file():
    assert 1.5e6 < sum(p.numel() for p in SmallNet().parameters()) < 2e6  # float16: below 4 MB


def test_every_parameter_gets_a_gradient():
    network = SmallNet(width=8)
    network(torch.rand(2, 1, 64, 64) * 100).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


# The loop


class TwoColors:
    """A world where dark means blue and bright means yellow: easy to learn."""

    size = 16

    def batch(self, n, seed):
        bright = torch.rand(n, generator=torch.Generator().manual_seed(seed)) < 0.5
        color = torch.where(bright[:, None], torch.tensor([210, 190, 60]), torch.tensor([30, 50, 120]))
        return color.to(torch.uint8).view(n, 3, 1, 1).expand(n, 3, 16, 16)


def train(steps=60, **options):
    torch.manual_seed(0)
    network = SmallNet(2, width=4)
    options = {"learning_rate": 0.01, "progress": False, **options}
    return network, fit(network, TwoColors(), l2, steps, batch_size=8, **options)


def same(one, other):
    return all(
        torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )


def test_it_learns():
    network, history = train(300)
    assert history.finished
    assert not network.training
    assert sum(history.losses[-10:]) / 10 < 0.1 * sum(history.losses[:10]) / 10
    lab = rgb_to_lab(TwoColors().batch(8, seed=999))
    with torch.no_grad():
        off = (network(lab[:, :1]) - lab[:, 1:, ::2, ::2]).norm(dim=1)
    assert off.mean() < 12


def test_classification_learns_too():
    torch.manual_seed(0)
    network = SmallNet(313, width=4)
    history = fit(network, TwoColors(), classification(), 150, 8, learning_rate=0.01, progress=False)
    assert history.losses[0] == pytest.approx(5.746, abs=0.8)
    assert history.losses[-1] < 3


def test_the_same_seed_gives_the_same_network():
    one, other = train(), train()
    assert one[1].losses == other[1].losses
    assert same(one[0], other[0])
    assert train(seed=1)[1].losses != one[1].losses


class Stop:
    """A loss in whose midst somebody presses Ctrl-C, at one step."""

    def __init__(self, step):
        self.left = step

    def __call__(self, answer, ab):
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)
        return l2(answer, ab)


@pytest.mark.parametrize("stop", [1, 25, 59])
def test_a_stopped_run_goes_on_exactly(tmp_path, stop, capsys):
    whole, history = train()
    torch.manual_seed(0)
    network = SmallNet(2, width=4)
    path = tmp_path / "run.pt"
    options = {"batch_size": 8, "learning_rate": 0.01, "progress": False, "checkpoint": path}
    part = fit(network, TwoColors(), Stop(stop), 60, **options)
    assert not part.finished
    assert len(part.losses) == stop
    assert f"stopped after {stop} of 60 steps" in capsys.readouterr().out
    again = SmallNet(2, width=4)  # another start: everything must come from the file
    rest = fit(again, TwoColors(), l2, 60, **options)
    assert rest.losses == history.losses
    assert same(again, whole)


def test_a_checkpoint_of_another_plan_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    train(5, checkpoint=path)
    with pytest.raises(ValueError, match=r"belongs to another plan \(steps 5 there, 6 here\)"):
        train(6, checkpoint=path)


def test_the_log_holds_every_step(tmp_path):
    _, history = train(7, log=tmp_path / "log.csv")
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines[0] == "step,loss,learning_rate"
    assert [float(line.split(",")[1]) for line in lines[1:]] == history.losses


def test_a_loss_that_explodes_is_said():
    with pytest.raises(ValueError, match="the loss is nan at step 1"):
        fit(
            SmallNet(2, width=4),
            TwoColors(),
            lambda answer, ab: answer.sum() * float("nan"),
            5,
            2,
            progress=False,
        )


def test_the_smooth_curve_is_a_running_mean():
    _, history = train(6)
    assert history.smooth(2)[3] == pytest.approx((history.losses[2] + history.losses[3]) / 2)
    assert history.smooth(50)[-1] == pytest.approx(sum(history.losses) / 6)


class Brightness:
    """Gray squares with a label: 1 for the brighter half."""

    def batch(self, n, seed):
        rgb = torch.rand(n, 3, 1, 1, generator=torch.Generator().manual_seed(seed)).expand(n, 3, 8, 8)
        return rgb, (rgb[:, 0, 0, 0] > 0.5).long()


def test_examples_of_another_kind():
    torch.manual_seed(0)
    network, loss = Classifier(2, widths=(4, 8)), torch.nn.functional.cross_entropy
    history = fit(network, Brightness(), loss, 60, 32, 0.01, examples=lambda batch: batch, progress=False)
    assert sum(history.losses[-5:]) / 5 < 0.35 < 0.6 < history.losses[0]


def test_examples_with_labels_come_in_parts_that_add_up():
    ends = []
    for accumulate in (1, 4):
        torch.manual_seed(0)
        network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 64, 2)).double()
        options = {"examples": lambda batch: (batch[0].double(), batch[1]), "progress": False}
        fit(network, Brightness(), torch.nn.functional.cross_entropy, 3, 8, accumulate=accumulate, **options)
        ends.append(network[1].weight.detach().clone())
    assert (ends[0] - ends[1]).abs().max() < 1e-12


# Pictures with labels


@pytest.fixture(scope="module")
def labeled(tmp_path_factory):
    """Two classes, of which one is brighter; every picture has a gray level of its own, but for its first row."""
    root = tmp_path_factory.mktemp("labeled")
    for k in range(40):
        (root / "ab"[k % 2]).mkdir(exist_ok=True)
        picture = torch.full((3, 12, 12), (k + 1) / 255) + 0.5 * (k % 2)
        picture[:, 0] = 0
        images.save(picture, root / "ab"[k % 2] / f"{k:04d}.png")
    return root


def test_labels_come_from_the_folders(labeled):
    data = datasets.Labeled(labeled)
    assert (data.classes, len(data)) == (["a", "b"], 40)
    assert torch.equal(data.labels, torch.tensor([0] * 20 + [1] * 20))
    assert (data.photos[data.labels == 1][:, :, 1] > 127).all()
    parts = datasets.Labeled(labeled, "train"), datasets.Labeled(labeled, "validation")
    assert sum(map(len, parts)) == 40
    assert len(parts[1]) == sum(datasets.is_validation(f"{k:04d}.png") for k in range(40)) > 0


def test_labeled_batches_are_shifted_and_keep_their_labels(labeled):
    data = datasets.Labeled(labeled, shift=2)
    photos, labels = data.batch(500, seed=3)
    again = data.batch(500, seed=3)
    assert photos.shape == (500, 3, 12, 12) and photos.dtype == torch.uint8
    assert torch.equal(photos, again[0]) and torch.equal(labels, again[1])
    assert not torch.equal(photos, data.batch(500, seed=4)[0])
    assert torch.equal(photos[:, 0, 5, 5] > 127, labels == 1)
    # The black row tells how far a picture was moved: to row 0, 1, 2, out of the picture, or (reflected) inside it.
    dark = (photos[:, 0, :, 5] == 0).float()
    assert set(dark.sum(dim=1).tolist()) == {0.0, 1.0}
    rows = dark.argmax(dim=1)[dark.sum(dim=1) == 1]
    assert set(rows.tolist()) == {0, 1, 2}
    assert 0.3 < (dark.sum(dim=1) == 0).float().mean() < 0.5  # two shifts of five


def test_labeled_refuses_other_folders(tmp_path):
    square = images.square(images.bundled("coffee"), 16)
    (tmp_path / "a").mkdir()
    images.save(square, tmp_path / "a" / "1.png")
    with pytest.raises(ValueError, match=r"two or more classes, got \['a'\]"):
        datasets.Labeled(tmp_path)
    (tmp_path / "b").mkdir()
    images.save(square[:, 1:], tmp_path / "b" / "2.png")
    with pytest.raises(ValueError, match=r"one size, got \(3, 16, 16\) and \(3, 15, 16\) .*2.png"):
        datasets.Labeled(tmp_path)
    images.save(square, tmp_path / "stray.png")
    with pytest.raises(ValueError, match=r"stray.png lies in no class's folder"):
        datasets.Labeled(tmp_path)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"batch_size": 5, "accumulate": 2},
            "batch_size 5 cannot be shared out evenly among 1 processes x 2 parts",
        ),
        ({"precision": "float8"}, "precision must be one of float32, .*, got 'float8'"),
    ],
)
def test_what_a_training_cannot_do_is_said_before_the_first_step(options, says):
    drawn = []
    data = type("Data", (), {"batch": lambda self, n, seed: drawn.append(n)})()
    with pytest.raises(ValueError, match=says):
        fit(SmallNet(2, 4), data, l2, 1, **options)
    assert not drawn


def test_a_training_in_a_thread_is_not_interrupted(capsys):
    """Ctrl-C belongs to the main thread: elsewhere no handler is set, and a training runs to its end."""
    from concurrent.futures import ThreadPoolExecutor

    from colorize.console import ctrl_c_waits

    class Data:
        def batch(self, n, seed):
            return torch.rand(n, 3, 8, 8, generator=torch.Generator().manual_seed(seed))

    def train():
        with ctrl_c_waits():
            return fit(SmallNet(2, 4), Data(), l2, 2, 2, progress=False)

    before = signal.getsignal(signal.SIGINT)
    with ThreadPoolExecutor(1) as pool:
        history = pool.submit(train).result()
    assert history.finished and len(history.losses) == 2
    assert signal.getsignal(signal.SIGINT) is before


def test_what_a_killed_program_left_beside_its_checkpoint_is_removed(tmp_path):
    from colorize import checkpoints

    left, other = tmp_path / ".run.pt.abc.part", tmp_path / ".another.pt.abc.part"
    for path in (left, other):
        path.write_bytes(b"half")
    network = SmallNet(2, 4)
    checkpoints.save(tmp_path / "run.pt", {"steps": 1}, {"network": network}, losses=[1.0])
    assert not left.exists() and other.exists()
    assert checkpoints.resume(tmp_path / "run.pt", {"steps": 1}, {"network": network}) == {"losses": [1.0]}
