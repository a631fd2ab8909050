"""Counting a folder of photos, from the command to the file."""

import hashlib
import json
import subprocess
import sys

import pytest
import torch

from colorize import make_prior
from colorize.bins import nearest_bin
from colorize.datasets import is_validation
from colorize.files import data_folder
from colorize.images import bundled, read, save
from colorize.lab import rgb_to_lab
from colorize.prior import load_prior, smooth_prior

RED, GREEN, BLUE = (0.8, 0.2, 0.2), (0.2, 0.6, 0.2), (0.2, 0.3, 0.8)


def plain(color, height=20, width=20):
    return torch.tensor(color).view(3, 1, 1).expand(3, height, width)


def bin_of(color):
    return nearest_bin(rgb_to_lab((plain(color, 1, 1) * 255).round() / 255)[None, 1:]).item()


@pytest.fixture
def folder(tmp_path):
    """Two photos to count, of different size; a gray one, a broken one, and a blue one for validation."""
    photos = tmp_path / "photos"
    (photos / "more").mkdir(parents=True)
    half = plain(RED, 30, 40).clone()
    half[:, :15] = torch.tensor(GREEN).view(3, 1, 1)
    save(half, photos / "0.png")
    save(plain(RED, 10, 10), photos / "more" / "1.png")
    save(plain((0.5, 0.5, 0.5)), photos / "3.png")
    (photos / "4.png").write_bytes(b"no picture")
    save(plain(BLUE), photos / "8.png")
    assert [is_validation(f"{n}.png") for n in (0, 1, 3, 4, 8)] == [False, False, False, False, True]
    return photos


@pytest.mark.filterwarnings("ignore:1 of 4 photos were skipped")
def test_photos_count_the_same_whatever_their_size(folder):
    found = make_prior.count(folder)
    assert found.share[bin_of(RED)].item() == pytest.approx((0.5 + 1) / 2)
    assert found.share[bin_of(GREEN)].item() == pytest.approx(0.5 / 2)
    assert found.share[bin_of(BLUE)] == 0  # the validation split is never counted
    assert found.share.sum().item() == pytest.approx(1)
    assert (found.photos, found.gray, found.unreadable, found.pixels) == (2, 1, 1, 30 * 40 + 100)
    assert found.names == ["0.png", "3.png", "4.png", "more/1.png"]


@pytest.mark.filterwarnings("ignore:1 of 4 photos were skipped")
def test_from_the_command_to_the_file_and_back(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLORIZE_DATA", str(tmp_path / "data"))
    out = tmp_path / "data" / "priors" / "mine.json"
    assert make_prior.main(["--photos", str(folder), "--out", str(out)]) == 0
    assert "2 photos, 1,300 pixels; left out: 1 gray, 1 unreadable" in capsys.readouterr().out
    found = make_prior.count(folder)
    assert torch.allclose(load_prior("mine", smoothed=False).double(), found.share, atol=1e-7)
    assert torch.allclose(load_prior("mine").double(), smooth_prior(found.share), atol=1e-7)
    about = json.loads(out.read_text())
    assert (about["photos_from"], about["photos"], about["spacing"], about["sigma"]) == ("photos", 2, 10, 5)
    names = b"0.png\n3.png\n4.png\nmore/1.png"
    assert about["sha256_of_names"] == hashlib.sha256(names).hexdigest()
    before = out.read_bytes()
    make_prior.main(["--photos", str(folder), "--out", str(out)])
    assert out.read_bytes() == before
    assert [path.name for path in out.parent.iterdir()] == ["mine.json"]


def test_large_photos_are_reduced(tmp_path):
    save(bundled("coffee", (300, 450)), tmp_path / "coffee.png")
    save(bundled("coffee"), tmp_path / "wide.png")
    save(bundled("coffee", (200, 300)), tmp_path / "small.png")  # stays, its shorter side counts
    found = make_prior.count(tmp_path)
    height, width = read(tmp_path / "wide.png").shape[1:]
    assert found.pixels == 256 * 384 + 256 * round(width * 256 / height) + 200 * 300


def test_the_shipped_file_says_how_it_was_made():
    about = json.loads((data_folder() / "priors" / "imagenet800.json").read_text())
    assert (about["photos"] + about["left_out_gray"], about["left_out_unreadable"]) == (728, 0)
    assert about["pixels"] > 50e6
    assert (about["spacing"], about["sigma"], about["shorter_side"]) == (10, 5, 256)
    assert len(about["bins"]) == 313


def test_mistakes_are_one_sentence_and_leave_no_file(tmp_path, capsys):
    photos = tmp_path / "photos"
    photos.mkdir()
    save(plain((0.5, 0.5, 0.5)), photos / "0.png")
    (tmp_path / "file").touch()
    out = tmp_path / "out.json"
    for options, sentence in (
        ((tmp_path / "missing", out), "there is no folder"),
        ((photos, out), "none of 1 photos in"),
        ((photos, tmp_path / "out.txt"), "--out must end in .json"),
    ):
        with pytest.raises(SystemExit) as ended:
            make_prior.main(["--photos", str(options[0]), "--out", str(options[1])])
        assert ended.value.code == 2
        assert sentence in capsys.readouterr().err
    save(plain(RED), photos / "1.png")
    with pytest.raises(SystemExit):
        make_prior.main(["--photos", str(photos), "--out", str(tmp_path / "file" / "out.json")])
    assert "Traceback" not in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "photos"]


def test_it_runs_as_a_command(tmp_path):
    command = [
        sys.executable,
        "-m",
        "colorize.make_prior",
        "--photos",
        tmp_path,
        "--out",
        tmp_path / "a.json",
    ]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "no photo for train in" in ended.stderr
    assert "Traceback" not in ended.stderr
