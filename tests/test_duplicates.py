"""Near-duplicates: copies that were resized, darkened and encoded again are found, other photos are not."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from colorize import images
from colorize.datasets import is_validation
from colorize.duplicates import bit_distances, difference_hash, near_duplicates, small_gray
from colorize.lab import rgb_to_lab


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    """Five photos, and copies of two of them: smaller, darker, encoded again."""
    folder = tmp_path_factory.mktemp("album")
    for name in images.BUNDLED:
        images.save(images.bundled(name, 120), folder / f"{name}.jpg")
    images.save(images.bundled("coffee", 67), folder / "coffee small.jpg", quality=40)
    images.save(images.bundled("chelsea", 120) * 0.7, folder / "chelsea dark.png")
    images.save(images.bundled("rocket", 120).flip(2), folder / "rocket mirrored.png")
    return folder


def test_copies_are_found_and_nothing_else(album):
    files = sorted(album.iterdir())
    pairs = near_duplicates(files)
    farthest = pairs[-1].bits
    assert near_duplicates(files, most=farthest) == pairs
    assert farthest == 0 or len(near_duplicates(files, most=farthest - 1)) < len(pairs)
    assert {frozenset((pair.first.name, pair.second.name)) for pair in pairs} == {
        frozenset(("coffee.jpg", "coffee small.jpg")),
        frozenset(("chelsea.jpg", "chelsea dark.png")),
    }
    assert [pair.bits for pair in pairs] == sorted(pair.bits for pair in pairs)


def test_all_pairs_and_none(album):
    files = sorted(album.iterdir())
    assert len(near_duplicates(files, most=64)) == len(files) * (len(files) - 1) // 2
    assert near_duplicates(files[:1]) == near_duplicates([]) == []


def test_a_pair_across_the_split(tmp_path):
    train = next(f"{n}.png" for n in range(99) if not is_validation(f"{n}.png"))
    held = next(f"{n}.png" for n in range(99) if is_validation(f"{n}.png"))
    for name in (train, held, "copy.png" if not is_validation("copy.png") else "twin.png"):
        images.save(images.bundled("coffee", 60), tmp_path / name)
    pairs = near_duplicates(sorted(tmp_path.iterdir()))
    assert len(pairs) == 3
    assert sum(pair.across for pair in pairs) == 2
    assert all(pair.across == (held in (pair.first.name, pair.second.name)) for pair in pairs)


def test_unreadable_photos_are_left_out(album, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    with pytest.warns(UserWarning, match="broken"):
        pairs = near_duplicates([album / "coffee.jpg", broken, album / "coffee small.jpg"])
    assert len(pairs) == 1


def test_hash_by_hand():
    gray = torch.zeros(1, 8, 9)
    gray[0, 2, 5] = 1  # brighter than its left neighbor, and its right neighbor is darker
    bits = difference_hash(gray)[0]
    assert bits.nonzero().flatten().tolist() == [2 * 8 + 4]


def test_hash_ignores_brightness_and_contrast():
    gray = torch.rand(3, 8, 9, generator=torch.Generator().manual_seed(0))
    assert torch.equal(difference_hash(gray), difference_hash(0.4 * gray + 0.3))


def test_distances_are_pythons():
    bits = torch.rand(6, 64, generator=torch.Generator().manual_seed(1)) < 0.5
    numbers = [int("".join("1" if bit else "0" for bit in row), 2) for row in bits.tolist()]
    expected = [[(a ^ b).bit_count() for a in numbers] for b in numbers]
    assert bit_distances(bits).tolist() == expected


def test_small_gray_is_pillows_box_filter():
    photo = images.square(images.bundled("coffee"), 72)
    found = small_gray(photo)
    light = Image.fromarray(rgb_to_lab(photo)[0].numpy().astype(np.float32))
    assert np.abs(np.array(light.resize((9, 8), Image.Resampling.BOX)) - found.numpy()).max() < 1e-3


def test_a_jpeg_of_ten_percent_keeps_most_bits():
    photo = images.square(images.bundled("astronaut"), 128)
    buffer = io.BytesIO()
    Image.fromarray(images.to_uint8(photo)).save(buffer, "JPEG", quality=10)
    hashes = difference_hash(
        torch.stack([small_gray(photo), small_gray(images.to_tensor(buffer.getvalue()))])
    )
    assert bit_distances(hashes)[0, 1] <= 6


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: small_gray(torch.zeros(1, 9, 9)), r"\(3, H, W\), got \(1, 9, 9\)"),
        (lambda: difference_hash(torch.zeros(2, 9, 8)), r"\(N, 8, 9\), got \(2, 9, 8\)"),
        (lambda: near_duplicates([], most=65), "0 to 64 bits, got 65"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
