"""The brush, held by a mouse in a browser: a temporary notebook with the demo of lesson 12."""

import re

import nbformat
import numpy as np
import pytest
import torch
from browser import wait_until
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from colorize import images
from colorize.brush_demo import brush_color
from colorize.lab import lab_to_rgb, rgb_to_lab
from colorize.metrics import psnr
from colorize.scribbles import Stroke, propagate, rasterize

SETUP = """
from colorize import images
from colorize.brush_demo import scribble_demo
from colorize.scribbles import Stroke
example = [Stroke([(5, 5), (40, 8)], (40, 20), 2.0), Stroke([(30, 50)], (-30, 30), 3.0)]
scribble_demo(images.square(images.bundled("chelsea"), 64), example, name="real", width=320)
"""
CANVAS = "canvas.colorize-real-canvas, .colorize-real-canvas canvas"


@pytest.fixture(scope="module")
def page(lab):
    pytest.importorskip("ipycanvas")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SETUP.strip())])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, lab.folder / "brush.ipynb")
    page = lab.open("brush.ipynb")
    page.run_all()
    assert page.trouble() == []
    wait_until(
        lambda: page.js("return document.querySelector(arguments[0]) !== null", CANVAS), "the canvas", 20
    )
    return page


def text_of(page):
    (text,) = page.texts(".colorize-real-text")
    return text


def wait_for(page, beginning):
    wait_until(lambda: text_of(page).startswith(beginning), f"{beginning!r} below the picture", 20)
    return text_of(page)


def shown(page):
    picture, alt = page.picture("img.colorize-real-picture")
    assert alt.endswith(text_of(page))
    return torch.from_numpy(np.array(picture)).movedim(-1, 0)[None] / 255


def pixel(page, x, y):
    """Color of a pixel of the canvas, 0..255."""
    code = (
        "return [...document.querySelector(arguments[0]).getContext('2d').getImageData(...arguments[1]).data]"
    )
    return page.js(code, CANVAS, [x, y, 1, 1])[:3]


def drag(page, *places):
    """Hold the mouse button from the first place on the canvas to the last, all in its own pixels."""
    page.driver.switch_to.window(page.tab)
    canvas = page.driver.find_element(By.CSS_SELECTOR, CANVAS)
    page.js("arguments[0].scrollIntoView({block: 'center'})", canvas)
    size = canvas.size["width"], canvas.size["height"]
    moves = [(round(x - size[0] / 2), round(y - size[1] / 2)) for x, y in places]
    hand = (
        ActionChains(page.driver, duration=50).move_to_element_with_offset(canvas, *moves[0]).click_and_hold()
    )
    for move in moves[1:]:
        hand = hand.move_to_element_with_offset(canvas, *move)
    hand.release().perform()


def test_the_mouse_paints_and_the_picture_takes_color(lab, page):
    photo = images.square(images.bundled("chelsea"), 64)
    light = rgb_to_lab(photo)[None, :1]
    assert wait_for(page, "0 strokes").endswith("mean chroma 0.0")
    red, green, blue = wait_until(lambda: pixel(page, 160, 160), "the gray picture on the canvas", 20)
    assert max(red, green, blue) - min(red, green, blue) <= 2 and red > 0

    page.press(".colorize-real-hue .noUi-handle", Keys.HOME)  # red
    page.press(".colorize-real-chroma .noUi-handle", Keys.END)
    wait_until(lambda: page.texts(".colorize-real-chroma .widget-readout") == ["100"], "chroma 100", 20)
    drag(page, (78, 158), (160, 158), (238, 158))  # along the middle of pixels
    text = wait_for(page, "1 stroke,")
    # The mouse reports where it is as often as it likes; on a straight line that makes no difference.
    stroke = Stroke([(15, 31), (47, 31)], brush_color(0, 100), 2.5)
    ab, mask = rasterize([stroke], 64, 64)
    painted = int(re.search(r"(\d+) pixels painted", text)[1])
    assert painted == pytest.approx(int(mask.sum()), abs=8)
    assert text.endswith("mean chroma 100.0")
    wanted = lab_to_rgb(torch.cat((light, propagate(light, ab, mask)), dim=1))
    assert psnr(shown(page), wanted) > 28
    red, green, blue = pixel(page, 160, 158)  # the stroke itself, on the canvas
    assert red > 200 and red > green + 80 and red > blue + 80
    assert lab.console_errors() == []


def test_buttons_and_what_is_left_on_the_canvas(lab, page):
    page.press(".colorize-real-example", Keys.ENTER)
    wait_for(page, "2 strokes,")
    colored = shown(page)
    page.press(".colorize-real-undo", Keys.ENTER)
    wait_for(page, "1 stroke,")
    page.press(".colorize-real-clear", Keys.ENTER)
    wait_for(page, "0 strokes")
    gray = shown(page)
    assert (
        (gray.amax(dim=1) - gray.amin(dim=1)).max()
        < 4 / 255
        < (colored.amax(dim=1) - colored.amin(dim=1)).mean()
    )
    red, green, blue = wait_until(lambda: pixel(page, 160, 160), "the canvas", 20)
    assert max(red, green, blue) - min(red, green, blue) <= 2
    assert lab.console_errors() == []
