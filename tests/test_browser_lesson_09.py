"""The slider of lesson 9, moved in a browser."""

import re

import numpy as np
import pytest
import torch
from browser import wait_until
from selenium.webdriver.common.keys import Keys

from colorize.huechroma import hue_chroma

NOTEBOOKS = {"lesson.ipynb": "notebooks/09_hypercolumns.ipynb"}


@pytest.mark.long  # `make test` moves the sliders of lessons 0, 2 and 12, and plays the study outside of its lesson
def test_the_slider_makes_the_cup_more_vivid(lab):
    page = lab.open("lesson.ipynb")
    page.run_all(240)
    assert page.trouble() == []
    found = []
    for keys, factor in ((Keys.HOME, 0.0), (Keys.END, 3.0)):
        page.press(".colorize-boost .noUi-handle", keys)
        wait_until(
            lambda factor=factor: page.texts(".colorize-boost-text")[0].startswith(f"factor {factor:.1f},"),
            f"the picture at the factor {factor}",
            20,
        )
        (text,) = page.texts(".colorize-boost-text")
        picture, alt = page.picture("img.colorize-boost-picture")
        assert picture.size == (192, 192)
        assert alt.endswith(text)
        rgb = torch.from_numpy(np.array(picture)).movedim(-1, 0) / 255
        found.append(hue_chroma(rgb)[1].mean().item())
        said = float(re.search(r"mean chroma (\d\.\d\d)", text)[1])
        assert found[-1] == pytest.approx(said, abs=0.03)  # JPEG's rounding
    assert found[0] < 0.03 and found[1] > 0.55, found
    assert lab.console_errors() == []
