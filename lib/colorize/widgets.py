"""Demos that move: a slider and a picture, drawn in one place.

A picture is an ``ipywidgets.HTML`` that holds JPEG bytes: no plot is made anew for a move, nothing flickers, screen
readers get an alt text, and there is no Output widget (apps built from notebooks hang on those).
"""

import base64
import html
import io
from collections.abc import Callable
from typing import Any

import ipywidgets
from PIL import Image
from torch import Tensor

from .colorizer import Colorizer
from .images import ImageError, Picture, resize, to_tensor, to_uint8
from .lab import rgb_to_lab, to_gray
from .metrics import mean_chroma


def slider_demo(
    draw: Callable[[Any], tuple[Tensor, str]],
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

    def update(_change: object = None) -> None:
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


def temperature_demo(
    colorizer: Colorizer, image: Picture, name: str = "temperature", T: float = 0.38
) -> ipywidgets.VBox:
    """Show a colored photo with a slider for the temperature.

    The network runs once, here; a move of the slider only reads its answer again.

    Parameters
    ----------
    colorizer : a network that answers with a distribution; with one for regression the slider does nothing.
    image : whatever :func:`colorize.images.to_tensor` takes, best not larger than the screen.
    name : for the CSS classes, see :func:`slider_demo`.
    T : where the slider starts.
    """
    lightness, answer = colorizer.answer(image)

    def draw(temperature: float) -> tuple[Tensor, str]:
        picture = colorizer.paint(lightness, answer, temperature)
        chroma = mean_chroma(rgb_to_lab(picture)[:, 1:]).item()
        return picture[0], f"T = {temperature:.2f}, mean chroma {chroma:.1f}"

    slider = ipywidgets.FloatSlider(T, min=0.0, max=1.0, step=0.01, description="T", continuous_update=True)
    return slider_demo(draw, slider, name, alt="The photo in predicted colors")


def upload_demo(colorizer: Colorizer, name: str = "upload", largest: int = 1024) -> ipywidgets.VBox:
    """Let a visitor choose a photo and see it gray and in color, with a slider for the temperature.

    The photo stays on the machine that runs the notebook. A file that is no picture gets one sentence.

    Parameters
    ----------
    colorizer : the network.
    name : CSS classes ``colorize-NAME`` (the button) and ``colorize-NAME-result``.
    largest : a longer side than this is reduced first, in pixels: enough for a screen.
    """
    button = ipywidgets.FileUpload(accept="image/*", multiple=False, description="Your photo")
    button.add_class(f"colorize-{name}")
    result = ipywidgets.VBox([ipywidgets.HTML("No photo chosen yet.")])
    result.add_class(f"colorize-{name}-result")

    def show(_change: object) -> None:
        if not button.value:
            return
        file = button.value[0]
        try:
            photo = to_tensor(bytes(file["content"]), name=file["name"])
        except ImageError as error:
            result.children = [ipywidgets.HTML(f'<span role="status">{html.escape(str(error))}</span>')]
            return
        height, width = photo.shape[1:]
        if max(height, width) > largest:
            photo = resize(photo, max(1, round(min(height, width) * largest / max(height, width))))
        source = "data:image/jpeg;base64," + base64.b64encode(jpeg(to_gray(photo))).decode()
        before = f'<img class="colorize-{name}-gray" width="384" alt="Your photo in gray" src="{source}">'
        colored = temperature_demo(colorizer, photo, name=f"{name}-temperature")
        result.children = [ipywidgets.HBox([ipywidgets.HTML(before), colored])]

    button.observe(show, names="value")
    return ipywidgets.VBox([button, result])


def jpeg(image: Tensor, quality: int = 92) -> bytes:
    """Encode a picture (3, H, W) in [0, 1] as JPEG bytes, without subsampling its color: color is the subject here."""
    buffer = io.BytesIO()
    Image.fromarray(to_uint8(image)).save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()
