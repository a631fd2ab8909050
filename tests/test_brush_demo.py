"""The brush without a browser: what the canvas would report is handed to the real canvas widget."""

import base64
import builtins
import io
import math
import re

import ipywidgets
import numpy as np
import pytest
import torch
from PIL import Image

from colorize import images
from colorize.brush_demo import Board, brush_color, scribble_demo
from colorize.lab import lab_to_rgb, rgb_to_lab
from colorize.metrics import psnr
from colorize.scribbles import Stroke, propagate, rasterize

EXAMPLE = [Stroke([(5, 5), (20, 6)], (40, 20), 2.0), Stroke([(10, 25)], (-30, 30), 3.0)]


@pytest.fixture
def photo():
    return images.square(images.bundled("coffee"), 32)


def widgets_of(widget, kind):
    """All widgets of a kind below a widget, in their order."""
    found = [widget] if isinstance(widget, kind) else []
    return found + [part for child in getattr(widget, "children", ()) for part in widgets_of(child, kind)]


class Hand:
    """Holds the brush: sends the messages that the canvas's other half in the browser sends."""

    def __init__(self, demo):
        ipycanvas = pytest.importorskip("ipycanvas")
        (self.canvas,) = widgets_of(demo, ipycanvas.Canvas)
        self.demo = demo

    def send(self, event, x=0.0, y=0.0):
        self.canvas._handle_frontend_event(
            None, {"event": event, "x": x, "y": y, "touches": [{"x": x, "y": y}]}, []
        )

    def stroke(self, *points):
        self.send("mouse_down", *points[0])
        for point in points[1:]:
            self.send("mouse_move", *point)
        self.send("mouse_up", *points[-1])

    def control(self, kind, name):
        (found,) = [
            w for w in widgets_of(self.demo, kind) if any(c.endswith("-" + name) for c in w._dom_classes)
        ]
        return found

    def press(self, name):
        self.control(ipywidgets.Button, name).click()

    def slide(self, name, value):
        self.control((ipywidgets.IntSlider, ipywidgets.FloatSlider), name).value = value

    def seen(self):
        return seen(self.demo)


def seen(demo):
    """The shown picture (1, 3, H, W), and the text below it, which is part of the alternative text."""
    (code,) = [w.value for w in widgets_of(demo, ipywidgets.HTML) if "<img" in w.value]
    data = re.search(r"base64,([^\"]+)", code)[1]
    pixels = np.array(Image.open(io.BytesIO(base64.b64decode(data))))
    text = re.search(r'role="status">([^<]*)<', code)[1]
    assert text in re.search(r'alt="([^"]*)"', code)[1]
    return torch.from_numpy(pixels).movedim(-1, 0)[None] / 255, text


def expected(photo, strokes):
    light = rgb_to_lab(photo)[None, :1]
    return lab_to_rgb(torch.cat((light, propagate(light, *rasterize(strokes, 32, 32))), dim=1))


def test_a_stroke_of_the_mouse_colors_the_picture(photo):
    hand = Hand(scribble_demo(photo, EXAMPLE, width=320))  # ten pixels of the canvas are one of the picture
    gray, text = hand.seen()
    assert text == "0 strokes, 0 pixels painted, mean chroma 0.0"
    assert (gray - gray.mean(dim=1, keepdim=True)).abs().max() < 3 / 255
    hand.slide("hue", 90)
    hand.slide("chroma", 60)
    hand.slide("size", 4)
    hand.stroke((55, 105), (155, 105), (155, 255))
    strokes = [Stroke([(5, 10), (15, 10), (15, 25)], (0, 60), 2.0)]
    found, text = hand.seen()
    painted = int(rasterize(strokes, 32, 32)[1].sum())
    assert text.startswith(f"1 stroke, {painted} pixels painted, mean chroma 60.0")
    assert psnr(found, expected(photo, strokes)) > 35


def test_nothing_is_painted_while_no_button_is_held(photo):
    hand = Hand(scribble_demo(photo, EXAMPLE))
    for event in ("mouse_move", "mouse_up", "mouse_out", "touch_move", "touch_end", "client_ready"):
        hand.send(event, 50, 50)
    assert hand.seen()[1].startswith("0 strokes")


def test_leaving_the_canvas_ends_a_stroke_and_a_finger_paints_too(photo):
    hand = Hand(scribble_demo(photo, EXAMPLE))
    hand.send("mouse_down", 50, 50)
    hand.send("mouse_out", 500, 50)
    hand.send("mouse_move", 90, 90)
    assert hand.seen()[1].startswith("1 stroke,")
    for event in ("touch_start", "touch_move", "touch_cancel"):
        hand.send(event, 100, 100)
    assert hand.seen()[1].startswith("2 strokes,")


def test_a_stroke_ends_where_the_button_is_let_go(photo):
    """The browser reports moves now and then: of a quick stroke, only its two ends may arrive."""
    hand = Hand(scribble_demo(photo, EXAMPLE, width=320))
    hand.send("mouse_down", 55, 105)
    hand.send("mouse_up", 255, 105)
    painted = rasterize([Stroke([(5, 10), (25, 10)], (0, 0), 2.5)], 32, 32)[1].sum()
    assert hand.seen()[1].startswith(f"1 stroke, {painted} pixels painted")


def test_buttons(photo):
    hand = Hand(scribble_demo(photo, EXAMPLE))
    hand.press("example")
    found, text = hand.seen()
    assert text.startswith("2 strokes,") and psnr(found, expected(photo, EXAMPLE)) > 35
    hand.press("undo")
    found, text = hand.seen()
    assert text.startswith("1 stroke,") and psnr(found, expected(photo, EXAMPLE[:1])) > 35
    for _ in range(2):
        hand.press("clear")
        hand.press("undo")
        assert hand.seen()[1].startswith("0 strokes")
    assert len(EXAMPLE) == 2
    hand.stroke((9, 9), (99, 99))
    hand.press("example")
    assert hand.seen()[1].startswith("2 strokes")


def test_a_network_has_its_say(photo):
    predicted = torch.tensor([-20.0, 30.0]).view(1, 2, 1, 1).expand(1, 2, 32, 32)
    hand = Hand(scribble_demo(photo, EXAMPLE, predicted))
    assert hand.seen()[1].endswith("mean chroma 0.0")
    hand.slide("say", 1.0)
    assert hand.seen()[1] == "0 strokes, 0 pixels painted, mean chroma 36.1"
    hand.press("example")
    distances = []
    for say in (0.25, 0.5, 1.0):
        hand.slide("say", say)
        ab = rgb_to_lab(hand.seen()[0])[:, 1:]
        distances.append((ab - predicted).norm(dim=1).median().item())
    assert distances[0] > distances[1] > distances[2]
    assert widgets_of(scribble_demo(photo, EXAMPLE), ipywidgets.FloatSlider) == []


def test_painted_colors_stay_whatever_the_network_says(photo):
    board = Board(photo, torch.full((1, 2, 32, 32), 40.0))
    board.strokes = [Stroke([(16, 16)], (-30, 10), 4.0)]
    light = board.lightness[0, 0]
    ab, mask = rasterize(board.strokes, 32, 32)
    for say in (0.0, 0.3, 1.0):
        found = board.colored(say)[0]
        wanted = lab_to_rgb(torch.cat((light[None], ab[0])))
        assert ((found - wanted).abs() * mask).max() < 1e-2


def test_colors_of_the_brush():
    assert brush_color(0, 50) == (50, 0) and brush_color(90, 50) == (0, 50)
    assert [str(x) for x in brush_color(225, 0)] == ["0.0", "0.0"]
    a, b = brush_color(210, 40)
    assert math.degrees(math.atan2(b, a)) % 360 == pytest.approx(210, abs=0.2)


def test_without_ipycanvas_the_strokes_come_from_the_list(photo, monkeypatch):
    real = builtins.__import__

    def missing(name, *arguments, **more):
        if name == "ipycanvas":
            raise ImportError(name)
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    demo = scribble_demo(photo, EXAMPLE, name="paint")
    sentence = widgets_of(demo, ipywidgets.HTML)[0].value
    assert "ipycanvas, which is not installed" in sentence and 'class="colorize-paint-missing"' in sentence
    (slider,) = widgets_of(demo, ipywidgets.IntSlider)
    assert (slider.min, slider.max, slider.value) == (0, 2, 2)
    assert "colorize-paint" in slider._dom_classes
    for number in (2, 1):
        slider.value = number
        found, text = seen(demo)
        assert text.startswith(f"{number} stroke") and psnr(found, expected(photo, EXAMPLE[:number])) > 35
    slider.value = 0
    assert seen(demo)[1] == "0 strokes, 0 pixels painted, mean chroma 0.0"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"image": torch.zeros(1, 3, 8, 8)}, r"image must be one picture \(3, H, W\), got \(1, 3, 8, 8\)"),
        ({"image": "photo.jpg"}, r"image must be one picture \(3, H, W\), got str"),
        ({"image": torch.zeros(3, 8, 600)}, "sides of at most 512 pixels"),
        ({"predicted": torch.zeros(1, 2, 8, 9)}, r"predicted must have shape \(1, 2, 8, 8\)"),
        ({"strokes": []}, "at least one stroke"),
        ({"strokes": [Stroke([], (1, 1))]}, "stroke 1: points"),
    ],
)
def test_mistakes_get_one_sentence(change, sentence):
    arguments = {"image": torch.zeros(3, 8, 8), "strokes": EXAMPLE} | change
    with pytest.raises((TypeError, ValueError), match=sentence):
        scribble_demo(**arguments)
