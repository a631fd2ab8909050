"""Lessons as a student meets them: in JupyterLab, in a browser, with a running kernel. Nothing is replaced here."""

import re

import numpy as np
import pytest
import torch
from browser import wait_until
from selenium.webdriver.common.keys import Keys

from colorize import images
from colorize.lab import lab_to_rgb, rgb_to_lab
from colorize.metrics import psnr

NOTEBOOKS = {
    "lesson.ipynb": "notebooks/02_quantization.ipynb",
    "solution.ipynb": "solutions/02_quantization.ipynb",
}
EXERCISES = [f"2.{number}" for number in range(1, 7)]


@pytest.fixture(scope="module")
def lesson(lab):
    """The lesson with no exercise solved, after "run all cells"."""
    page = lab.open("lesson.ipynb")
    page.run_all()
    return page


def states(page):
    """What the badges say, {exercise: state}, and the text of the score card, which comes last."""
    seven = len(EXERCISES) + 1
    wait_until(lambda: len(page.texts(".colorize-badge")) >= seven, f"{seven} boxes of the checks", 20)
    *badges, card = page.texts(".colorize-badge")
    found = [re.match(r"\S Exercise (\S+) · .+: (.+)", badge).groups() for badge in badges]
    assert len(dict(found)) == len(found), found
    return dict(found), card


def test_lesson_runs_unsolved(lab, lesson):
    assert lesson.trouble() == []
    badges, card = states(lesson)
    assert badges == dict.fromkeys(EXERCISES, "open")
    assert card.startswith("0 of 6 exercises right")
    assert re.findall(r"(2\.\d)\s.*\sopen\b", card) == EXERCISES
    assert lab.console_errors() == []


def test_solution_gets_every_badge(lab):
    page = lab.open("solution.ipynb")
    page.run_all()
    assert page.trouble() == []
    badges, card = states(page)
    assert badges == dict.fromkeys(EXERCISES, "right")
    assert card.startswith("6 of 6 exercises right")
    assert lab.console_errors() == []


def test_slider_changes_the_picture(lab, lesson):
    photo = images.square(images.bundled("astronaut"), 256)[None]
    true = rgb_to_lab(photo)
    differences, alts = [], []
    for keys, spacing in ((Keys.HOME, 2), (4 * Keys.PAGE_UP, 42), (Keys.END, 80)):
        shown, text, alt = move(lesson, keys, spacing)

        # What must be there, computed here: the colors on the grid, in numbers and as a picture.
        color = torch.round(true[:, 1:] / spacing) * spacing
        number = len(torch.unique(color[0].flatten(1), dim=1).T)
        error = (color - true[:, 1:]).norm(dim=1).mean().item()
        words = re.fullmatch(rf"spacing {spacing}: (\d+) colors, error (.+) ab units, PSNR (.+) dB", text)
        assert int(words[1]) == number
        assert float(words[2]) == pytest.approx(error, abs=0.06)
        # JPEG's own noise: 36.5 to 39 dB. The pictures of neighboring positions are further apart than that.
        likeness = psnr(shown, lab_to_rgb(torch.cat((true[:, :1], color), dim=1))).item()
        assert likeness > 35
        quality = psnr(shown, photo).item()
        if spacing > 2:  # at 2, JPEG loses more than the grid does
            assert quality == pytest.approx(float(words[3]), abs=1.5)

        assert alt.startswith("The astronaut") and alt.endswith(text)
        alts.append(alt)
        differences.append((shown - photo).abs().mean().item() * 255)
    small, middle, large = differences  # measured: 1.9, 6.5 and 17.4 levels of 255
    assert small < 3 and middle > 2 * small and large > 2 * middle, differences
    assert len(set(alts)) == 3
    assert lab.console_errors() == []


def move(page, keys, spacing):
    """Press keys on the slider, wait for the answer: picture (1, 3, 256, 256), text below it, alternative text."""
    page.press(".colorize-spacing .noUi-handle", keys)

    def arrived():
        (text,) = page.texts(".colorize-spacing-text")
        return text if text.startswith(f"spacing {spacing}:") else None

    text = wait_until(arrived, f"the picture for spacing {spacing}", 20)
    assert page.texts(".colorize-spacing .widget-readout") == [str(spacing)]
    picture, alt = page.picture("img.colorize-spacing-picture")
    assert (picture.format, picture.size) == ("JPEG", (256, 256))
    return torch.from_numpy(np.array(picture)).movedim(-1, 0)[None] / 255, text, alt
