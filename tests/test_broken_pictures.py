"""Hundreds of broken and strange pictures: each gives the right picture, or one sentence that names it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from colorize import batch, images, metadata
from colorize.console import one_line

pictures = pytest.importorskip("pictures")  # beside this file
TESTS = Path(__file__).parent
# Reads pictures one by one, in a process of its own with little memory: what came, or what went wrong.
READS = """
import hashlib, json, os, resource, signal, sys, warnings
warnings.simplefilter("error")
import torch
from colorize import images
torch.set_num_threads(1)
names = json.load(sys.stdin)
resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
found = []
for name in names:
    signal.alarm(20)  # ends the process
    try:
        photo = images.read(name)
        digest = hashlib.sha256(photo.numpy().tobytes()).hexdigest()
        found.append([*photo.shape[1:], digest, photo.min().item(), photo.max().item()])
    except images.ImageError as error:
        found.append(str(error))
signal.alarm(0)
json.dump({"found": found, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}, sys.stdout)
"""
QUICK = (
    *("cut_5.jpg", "flipped_1.png", "text.jpg", "bomb.png", "bomb_in_a_text.png", "ring.tif", "turned_6.jpg"),
    *(
        "profile_half.png",
        "mode_LAB.tif",
        "not_a_number.tif",
        "pipe.jpg",
        "link_to_itself.jpg",
        "interlaced.png",
    ),
)


def run(code, *arguments, limit=300, **options):
    """Run Python with warnings as errors; stdout, stderr and exit status."""
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "TQDM_DISABLE": "1",
        "PYTHONPATH": str(TESTS.parent / "lib"),
    }
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True, text=True, errors="surrogateescape", env=environment, timeout=limit, **options,
    )  # fmt: skip


def check(path, expected, got):
    """One outcome against what was expected."""
    if isinstance(got, str):
        assert expected in (None, pictures.REFUSED), got
        assert got.startswith(f"{path}: ".replace("\n", " ")) and len(got.splitlines()) == 1
        assert ": expected " in got and ", received " in got and len(got) < 500 + len(str(path))
    else:
        assert expected in (None, tuple(got[:2])), path
        assert 0 <= got[3] <= got[4] <= 1


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    return folder, pictures.make(folder)


def test_there_are_enough_and_they_are_the_same_each_time(made, tmp_path):
    _, found = made
    assert len(found) > 350
    assert len({path.suffix for path in found}) >= 7
    again = pictures.make(tmp_path)
    assert [path.name for path in again] == [path.name for path in found]
    assert list(again.values()) == list(found.values())
    files = [path for path in found if path.is_file() and not path.is_symlink()]
    assert all(path.read_bytes() == (tmp_path / path.name).read_bytes() for path in files)
    kinds = [*found.values()]
    assert min(kinds.count(None), kinds.count(pictures.REFUSED), kinds.count((40, 56))) > 60


@pytest.mark.parametrize("name", QUICK)
def test_a_picture_or_a_sentence(made, name):
    folder, found = made
    try:
        photo = images.read(folder / name)
        got = [*photo.shape[1:], "", photo.min().item(), photo.max().item()]
    except images.ImageError as error:
        got = str(error)
    check(folder / name, found[folder / name], got)


@pytest.mark.long
def test_all_of_them_in_little_memory_and_in_any_order(made):
    _, found = made
    names = [str(path) for path in found]
    outcomes = []
    for order in (names, names[::-1]):
        done = run(READS, input=json.dumps(order))
        assert done.returncode == 0 and not done.stderr, done.stderr[-3000:]
        answer = json.loads(done.stdout)
        assert answer["megabytes"] < 600
        outcomes.append(dict(zip(order, answer["found"], strict=True)))
    assert outcomes[0] == outcomes[1]
    for path, expected in found.items():
        check(path, expected, outcomes[0][str(path)])


@pytest.mark.long
def test_the_command_colors_what_can_be_colored_and_names_the_rest(made, tmp_path):
    folder, found = made
    command = "import sys; from colorize.cli import main; sys.exit(main())"
    done = run(command, str(folder), "-o", str(tmp_path / "out"), "--network", "l2")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr and "Warning" not in done.stderr
    lines = [line.strip() for line in done.stderr.split("\n")]
    written = {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    jobs, left_out = batch.plan([folder], tmp_path / "out")
    assert {job.source for job in jobs} | {path for path, _ in left_out} == {
        path for path in found if not path.is_dir() and path.suffix.lower() in batch.READS
    }
    for job in jobs:
        expected = found[job.source]
        says = [line for line in lines if line.startswith(one_line(f"{job.source}: ").replace("\\n", " "))]
        if job.target in written:
            written.remove(job.target)
            assert not says
            with Image.open(job.target) as colored:
                colored.load()
                assert expected in (None, colored.size[::-1])
        else:
            assert len(says) == 1, job.source
            elongated = isinstance(expected, tuple) and max(expected) > batch.ELONGATED * min(expected)
            assert elongated or expected in (None, pictures.REFUSED), says
    assert not written  # nothing else, and nothing half written


@pytest.mark.long
def test_metadata_of_all_of_them_can_be_written(made, tmp_path):
    _, found = made
    for path in found:
        if path.is_file() and not path.name.startswith("zeros"):
            for suffix in (".jpg", ".png", ".webp", ".tif"):
                target = tmp_path / f"colored{suffix}"
                kept = metadata.options(path, suffix, (6, 4), "guessed")
                images.save(Image.new("RGB", (6, 4)), target, metadata=kept)
                with Image.open(target) as image:
                    assert image.getexif().get(274, 1) == 1, path
