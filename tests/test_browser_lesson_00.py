"""Lesson 0 as a visitor meets it: the temperature slider and the upload of a photo, in a browser, nothing replaced."""

import re

import numpy as np
import pytest
import torch
from browser import wait_until
from selenium.webdriver.common.keys import Keys

from colorize import images
from colorize.lab import rgb_to_lab, to_gray
from colorize.metrics import mean_chroma

NOTEBOOKS = {"lesson.ipynb": "notebooks/00_start_here.ipynb"}
WORDS = r"T = (\d\.\d\d), mean chroma (\d+\.\d)"


@pytest.fixture(scope="module")
def lesson(lab):
    page = lab.open("lesson.ipynb")
    page.run_all()
    return page


def shown(page, name):
    """The picture of a demo (1, 3, H, W), its T, and the chroma that the text below it states."""
    (text,) = page.texts(f".colorize-{name}-text")
    T, chroma = re.fullmatch(WORDS, text).groups()
    picture, alt = page.picture(f"img.colorize-{name}-picture")
    assert alt.endswith(text)
    assert picture.format == "JPEG"
    return torch.from_numpy(np.array(picture)).movedim(-1, 0)[None] / 255, float(T), float(chroma)


def move(page, name, keys, T):
    """Press keys on the slider of a demo and wait for the picture at T."""
    page.press(f".colorize-{name} .noUi-handle", keys)
    wait_until(
        lambda: page.texts(f".colorize-{name}-text")[0].startswith(f"T = {T:.2f},"),
        f"the picture at T = {T}",
        20,
    )
    return shown(page, name)


def lower_is_more_vivid(page, name):
    """Move a temperature slider to both ends: what the text says must be what the picture shows."""
    chromas = []
    for keys, T in ((Keys.END, 1.0), (Keys.HOME, 0.0)):
        picture, _, said = move(page, name, keys, T)
        measured = mean_chroma(rgb_to_lab(picture)[:, 1:]).item()
        assert measured == pytest.approx(said, abs=1.0)  # JPEG's rounding
        chromas.append(measured)
    assert chromas[1] > chromas[0] + 1, chromas
    return picture


def choose(page, path):
    """Click the upload button and give a file to the dialog that it opens, which is outside of the page."""
    page.js(
        """
        HTMLInputElement.prototype.click = function () { this.id = 'dialog'; document.body.append(this); };
        document.querySelector('.colorize-upload').click();
        """
    )
    page.driver.find_element("id", "dialog").send_keys(str(path))


def test_lesson_runs_unsolved(lab, lesson):
    assert lesson.trouble() == []
    badge, card = lesson.texts(".colorize-badge")
    assert re.match(r"\S Exercise 0\.1 · The chroma of a pixel: open", badge)
    assert card.startswith("0 of 1 exercises right")
    assert lab.console_errors() == []


def test_temperature_makes_the_photo_vivid(lab, lesson):
    lower_is_more_vivid(lesson, "temperature")
    assert lab.console_errors() == []


def test_a_photo_of_ones_own(lab, lesson, tmp_path):
    images.save(images.bundled("coffee", 200), tmp_path / "holiday.png")
    choose(lesson, tmp_path / "holiday.png")
    wait_until(lambda: lesson.texts(".colorize-upload-temperature-text"), "the colored photo", 30)
    gray, alt = lesson.picture("img.colorize-upload-gray")
    assert alt == "Your photo in gray"
    expected = to_gray(images.bundled("coffee", 200))
    got = torch.from_numpy(np.array(gray.convert("RGB"))).movedim(-1, 0) / 255
    assert (got - expected).abs().mean() < 0.01
    colored = lower_is_more_vivid(lesson, "upload-temperature")
    assert colored.shape[1:] == expected.shape
    lightness = rgb_to_lab(colored)[:, 0] - rgb_to_lab(expected)[0]
    assert lightness.abs().mean() < 2.5  # the photo's own
    assert lab.console_errors() == []


def test_a_file_that_is_no_photo_gets_one_sentence(lab, lesson, tmp_path):
    (tmp_path / "notes.png").write_text("no picture at all")
    choose(lesson, tmp_path / "notes.png")
    (said,) = wait_until(
        lambda: [t for t in lesson.texts(".colorize-upload-result") if "notes.png" in t], "a sentence", 20
    )
    assert "\n" not in said and said.count("notes.png") == 1
    assert lesson.texts(".colorize-upload-gray") == []
    images.save(images.bundled("chelsea", 64), tmp_path / "cat.jpg")  # and a good one works again
    choose(lesson, tmp_path / "cat.jpg")
    wait_until(lambda: lesson.texts(".colorize-upload-temperature-text"), "the colored photo", 30)
    assert lab.console_errors() == []
