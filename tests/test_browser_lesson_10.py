"""The slider of lesson 10, moved in a browser: told the wrong season, the network paints summer's grass brown."""

import numpy as np
import pytest
from browser import wait_until
from selenium.webdriver.common.keys import Keys

NOTEBOOKS = {"lesson.ipynb": "notebooks/10_fusion.ipynb"}


@pytest.mark.long  # `make test` moves the sliders of lessons 0, 2 and 12, and plays the study outside of its lesson
def test_the_slider_tells_the_network_another_season(lab):
    page = lab.open("lesson.ipynb")
    page.run_all(240)
    assert page.trouble() == []
    redness = []
    for keys, words in ((Keys.END, "told the wrong one"), (Keys.HOME, "told the truth")):
        page.press(".colorize-told .noUi-handle", keys)
        wait_until(
            lambda words=words: page.texts(".colorize-told-text")[0].startswith(words),
            f"the text {words}",
            20,
        )
        (text,) = page.texts(".colorize-told-text")
        picture, alt = page.picture("img.colorize-told-picture")
        assert picture.width == 3 * picture.height
        assert alt.endswith(text)
        rgb = np.array(picture.convert("RGB"), dtype=float)
        ground = rgb[2 * picture.height // 3 :]
        redness.append([(part[..., 0] - part[..., 1]).mean() for part in np.split(ground, 3, axis=1)])
    # The first scene is one of fall, the others are of summer: green is what has less red than green.
    (wrong, true) = redness
    assert text == "told the truth: grass and trees move by 0.0 ab units, all else by 0.0"
    assert wrong[0] < true[0] - 5 and wrong[1] > true[1] + 5 and wrong[2] > true[2] + 5
    assert lab.console_errors() == []
