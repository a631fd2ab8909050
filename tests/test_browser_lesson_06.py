"""The sliders of lesson 6, moved in a browser."""

import re

import numpy as np
import pytest
import torch
from browser import wait_until
from selenium.webdriver.common.keys import Keys

from colorize.lab import rgb_to_lab
from colorize.metrics import mean_chroma

NOTEBOOKS = {"lesson.ipynb": "notebooks/06_from_distribution_to_color.ipynb"}


@pytest.mark.long  # `make test` moves the sliders of lessons 0, 2 and 12
def test_the_sliders_make_the_pictures_vivid(lab):
    page = lab.open("lesson.ipynb")
    page.run_all(240)
    assert page.trouble() == []
    for name, lowest in (("toy-temperature", 0.05), ("photo-temperature", 0.0)):
        chromas = []
        for keys, T in ((Keys.END, 1.0), (Keys.HOME, lowest)):
            page.press(f".colorize-{name} .noUi-handle", keys)
            wait_until(
                lambda name=name, T=T: page.texts(f".colorize-{name}-text")[0].startswith(f"T = {T:.2f},"),
                f"the picture at T = {T}",
                20,
            )
            (text,) = page.texts(f".colorize-{name}-text")
            picture, alt = page.picture(f"img.colorize-{name}-picture")
            assert alt.endswith(text)
            rgb = torch.from_numpy(np.array(picture)).movedim(-1, 0)[None] / 255
            chromas.append(mean_chroma(rgb_to_lab(rgb)[:, 1:]).item())
            said = float(re.search(r"mean chroma (\d+\.\d)", text)[1])
            assert chromas[-1] == pytest.approx(said, abs=1.5)  # JPEG's rounding
        assert chromas[1] > chromas[0] + 1, (name, chromas)
    assert lab.console_errors() == []
