"""Welsh's transfer against loops over pixels and samples, and the statistics against NumPy."""

import numpy as np
import pytest
import torch

from colorize import images
from colorize.lab import lab_to_rgb, rgb_to_lab
from colorize.reference import jittered_grid, remap_lightness, roughness, welsh_transfer


def photo(name, size):
    return images.square(images.bundled(name), size)


def window_std(light, size):
    """The slow way: cut out each neighborhood, ask NumPy."""
    height, width = light.shape
    reach = size // 2
    return np.array(
        [
            [
                light[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1].std()
                for x in range(width)
            ]
            for y in range(height)
        ]
    )


@pytest.mark.parametrize("size", [1, 3, 5, 9])
def test_roughness_is_numpy_s(size):
    light = 100 * torch.rand(1, 1, 9, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = roughness(light, size)[0, 0].numpy()
    np.testing.assert_allclose(found, window_std(light[0, 0].numpy(), size), atol=1e-9)


def test_a_smooth_picture_has_no_roughness():
    assert roughness(torch.full((2, 1, 6, 6), 97.3)).abs().max() < 1e-4


def test_remapped_lightness_has_the_other_mean_and_spread():
    reference = 100 * torch.rand(1, 1, 8, 9, generator=torch.Generator().manual_seed(0))
    light = 20 + 30 * torch.rand(1, 1, 5, 4, generator=torch.Generator().manual_seed(1))
    found = remap_lightness(reference, light)
    assert found.mean().item() == pytest.approx(light.mean().item(), rel=1e-5)
    assert found.std(correction=0).item() == pytest.approx(light.std(correction=0).item(), rel=1e-5)
    assert torch.equal(found.flatten().argsort(), reference.flatten().argsort())
    flat = remap_lightness(torch.full((1, 1, 3, 3), 40.0), light)
    assert flat.flatten().tolist() == pytest.approx([light.mean().item()] * 9)


@pytest.mark.parametrize(
    ("height", "width", "samples"), [(240, 320, 200), (50, 500, 200), (7, 9, 200), (1, 1, 5), (30, 30, 1)]
)
def test_one_sample_in_each_cell(height, width, samples):
    found = jittered_grid(height, width, samples, seed=3)
    assert len(found.unique(dim=0)) == len(found)
    assert found.min() >= 0 and (found < torch.tensor([height, width])).all()
    if samples <= height * width / 20:
        assert 0.85 * samples <= len(found) <= 1.15 * samples
        rows = round((samples * height / width) ** 0.5) or 1
        first = np.arange(rows) * height // rows  # of each row of cells
        cell = np.searchsorted(first, found[:, 0].numpy(), side="right") - 1
        assert cell.tolist() == [k // (len(found) // rows) for k in range(len(found))]
    assert torch.equal(found, jittered_grid(height, width, samples, seed=3))


def test_jitter_reaches_every_pixel_of_a_cell():
    seen = torch.cat([jittered_grid(6, 6, 9, seed) for seed in range(200)])
    assert len(seen.unique(dim=0)) == 36


def test_every_pixel_takes_the_nearest_sample():
    """Loops instead of tensors, in float64, on two pictures at once."""
    light = torch.stack([rgb_to_lab(photo(name, 24))[:1] for name in ("coffee", "chelsea")])
    reference = photo("astronaut", 40)
    found = welsh_transfer(light, reference, samples=50, share=0.3, seed=1)
    lab = rgb_to_lab(reference).double().numpy()
    for n in range(2):
        mine = light[n, 0].double().numpy()
        remapped = (lab[0] - lab[0].mean()) / lab[0].std() * mine.std() + mine.mean()
        theirs, ours = window_std(remapped, 5), window_std(mine, 5)
        for y, x in np.ndindex(24, 24):
            distance = [
                0.3 * abs(mine[y, x] - remapped[r, c]) + 0.7 * abs(ours[y, x] - theirs[r, c])
                for r, c in found.samples.tolist()
            ]
            chosen = found.index[n, y, x].item()
            assert distance[chosen] <= min(distance) + 1e-4
            row, column = found.samples[chosen].tolist()
            assert found.ab[n, :, y, x].tolist() == pytest.approx(lab[1:, row, column].tolist(), abs=1e-3)


def test_lightness_alone_brings_back_a_picture_whose_color_follows_from_it():
    light = torch.linspace(30, 80, 40).expand(40, 40)
    lab = torch.stack((light, 0.8 * (light - 55), 40 - 0.5 * light))
    found = welsh_transfer(light[None, None], lab_to_rgb(lab), samples=400, share=1.0)
    assert (found.ab[0] - lab[1:]).norm(dim=0).max() < 2.5  # the samples are 50 / 20 units of L apart


def test_deterministic_by_seed():
    light = rgb_to_lab(photo("chelsea", 32))[None, :1]
    reference = photo("coffee", 32)
    first, again, other = (welsh_transfer(light, reference, samples=20, seed=s) for s in (0, 0, 1))
    assert torch.equal(first.ab, again.ab) and not torch.equal(first.ab, other.ab)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"lightness": torch.zeros(1, 3, 4, 4)}, r"lightness must have shape \(N, 1, H, W\)"),
        ({"lightness": None}, "lightness must be a tensor of floats"),
        (
            {"reference": torch.zeros(1, 3, 4, 4)},
            r"reference must be one picture \(3, h, w\), got \(1, 3, 4, 4\)",
        ),
        ({"reference": torch.zeros(3, 4, 4, dtype=torch.uint8)}, "reference must be a tensor of floats"),
        ({"samples": 0}, "samples must be a whole number"),
        ({"window": 4}, "window must be an odd number"),
        ({"share": 1.5}, "share must be between 0 and 1"),
    ],
)
def test_mistakes_get_one_sentence(change, sentence):
    arguments = {"lightness": torch.zeros(1, 1, 4, 4), "reference": torch.zeros(3, 5, 5)} | change
    with pytest.raises((TypeError, ValueError), match=sentence):
        welsh_transfer(**arguments)
