"""The sliders of lesson 12, moved in a browser, and the brush's example."""

import re

import numpy as np
import pytest
import torch
from browser import wait_until
from selenium.webdriver.common.keys import Keys

from colorize.lab import rgb_to_lab

NOTEBOOKS = {"lesson.ipynb": "notebooks/12_you_hold_the_brush.ipynb"}


def shown(page, name):
    """a and b of the picture that is on the screen (2, H, W), whose alt text ends with what stands below it."""
    picture, alt = page.picture(f"img.colorize-{name}-picture")
    assert alt.endswith(page.texts(f".colorize-{name}-text")[0])
    return rgb_to_lab(torch.from_numpy(np.array(picture)).movedim(-1, 0) / 255)[1:]


def test_the_sliders_change_the_colors(lab):
    page = lab.open("lesson.ipynb")
    page.run_all(240)
    assert page.trouble() == []
    found = {}
    for name, keys, words in (
        ("hue", Keys.END, "hue 345,"),
        ("hue", Keys.HOME, "hue 0,"),
        ("lambda", Keys.END, "lambda 30,"),
        ("lambda", Keys.HOME, "lambda 0,"),
    ):
        page.press(f".colorize-{name} .noUi-handle", keys)
        wait_until(
            lambda name=name, words=words: page.texts(f".colorize-{name}-text")[0].startswith(words),
            words,
            20,
        )
        ab = shown(page, name)
        said = float(re.search(r"mean chroma (\d+\.\d)", page.texts(f".colorize-{name}-text")[0])[1])
        assert ab.norm(dim=0).mean().item() == pytest.approx(said, abs=1.5)  # JPEG's rounding
        found[words] = ab.mean(dim=(1, 2)).tolist()
    assert found["hue 0,"][1] > found["hue 345,"][1] + 2  # a turn of 15 degrees toward yellow: more b
    assert found["lambda 30,"][0] > found["lambda 0,"][0] + 10  # toward the photo's red
    if page.js("return document.querySelector('.colorize-coffee-example') !== null"):  # with ipycanvas
        page.press(".colorize-coffee-example", Keys.ENTER)
    wait_until(lambda: page.texts(".colorize-coffee-text")[0].startswith("12 strokes"), "12 strokes", 20)
    assert shown(page, "coffee")[0].mean() > 10  # red and brown
    assert lab.console_errors() == []
