"""The slider of lesson 13, moved in a browser: a window pans over a photo."""

import numpy as np
import pytest
from browser import wait_until
from selenium.webdriver.common.keys import Keys

NOTEBOOKS = {"lesson.ipynb": "notebooks/13_your_own_pictures.ipynb"}


@pytest.mark.long  # `make test` moves the sliders of lessons 0, 2 and 12, and plays the study outside of its lesson
def test_the_window_pans_over_the_rocket(lab):
    page = lab.open("lesson.ipynb")
    page.run_all(300)
    assert page.trouble() == []
    frames = []
    for keys, first in ((Keys.HOME, True), (Keys.END, False)):
        page.press(".colorize-pan .noUi-handle", keys)
        wait_until(
            lambda first=first: page.texts(".colorize-pan-text")[0].startswith("window at 0 px,") == first,
            f"the picture at the {'first' if first else 'last'} frame",
            20,
        )
        (text,) = page.texts(".colorize-pan-text")
        picture, alt = page.picture("img.colorize-pan-picture")
        assert picture.size == (256, 128)
        assert alt.endswith(text)
        frames.append(np.asarray(picture).astype(float))
    light = [frame.mean(axis=2) for frame in frames]
    # Left and right show the same part of the photo, in different colors.
    for both, gray in zip(frames, light, strict=True):
        assert np.abs(gray[:, :128] - gray[:, 128:]).mean() < 8
        assert np.abs(both[:, :128] - both[:, 128:]).mean() > 1
    # The window has moved by 64 pixels in all: what stood at its right stands at its left.
    (first, last), shift = (gray[:, 128:] for gray in light), 64
    assert np.abs(first[:, shift:] - last[:, :-shift]).mean() < 3
    assert np.abs(first - last).mean() > 10
    assert lab.console_errors() == []
