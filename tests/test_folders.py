"""Folders of photos: the index on disk, and what a stream draws from it."""

import os
import subprocess
import sys
import warnings

import pytest
import torch
from lessons import ROOT

from colorize import datasets, folders, images
from colorize.folders import GRAY_SPREAD, Index, PhotoFolder
from colorize.lab import rgb_to_lab
from colorize.losses import l2
from colorize.networks import SmallNet
from colorize.training import fit


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("COLORIZE_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Thirty photos of several shapes in two folders; one gray, one broken, and one file that is none."""
    root = tmp_path_factory.mktemp("photos")
    (root / "a" / "deep").mkdir(parents=True)
    for k in range(30):
        photo = images.resize(images.bundled(images.BUNDLED[k % 5]), 40 + k)
        images.save(photo, root / ("a" if k % 2 else "a/deep") / f"photo {k}é.jpg")
    images.save(torch.full((3, 50, 60), 0.5), root / "gray.png")
    (root / "broken.jpg").write_bytes(b"no photo")
    (root / "notes.txt").write_text("not looked at")
    return root


# The index


@pytest.mark.parametrize("split", ["all", "train", "validation"])
def test_the_index_finds_what_a_search_finds(photos, split):
    index = Index(photos, split)
    expected = datasets.photo_files(photos, split)
    assert sorted(index[k] for k in range(len(index))) == sorted(path.resolve() for path in expected)


def test_the_index_is_made_once_and_again_when_a_folder_has_changed(tmp_path, monkeypatch):
    (tmp_path / "photos" / "b").mkdir(parents=True)
    (tmp_path / "photos" / "b" / "1.jpg").touch()
    searches = []
    search = folders._search
    monkeypatch.setattr(folders, "_search", lambda folder: searches.append(1) or search(folder))
    assert len(Index(tmp_path / "photos")) == len(Index(tmp_path / "photos")) == 1
    assert len(searches) == 1
    (tmp_path / "photos" / "b" / "2.jpg").touch()
    assert len(Index(tmp_path / "photos")) == 2
    assert len(searches) == 2
    path = Index(tmp_path / "photos").path
    path.write_bytes(path.read_bytes()[:50])  # damaged: no reason to trouble anybody
    assert len(Index(tmp_path / "photos")) == 2
    (tmp_path / "photos" / "b" / "2.jpg").unlink()
    assert len(Index(tmp_path / "photos")) == 1


def test_wrong_folders_are_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="there is no folder"):
        Index(tmp_path / "missing")
    with pytest.raises(ValueError, match="no photo for all in"):
        Index(tmp_path)
    with pytest.raises(ValueError, match="'test'"):
        Index(tmp_path, "test")
    (tmp_path / "1.jpg").touch()
    with pytest.raises(ValueError, match="at most shorter = 32, got 64"):
        PhotoFolder(tmp_path, 64, shorter=32)


LONG = """
import sys
from colorize.folders import PhotoFolder

def own_memory():  # MiB that belong to this process alone: mapped pages of the index can be dropped at any time
    (line,) = (line for line in open("/proc/self/status") if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1024

data = PhotoFolder(sys.argv[1], 176)
assert 1.7e6 < len(data) < 1.9e6, len(data)
plan, seen, used = data._plan(40, 0, 0, 3000, 0, 1), bytearray(len(data)), []
for number, keys in enumerate(plan):
    for photo, _, _ in keys:
        seen[photo] += 1
        assert data.index[photo].suffix == ".JPEG"
    if number in (500, 2999):
        used.append(own_memory())
assert sum(seen) == 120_000 and max(seen) == 1  # each photo once
print(*used)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory is looked up in Linux's own way")
@pytest.mark.long
def test_two_million_files_take_no_memory(tmp_path):
    """Names like ImageNet's, 30 bytes each: drawn from in a process of its own, which holds less than they are long."""
    root = tmp_path / "photos"
    root.mkdir()
    (root / "1.jpg").touch()
    path = Index(root).path
    names = (b"n%08d/n%08d_%06d.JPEG" % (k // 2000, k // 2000, k) for k in range(2_000_000))
    folders.write_index(path, names, {".": root.stat().st_mtime_ns})
    assert path.stat().st_size > 70e6
    empty = "import colorize.folders; print(open('/proc/self/status').read().split('RssAnon:')[1].split()[0])"
    commands = [[sys.executable, "-c", empty], [sys.executable, "-c", LONG, root]]
    without, found = (subprocess.run(c, capture_output=True, text=True, check=True).stdout for c in commands)
    early, late = map(float, found.split())
    assert late - early < 6  # the names drawn in between are 10 MiB as Python strings
    assert late - int(without) / 1024 < 50  # one epoch's order, and which photos belong to the split


def test_a_folder_of_twenty_thousand(tmp_path):
    """Real files, links to one photo: indexed, and a batch of them drawn."""
    images.save(images.bundled("coffee", 32), tmp_path / "photo.jpg")
    for folder in range(20):
        (tmp_path / "photos" / str(folder)).mkdir(parents=True)
        for k in range(1000):
            os.link(tmp_path / "photo.jpg", tmp_path / "photos" / str(folder) / f"{k}.jpg")
    data = PhotoFolder(tmp_path / "photos", 16, shorter=20, split="all", workers=0)
    assert len(data) == 20_000
    (batch,) = data.stream(8, 0, 0, 1)
    assert batch.shape == (8, 3, 16, 16)


# What is drawn


def collect(data, *arguments):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*replaced by others")
        return torch.cat(list(data.stream(*arguments)))


def test_crops_come_from_the_photos(photos):
    data = PhotoFolder(photos / "a", 24, shorter=32, workers=0)
    (batch,) = data.stream(12, 1, 0, 1)
    assert batch.dtype == torch.uint8
    small = [images.resize(images.read(data.index[k], at_least=32), 32) for k in range(len(data))]
    small = [(photo * 255).round().to(torch.uint8) for photo in small]
    mirrored = 0
    for crop in batch:
        plain, turned = (any(stands_in(c, photo) for photo in small) for c in (crop, crop.flip(2)))
        assert plain or turned
        mirrored += turned and not plain
    assert 1 <= mirrored <= 11


def stands_in(crop, photo):
    windows = photo.unfold(1, crop.shape[1], 1).unfold(2, crop.shape[2], 1)  # (3, Y, X, S, S)
    return bool((windows == crop[:, None, None]).all(dim=(0, 3, 4)).any())


def test_squashing_ignores_the_shape(photos):
    data = PhotoFolder(photos / "a", 32, shorter=32, squash=True, workers=0)
    crop, failures = data[0, 0, 0]
    expected = images.resize(images.read(data.index[0]), (32, 32)) * 255
    assert failures == []
    assert min((crop - expected).abs().max(), (crop.flip(2) - expected).abs().max()) <= 1


def test_each_photo_comes_once_in_an_epoch_and_in_another_order(photos):
    data = PhotoFolder(photos / "a", 16, shorter=32, workers=0)
    n = len(data)
    draws = [photo for keys in data._plan(5, 3, 0, -(-2 * n // 5), 0, 1) for photo, _, _ in keys]
    one, two = draws[:n], draws[n : 2 * n]
    assert sorted(one) == sorted(two) == list(range(n))
    assert one != two


def test_the_stream_depends_on_nothing_but_seed_and_step(photos):
    data = PhotoFolder(photos, 16, shorter=32, workers=0)
    whole = collect(data, 6, 1, 0, 6)
    assert torch.equal(whole, collect(PhotoFolder(photos, 16, shorter=32, workers=2), 6, 1, 0, 6))
    assert torch.equal(whole[18:], collect(PhotoFolder(photos, 16, shorter=32, workers=0), 6, 1, 3, 6))
    shares = [collect(PhotoFolder(photos, 16, shorter=32, workers=0), 6, 1, 0, 6, r, 3) for r in range(3)]
    joined = torch.cat([share[2 * k : 2 * k + 2] for k in range(6) for share in shares])
    assert torch.equal(whole, joined)
    assert not torch.equal(whole, collect(PhotoFolder(photos, 16, shorter=32, workers=0), 6, 2, 0, 6))


@pytest.mark.parametrize("workers", [0, 1])
def test_unusable_photos_are_replaced_and_named(photos, workers):
    data = PhotoFolder(photos, 16, shorter=32, split="all", workers=workers)
    with pytest.warns(UserWarning, match="2 photos were replaced by others; the first: "):
        crops = torch.cat(list(data.stream(8, 0, 0, 5)))
    assert {
        os.path.basename(name): reason.split(":")[-1] for name, reason in data.skipped.items()
    }.keys() == {
        "gray.png",
        "broken.jpg",
    }
    assert data.skipped[str(photos.resolve() / "gray.png")] == "gray"
    assert "expected an image" in data.skipped[str(photos.resolve() / "broken.jpg")]
    assert len(crops) == 40


@pytest.mark.parametrize("workers", [0, 1])
def test_a_folder_without_a_usable_photo_gives_up_with_one_sentence(tmp_path, workers):
    images.save(torch.full((3, 40, 40), 0.5), tmp_path / "gray.png")
    data = PhotoFolder(tmp_path, 16, shorter=32, split="all", workers=workers)
    with pytest.raises(
        ValueError, match=r"^50 photos in a row could not be used; the last: .*gray\.png: gray$"
    ):
        list(data.stream(2, 0, 0, 1))


def test_no_gray_pixel_has_channels_so_far_apart():
    """Every fourth of the red levels, all of green and blue: where the channels differ by more, Lab is no gray."""
    level = torch.arange(256, dtype=torch.uint8)
    green, blue = torch.meshgrid(level, level, indexing="ij")
    for red in range(0, 256, 4):
        rgb = torch.stack([torch.full_like(green, red), green, blue])
        spread = rgb.amax(dim=0).int() - rgb.amin(dim=0).int()
        gray = (rgb_to_lab(rgb)[1:].abs() <= datasets.GRAY).all(dim=0)
        assert not (gray & (spread > GRAY_SPREAD)).any()


def test_large_photos_are_decoded_small(tmp_path, monkeypatch):
    images.save(images.bundled("coffee", 800), tmp_path / "large.jpg")
    assert images.read(tmp_path / "large.jpg", at_least=64).shape == (3, 100, 150)
    whole, fast = (
        images.resize(images.read(tmp_path / "large.jpg", **how), 64) for how in ({}, {"at_least": 64})
    )
    assert (whole - fast).abs().mean() < 0.01
    images.save(images.bundled("coffee", 80), tmp_path / "small.png")
    assert images.read(tmp_path / "small.png", at_least=16).shape == (3, 80, 120)


def test_training_from_a_folder_goes_on_exactly(photos, tmp_path):
    def run(loss=l2, workers=0, checkpoint=None):
        torch.manual_seed(0)
        network = SmallNet(2, width=4)
        data = PhotoFolder(photos / "a", 32, shorter=40, workers=workers)
        return network, fit(
            network, data, loss, 6, 4, checkpoint=checkpoint, checkpoint_every=3, progress=False
        )

    whole, history = run()

    class Stopped(Exception):
        pass

    losses = []

    def stop(answer, ab):
        losses.append(1)
        if len(losses) == 5:
            raise Stopped
        return l2(answer, ab)

    with pytest.raises(Stopped):
        run(stop, 1, tmp_path / "run.pt")
    again, rest = run(l2, 1, tmp_path / "run.pt")
    assert rest.losses == history.losses
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), whole.parameters(), strict=True))


def test_the_reader_needs_no_notebook_packages():
    code = "import sys, colorize.folders, colorize.training; assert not {'IPython', 'matplotlib', 'pooch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=ROOT)
