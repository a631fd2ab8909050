"""The slider of lesson 7, moved in a browser."""

import numpy as np
import pytest
from browser import wait_until
from selenium.webdriver.common.keys import Keys

from colorize.networks.zhang import layer_table

NOTEBOOKS = {"lesson.ipynb": "notebooks/07_full_network.ipynb"}


@pytest.mark.long  # `make test` moves the sliders of lessons 0, 2 and 12
def test_the_slider_shows_what_each_layer_sees(lab):
    page = lab.open("lesson.ipynb")
    page.run_all(240)
    assert page.trouble() == []
    table, pale = layer_table(), []
    for keys, row in ((Keys.HOME, table[0]), (Keys.END, table[-1])):
        page.press(".colorize-field .noUi-handle", keys)
        side = row.receptive_field
        said = f"{row.layer.name} sees {side} x {side} pixels"
        wait_until(
            lambda said=said: page.texts(".colorize-field-text")[0].startswith(said), f"the text {said}", 20
        )
        (text,) = page.texts(".colorize-field-text")
        picture, alt = page.picture("img.colorize-field-picture")
        assert picture.size == (384, 384)
        assert alt.endswith(text)
        # What a layer does not see is pale, a mix of three parts of white and one of the photo.
        pale.append((np.array(picture.convert("L")) > 180).mean())
    assert pale[0] > 0.95
    assert pale[1] < 0.4
    assert lab.console_errors() == []
