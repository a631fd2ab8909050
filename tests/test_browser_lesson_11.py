"""The slider of lesson 11, moved in a browser: the discs leave the point where they all began."""

import numpy as np
import pytest
from browser import wait_until
from selenium.webdriver.common.keys import Keys

NOTEBOOKS = {"lesson.ipynb": "notebooks/11_learning_the_loss.ipynb"}


@pytest.mark.long  # `make test` moves the sliders of lessons 0, 2 and 12, and plays the study outside of its lesson
def test_the_slider_shows_the_discs_part(lab):
    page = lab.open("lesson.ipynb")
    page.run_all(240)
    assert page.trouble() == []
    said = page.texts(".jp-OutputArea-output")
    assert any(text.strip().endswith("\nlearned") for text in said)  # the short training, too
    spread = []
    for keys, begins in (
        (Keys.HOME, "step 0: 0 of 60 discs red, 0 green, 60 neither"),
        (Keys.END, "step 50:"),
    ):
        page.press(".colorize-moment .noUi-handle", keys)
        wait_until(
            lambda begins=begins: page.texts(".colorize-moment-text")[0].startswith(begins), begins, 20
        )
        (text,) = page.texts(".colorize-moment-text")
        picture, alt = page.picture("img.colorize-moment-picture")
        assert alt.endswith(text)
        assert picture.size == (288, 288)
        dots = np.argwhere(np.array(picture.convert("L")) < 60)
        spread.append(dots.std(axis=0).max())
    assert spread[1] > spread[0] + 3
    assert lab.console_errors() == []
