"""A brush in a notebook: paint strokes on a gray picture, and see the colors flow.

The mathematics is in :mod:`colorize.scribbles` and :mod:`colorize.smoothing`. The canvas is that of ``ipycanvas``, a small
package of the Jupyter project's own people (BSD license, 0.1 MB, its part in the browser comes along: nothing is loaded from
elsewhere). Without it the same strokes are shown one after the other, from a list, with a slider.
"""

import base64
import html
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import ipywidgets
import numpy as np
import torch
from torch import Tensor

from .images import to_uint8
from .lab import lab_to_rgb, rgb_to_lab, to_gray
from .metrics import mean_chroma
from .neighbors import check
from .scribbles import Stroke, propagate, rasterize
from .smoothing import smooth
from .widgets import jpeg, slider_demo

LARGEST = 512  # pixels of a side; a larger picture takes seconds for each stroke
PAINTED = 1e4  # confidence in a painted color, where that of a network is at most 1
PAINT_LIGHTNESS = 65.0  # at which the brush's color is shown
MISSING = (
    "Painting needs the package ipycanvas, which is not installed here (pip install ipycanvas, then restart the kernel). "
    "Until then the slider paints strokes from a list."
)


class Board:
    """A gray picture and the strokes on it.

    Parameters
    ----------
    image : (3, H, W), sRGB in [0, 1], up to 512 x 512; only its lightness is looked at.
    predicted : (1, 2, H, W), what a network says its colors are, or None.

    Raises
    ------
    TypeError for what is no tensor of floats, ValueError for other shapes or a larger picture.
    """

    def __init__(self, image: Tensor, predicted: Tensor | None = None) -> None:
        if not isinstance(image, Tensor) or image.ndim != 3:
            got = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
            raise ValueError(f"image must be one picture (3, H, W), got {got}")
        check(image[None], 3, "image")
        if max(image.shape) > LARGEST:
            raise ValueError(
                f"image must have sides of at most {LARGEST} pixels, got {tuple(image.shape[1:])}"
            )
        self.lightness = rgb_to_lab(image[None])[:, :1]
        if predicted is not None:
            check(predicted, 2, "predicted", like=self.lightness)
        self.gray, self.predicted = to_gray(image), predicted
        self.strokes: list[Stroke] = []

    def colored(self, say: float = 0.0) -> tuple[Tensor, str]:
        """Color the picture: (3, H, W) sRGB in [0, 1], and a line of text.

        Parameters
        ----------
        say : how much the network has to say where nothing is painted, from 0, nothing, to 1. Its confidence in
            :func:`colorize.smoothing.smooth` is then ``10 ** (4 say - 4)``: strokes reach the farther, the less it says.
        """
        ab, mask = rasterize(self.strokes, *self.lightness.shape[2:])
        if self.predicted is not None and say > 0:
            confidence = torch.where(mask, PAINTED, 10 ** (4 * say - 4))
            ab = torch.where(mask[:, None], ab, self.predicted)
            ab = smooth(ab, self.lightness, strength=1.0, confidence=confidence)
        elif mask.any():
            ab = propagate(self.lightness, ab, mask)
        chroma = mean_chroma(ab).item()
        number, pixels = len(self.strokes), int(mask.sum())
        text = f"{number} stroke{'s' * (number != 1)}, {pixels} pixels painted, mean chroma {chroma:.1f}"
        return lab_to_rgb(torch.cat((self.lightness, ab), dim=1))[0], text


def brush_color(hue: float, chroma: float) -> tuple[float, float]:
    """Turn a hue in degrees (0 red, 90 yellow, 180 green, 270 blue) and a chroma into (a, b), to a tenth."""
    turn = math.radians(hue)
    return round(chroma * math.cos(turn), 1) + 0.0, round(
        chroma * math.sin(turn), 1
    ) + 0.0  # 0.0 turns -0 into 0


def scribble_demo(
    image: Tensor,
    strokes: Sequence[Stroke],
    predicted: Tensor | None = None,
    name: str = "brush",
    width: int = 384,
) -> ipywidgets.VBox:
    """Let a visitor paint strokes on a gray picture, which colors itself after each of them.

    Sliders set the brush's hue, chroma (0 paints gray) and size, and how much a network has to say, if there is one.
    Buttons take back the last stroke or all, and paint the list of strokes, for those who cannot hold a mouse.

    Parameters
    ----------
    image : (3, H, W), sRGB in [0, 1]; its colors are not looked at. 128 pixels a side answer in a tenth of a second, 256
        in half a second; above 512 it is refused.
    strokes : an example, one or more :class:`colorize.scribbles.Stroke` in the picture's own pixels. Without ``ipycanvas``
        they are all there is.
    predicted : (1, 2, H, W), ab from a network, or None.
    name : CSS classes ``colorize-NAME-`` ``canvas``, ``hue``, ``chroma``, ``size``, ``say``, ``undo``, ``clear``,
        ``example``, ``picture`` and ``text``; without ipycanvas ``missing``, and ``colorize-NAME`` for the slider.
    width : of the canvas and of the picture, in pixels of the screen.

    Returns
    -------
    The widget to display: the last line of a cell.

    Raises
    ------
    TypeError or ValueError if the picture, the colors or the strokes are none.
    """
    board = Board(image, predicted)
    strokes = list(strokes)
    if not strokes:
        raise ValueError("strokes must hold at least one stroke, got none")
    rasterize(strokes, *image.shape[1:])  # a wrong one is refused now, not at the press of a button
    try:
        import ipycanvas
    except ImportError:
        return _scripted(board, strokes, name, width)
    return _Brush(board, strokes, name, width, ipycanvas).widget


def _scripted(board: Board, strokes: list[Stroke], name: str, width: int) -> ipywidgets.VBox:
    """Show the demo without a canvas: one slider, for how many strokes of the list are painted."""

    def draw(number: int) -> tuple[Tensor, str]:
        board.strokes = strokes[:number]
        return board.colored()

    slider = ipywidgets.IntSlider(len(strokes), min=0, max=len(strokes), description="strokes")
    demo = slider_demo(draw, slider, name, alt="The gray picture, colored from strokes", width=width)
    missing = ipywidgets.HTML(
        f'<span class="colorize-{name}-missing" role="status">{html.escape(MISSING)}</span>'
    )
    return ipywidgets.VBox([missing, demo])


class _Brush:
    """Canvas, sliders, buttons and picture, and what happens when they are used."""

    def __init__(self, board: Board, example: list[Stroke], name: str, width: int, ipycanvas: Any) -> None:
        self.board, self.example, self.name, self.width = board, example, name, width
        self.hold = ipycanvas.hold_canvas
        height, columns = board.lightness.shape[2:]
        self.zoom = width / columns  # pixels of the canvas for one of the picture
        shape = (round(height * self.zoom), width)
        big = torch.nn.functional.interpolate(board.gray[None], size=shape, mode="nearest-exact")
        self.background = to_uint8(big[0])
        self.points: list[tuple[float, float]] = []  # of the stroke that is being painted

        layout = ipywidgets.Layout(width=f"{width}px", height=f"{shape[0]}px")
        self.canvas = self._named(ipycanvas.Canvas(width=width, height=shape[0], layout=layout), "canvas")
        self.picture, self.swatch = ipywidgets.HTML(), ipywidgets.HTML()
        self.hue = self._named(ipywidgets.IntSlider(30, 0, 359, description="hue"), "hue")
        self.chroma = self._named(ipywidgets.IntSlider(50, 0, 100, description="chroma"), "chroma")
        self.size = self._named(ipywidgets.IntSlider(5, 1, 25, description="size"), "size")
        self.say = self._named(
            ipywidgets.FloatSlider(
                0.0, min=0, max=1, step=0.05, description="network", continuous_update=False
            ),
            "say",
        )
        buttons = []
        for label, what in (("Undo", self.undo), ("Clear", self.clear), ("Example", self.show_example)):
            button = self._named(ipywidgets.Button(description=label), label.lower())
            button.on_click(lambda _button, what=what: what())
            buttons.append(button)

        for slider in (self.hue, self.chroma):
            slider.observe(lambda _change: self._show_color(), names="value")
        self.say.observe(lambda _change: self._show_picture(), names="value")
        self.canvas.on_client_ready(self._repaint)  # also when the page is loaded again
        self.canvas.on_mouse_down(self._start)
        self.canvas.on_mouse_move(self._go_on)
        self.canvas.on_mouse_up(self._end)
        self.canvas.on_mouse_out(self._end)
        # A finger; of several, the first.
        self.canvas.on_touch_start(lambda touches: self._start(*touches[0]) if touches else None)
        self.canvas.on_touch_move(lambda touches: self._go_on(*touches[0]) if touches else None)
        self.canvas.on_touch_end(lambda _touches: self._end())
        self.canvas.on_touch_cancel(lambda _touches: self._end())

        sliders = [self.hue, self.chroma, self.swatch, self.size]
        if board.predicted is not None:
            sliders.append(self.say)
        self._show_color()
        self._repaint()
        self._show_picture()
        self.widget = ipywidgets.VBox(
            [ipywidgets.HBox([self.canvas, self.picture]), *sliders, ipywidgets.HBox(buttons)]
        )

    def undo(self) -> None:
        self.board.strokes = self.board.strokes[:-1]
        self._refresh()

    def clear(self) -> None:
        self.board.strokes = []
        self._refresh()

    def show_example(self) -> None:
        self.board.strokes = list(self.example)
        self._refresh()

    def _refresh(self) -> None:
        self.points = []
        self._repaint()
        self._show_picture()

    def _start(self, x: float, y: float) -> None:
        self.points = [self._on_picture(x, y)]
        self._paint(self._stroke())

    def _go_on(self, x: float, y: float) -> None:
        if not self.points:
            return  # the mouse passes by, no button is held
        self.points.append(self._on_picture(x, y))
        self._paint(replace(self._stroke(), points=self.points[-2:]))

    def _end(self, *place: float) -> None:
        if not self.points:
            return
        if place:
            self._go_on(*place)  # the browser reports moves now and then; the last one may be missing
        self.board.strokes.append(self._stroke())
        self.points = []
        self._show_picture()

    def _stroke(self) -> Stroke:
        return Stroke(tuple(self.points), brush_color(self.hue.value, self.chroma.value), self.size.value / 2)

    def _on_picture(self, x: float, y: float) -> tuple[float, float]:
        """Turn a place on the canvas into pixels of the picture, where (0, 0) is the middle of the first."""
        return x / self.zoom - 0.5, y / self.zoom - 0.5

    def _repaint(self) -> None:
        with self.hold():
            self.canvas.put_image_data(self.background, 0, 0)
            for stroke in self.board.strokes:
                self._paint(stroke)

    def _paint(self, stroke: Stroke) -> None:
        """Draw a stroke on the canvas, round at its ends: as the picture's pixels take it, but finer."""
        radius = max(stroke.radius, 0.71) * self.zoom
        points = (np.array(stroke.points, dtype=float) + 0.5) * self.zoom
        with self.hold():
            self.canvas.fill_style = self.canvas.stroke_style = _css(stroke.color)
            self.canvas.line_width = 2 * radius
            for before, after in pairwise(points):
                self.canvas.stroke_line(*before.tolist(), *after.tolist())
            for point in points:
                self.canvas.fill_circle(*point.tolist(), radius)

    def _show_color(self) -> None:
        a, b = brush_color(self.hue.value, self.chroma.value)
        self.swatch.value = (
            f'<span class="colorize-{self.name}-color" style="display: inline-block; width: 3em; height: 1.2em; '
            f'vertical-align: middle; background: {_css((a, b))}"></span> a = {a:g}, b = {b:g}'
        )

    def _show_picture(self) -> None:
        image, text = self.board.colored(self.say.value)
        source = "data:image/jpeg;base64," + base64.b64encode(jpeg(image)).decode()
        self.picture.value = (
            f'<img class="colorize-{self.name}-picture" width="{self.width}" alt="The gray picture, colored from strokes; '
            f'{text}" src="{source}"><div class="colorize-{self.name}-text" role="status">{text}</div>'
        )

    def _named(self, widget: ipywidgets.DOMWidget, part: str) -> ipywidgets.DOMWidget:
        widget.add_class(f"colorize-{self.name}-{part}")
        return widget


def _css(color: tuple[float, float]) -> str:
    """Turn (a, b), at the lightness of the brush, into a color for the browser: #rrggbb."""
    lab = torch.tensor([PAINT_LIGHTNESS, *color], dtype=torch.float32).view(3, 1, 1)
    return "#" + "".join(f"{level:02x}" for level in to_uint8(lab_to_rgb(lab)).ravel())
