"""Colorize-your-photo: the app that visitors of a class or of an exhibition stand see (:mod:`colorize.demo_server` serves it).

Pictures are HTML that holds JPEG bytes, and there is no Output widget: apps made of notebooks hang on those. Of an
uploaded file, nothing is written to disk. Its bytes are dropped once it is read; a small picture stays in memory until
the visitor uploads another one or leaves.
"""

import base64
import html

import ipywidgets
from torch import Tensor

from .colorizer import Colorizer, shipped
from .images import BUNDLED, ImageError, bundled, read, resize
from .lab import rgb_to_lab, to_gray
from .metrics import mean_chroma
from .widgets import jpeg

BYTES = 15_000_000  # of an uploaded file
PIXELS = 25_000_000  # what a phone takes; as floats these are 300 MB, for a moment
LARGEST = 512  # pixels of the longer side that is shown, colored and kept
LONGEST = 6  # times the shorter side: the network looks at 128 pixels of that one, and at as many times more along the other
NETWORKS = {
    "best": "vivid: rare colors count more",
    "classification": "cautious: each pixel counts alike",
    "l2": "the mean of all likely colors, no temperature",
}
OWN = "own"  # what the list holds for the visitor's photo: None would select nothing, and show nothing
TITLES = {name: {"chelsea": "cat"}.get(name, name.removeprefix("stereo_")) for name in BUNDLED}
# Three pictures beside each other; on a phone the guess above the two others, right below the slider that changes it.
STYLE = """<style>
.colorize-photo {
  --jp-widgets-inline-height: 36px; --jp-widgets-font-size: 15px; --jp-widgets-slider-handle-size: 22px;
  max-width: 1600px; margin: 0 auto; font-size: 16px;
}
.colorize-photo .widget-html .widget-html-content {font-size: 16px; line-height: 1.5}
.colorize-photo h1 {margin: 0 0 .3em; font-size: 30px; line-height: 1.2}
.colorize-photo p {max-width: 46em; margin: 0 0 .6em}
.colorize-photo .widget-label {width: auto}
.colorize-photo .widget-dropdown {width: auto; max-width: calc(100% - 4px)}
.colorize-photo .widget-dropdown > select {min-width: 0}
.colorize-photo .widget-slider .noUi-handle {background: #268380; border-color: #268380}
.colorize-photo .widget-upload {width: auto; padding: 0 16px; border-radius: 4px; background: #1f6f6c; color: #fff}
.colorize-photo-controls {gap: 4px 16px}
.colorize-photo .colorize-photo-pictures {
  display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 16px; margin: 8px 0;
}
.colorize-photo-pictures figure {margin: 0}
.colorize-photo-pictures img {
  display: block; width: auto; height: auto; max-width: 100%; max-height: 75vh; border-radius: 4px;
}
.colorize-photo-pictures figcaption {margin-top: 4px; font-size: 15px}
.colorize-photo-says {min-height: 1.5em}
.colorize-photo-says:not(:empty) {padding: 4px 12px; border-left: 4px solid #268380}
@media (max-width: 720px) {
  .colorize-photo .colorize-photo-pictures {grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 12px}
  .colorize-photo-pictures > :nth-child(2) {order: -1; grid-column: 1 / -1}
}
</style>"""
INTRODUCTION = (
    "<h1>Color a gray photo</h1><p>A small network sees the gray picture only, and guesses the colors. Choose a photo, or "
    "upload one of yours: it goes to the computer that runs this page, stays in its memory until you upload another one or "
    "leave, and is written nowhere.</p>"
)
WORDS = (
    "<p><b>Temperature</b>: at 0 each pixel gets the likeliest of 313 colors, at 1 the mean of all, each counting as much as it is "
    "likely. <b>Mean chroma</b>: how far the colors are from gray, which has 0.</p><p>The colors are guesses: nothing "
    "in a gray picture says whether a car was red or blue.</p>"
)


class PhotoDemo:
    """One visitor's app: what is on show, and the answer of the network to it.

    Parameters
    ----------
    networks : {name: Colorizer}, those that are loaded already; others are loaded when they are chosen. The tests bring
        their own.
    name : CSS classes ``colorize-NAME``, and in it ``colorize-NAME-`` ``choice``, ``upload``, ``network``,
        ``temperature``, ``says``, and ``gray``, ``colored``, ``original`` (the ``<img>``).

    Attributes
    ----------
    widget : what to display. All that changes for a move of the slider is one picture: the network's answer is kept.
    """

    def __init__(self, networks: dict[str, Colorizer] | None = None, name: str = "photo") -> None:
        self.networks, self.name = dict(networks or {}), name
        here = list(self.networks) or [network for network in NETWORKS if network in shipped()]
        if not here:
            raise ValueError(f"networks: expected one of {', '.join(NETWORKS)} in data/weights, found none")
        self.choice = self._named(
            ipywidgets.Dropdown(
                options=[(TITLES[photo], photo) for photo in BUNDLED] + [("your photo", OWN)],
                description="Photo",
            ),
            "choice",
        )
        self.upload = self._named(
            ipywidgets.FileUpload(accept="image/*", multiple=False, description="Upload yours"), "upload"
        )
        self.network = self._named(
            ipywidgets.Dropdown(
                options=[(NETWORKS.get(network, network), network) for network in here], description="Network"
            ),
            "network",
        )
        self.temperature = self._named(
            ipywidgets.FloatSlider(
                self._colorizer().temperature, min=0.0, max=1.0, step=0.01, description="Temperature"
            ),
            "temperature",
        )
        self.temperature.layout.width = "380px"
        self.temperature.tooltip = "0: the likeliest color of each pixel; 1: the mean of all likely ones"
        self.pictures = {part: ipywidgets.HTML() for part in ("gray", "colored", "original")}
        self.says = ipywidgets.HTML()
        self.photo: Tensor  # (3, H, W), at most LARGEST a side
        self.own: Tensor | None = None  # the uploaded one, to come back to

        self._choose_bundled(BUNDLED[1])
        self.choice.value = BUNDLED[1]
        for control, react in (
            (self.choice, self._chosen),
            (self.upload, self._uploaded),
            (self.network, lambda _change: self._ask()),
            (self.temperature, lambda _change: self._paint()),
        ):
            control.observe(react, names="value")
        row = ipywidgets.HBox(list(self.pictures.values()), layout=ipywidgets.Layout(overflow="visible"))
        row.add_class(f"colorize-{name}-pictures")
        controls = ipywidgets.HBox(
            [self.choice, self.upload, self.network, self.temperature],
            layout=ipywidgets.Layout(flex_flow="row wrap"),
        )
        controls.add_class(f"colorize-{name}-controls")
        self.widget = ipywidgets.VBox(
            [ipywidgets.HTML(STYLE + INTRODUCTION), controls, self.says, row, ipywidgets.HTML(WORDS)]
        )
        self.widget.add_class(f"colorize-{name}")

    def open(self, content: bytes, name: str, size: int | None = None) -> None:
        """Show an uploaded file, or say in one sentence why not; what was on show then stays.

        Parameters
        ----------
        content : the bytes of the file.
        name : what to call it in the sentence.
        size : what the browser says its size is. A page that refuses a large file sends its size without its content.
        """
        name, size = " ".join(name.split()), max(len(content), size or 0)
        try:
            if size > BYTES:
                raise ImageError(f"{name}: expected at most {BYTES / 1e6:g} MB, received {size / 1e6:.1f} MB")
            photo = read(content, PIXELS, name=name, at_least=LARGEST)
            height, width = photo.shape[1:]
            if max(height, width) > LONGEST * min(height, width):
                expected = f"one side at most {LONGEST} times as long as the other"
                raise ImageError(f"{name}: expected {expected}, received {width} x {height} pixels")
        except ImageError as error:
            self._say(f"This file cannot be shown. {error}")
            return
        except MemoryError:
            self._say(f"{name}: there is no memory left for this picture, try a smaller one")
            return
        self.own = _small(photo)
        self._show(self.own)
        self.choice.value = OWN  # the list then says what is on show, and draws nothing again
        self._say("Your photo is on show. Its colors, if it has any, are not looked at.")

    def _uploaded(self, _change: object) -> None:
        if not self.upload.value:
            return
        file = self.upload.value[0]
        content = bytes(file["content"])
        # The widget would hold the bytes until the next upload. Empty, it also takes the same file again.
        self.upload.value = ()
        self.open(content, file["name"], file["size"])

    def _chosen(self, _change: object) -> None:
        photo = self.choice.value
        if photo != OWN:
            self._choose_bundled(photo)
            self._say("")
        elif self.own is None:
            self._say("There is no photo of yours yet: press the button beside the list.")
        elif self.photo is not self.own:
            self._show(self.own)
            self._say("")

    def _choose_bundled(self, photo: str) -> None:
        self._show(_small(bundled(photo)))

    def _show(self, photo: Tensor) -> None:
        """Put a photo on show: its gray copy, the network's guess, the original."""
        self.photo = photo
        self._draw("gray", to_gray(photo), "What the network sees", "The photo in gray")
        chroma = mean_chroma(rgb_to_lab(photo)[None, 1:]).item()
        self._draw("original", photo, f"The original, mean chroma {chroma:.1f}", "The photo as it was")
        self._ask()

    def _ask(self) -> None:
        """Run the network: once for a photo, and again when another network is chosen."""
        self.lightness, self.answer = self._colorizer().answer(self.photo)
        self.temperature.disabled = self.answer.shape[1] == 2  # regression has no temperature
        self._paint()

    def _paint(self) -> None:
        """Read the answer that is there at the slider's temperature."""
        T = self.temperature.value
        colored = self._colorizer().paint(self.lightness, self.answer, T)
        chroma = mean_chroma(rgb_to_lab(colored)[:, 1:]).item()
        at = "" if self.temperature.disabled else f" at temperature {T:.2f}"
        text = f"The guess{at}, mean chroma {chroma:.1f}"
        self._draw("colored", colored[0], text, "The photo in guessed colors")

    def _colorizer(self) -> Colorizer:
        """Return the chosen network, loaded when it is chosen for the first time."""
        name = self.network.value
        if name not in self.networks:
            self.networks[name] = Colorizer.load(name)
        return self.networks[name]

    def _draw(self, part: str, picture: Tensor, text: str, alt: str) -> None:
        source = "data:image/jpeg;base64," + base64.b64encode(jpeg(picture)).decode()
        height, width = picture.shape[1:]
        self.pictures[part].value = (
            f'<figure><img class="colorize-{self.name}-{part}" width="{width}" height="{height}" '
            f'alt="{alt}" src="{source}"><figcaption>{text}</figcaption></figure>'
        )

    def _say(self, text: str) -> None:
        self.says.value = f'<div class="colorize-{self.name}-says" role="status">{html.escape(text)}</div>'

    def _named(self, widget: ipywidgets.DOMWidget, part: str) -> ipywidgets.DOMWidget:
        widget.add_class(f"colorize-{self.name}-{part}")
        return widget


def photo_demo(name: str = "photo") -> ipywidgets.VBox:
    """Make the app for one visitor: the last line of a cell. See :class:`PhotoDemo` for the CSS classes."""
    return PhotoDemo(name=name).widget


def _small(photo: Tensor) -> Tensor:
    """Reduce a photo (3, H, W) to what is shown: at most LARGEST pixels a side."""
    height, width = photo.shape[1:]
    if max(height, width) <= LARGEST:
        return photo
    scale = LARGEST / max(height, width)
    return resize(photo, (max(1, round(height * scale)), max(1, round(width * scale))))
