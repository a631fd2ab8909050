"""Demos that move: a slider and a picture, drawn in one place.

A picture is an ``ipywidgets.HTML`` that holds JPEG bytes: no plot is made anew for a move, nothing flickers, screen
readers get an alt text, and there is no Output widget (apps built from notebooks hang on those).
"""

import base64
import html
import io
from collections.abc import Callable

import ipywidgets
from PIL import Image
from torch import Tensor

from .images import to_uint8


def slider_demo(
    draw: Callable[[float], tuple[Tensor, str]],
    slider: ipywidgets.Widget,
    name: str,
    alt: str,
    width: int = 384,
) -> ipywidgets.VBox:
    """Join a slider and the picture that it changes.

    Parameters
    ----------
    draw : takes the slider's value, returns a picture (3, H, W) in [0, 1] and a line of text below it: numbers, since
        not everyone sees the difference. Called once at the start and at each move: keep it under 50 ms.
    slider : any widget with a value, such as ``ipywidgets.FloatSlider``.
    name : short word; the CSS classes ``colorize-NAME`` (slider) and ``colorize-NAME-picture`` are made from it.
    alt : what the picture shows; the text of ``draw`` is added at each move.
    width : of the shown picture, in pixels.

    Returns
    -------
    The widget to display: the last line of a cell.
    """
    slider.add_class(f"colorize-{name}")
    picture = ipywidgets.HTML()

    def update(_change=None) -> None:
        image, text = draw(slider.value)
        source = "data:image/jpeg;base64," + base64.b64encode(jpeg(image)).decode()
        label, words = html.escape(f"{alt}; {text}", quote=True), html.escape(text)
        picture.value = (
            f'<img class="colorize-{name}-picture" width="{width}" alt="{label}" src="{source}">'
            f'<div class="colorize-{name}-text" role="status">{words}</div>'
        )

    slider.observe(update, names="value")
    update()
    return ipywidgets.VBox([slider, picture])


def jpeg(image: Tensor, quality: int = 92) -> bytes:
    """Encode a picture (3, H, W) in [0, 1] as JPEG bytes, without subsampling its color: color is the subject here."""
    buffer = io.BytesIO()
    Image.fromarray(to_uint8(image)).save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()
