"""Show verdicts: a badge under an exercise, a score card at the end. HTML for notebooks, plain text everywhere else."""

import base64
import html
import io
import re
from dataclasses import dataclass

import numpy as np
from IPython.display import display
from PIL import Image

from .judge import Verdict

MIME = "application/vnd.colorize.check+json"  # for programs that read a notebook's verdicts
SIGN = {"open": "\N{WHITE CIRCLE}", "not yet": "\N{BALLOT X}", "right": "\N{CHECK MARK}"}
# JupyterLab's own colors, which change with its theme, else colors readable on white. The state never rests on color
# alone: a sign and a word say it, too.
COLOR = {
    "open": "var(--jp-ui-font-color2, #6e7781)",
    "not yet": "var(--jp-error-color1, #cf222e)",
    "right": "var(--jp-success-color1, #1a7f37)",
}
LATER = "Until then the cells below use the course's own function."


@dataclass(frozen=True)
class Badge:
    """The verdict on one exercise, as a person sees it."""

    verdict: Verdict

    def __repr__(self) -> str:
        """Plain text, for screens without HTML."""
        v = self.verdict
        text = f"{SIGN[v.state]} Exercise {v.number} ({v.title}): {v.state}."
        return f"{text} {_words(v)}".rstrip()

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        v = self.verdict
        body = _code(_words(v))
        if v.pictures is not None:
            body += _figure(v.pictures)
        head = f"{SIGN[v.state]} Exercise {v.number} · {html.escape(v.title)}: {v.state}"
        return {
            "text/plain": repr(self),
            "text/html": _box(v.state, f'<strong style="color: {COLOR[v.state]}">{head}</strong><br>{body}'),
            MIME: {"exercise": v.number, "state": v.state, "message": v.message},
        }


@dataclass(frozen=True)
class Scorecard:
    """All exercises of a lesson with their states."""

    verdicts: list[Verdict]

    def __repr__(self) -> str:
        """Plain text, for screens without HTML."""
        if not self.verdicts:
            return "No exercise has been run yet."
        lines = [f"{SIGN[v.state]} {v.number:>5}  {v.title}: {v.state}" for v in self.verdicts]
        return "\n".join([self._count(), *lines])

    def _count(self) -> str:
        right = sum(v.state == "right" for v in self.verdicts)
        return f"{right} of {len(self.verdicts)} exercises right"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        wide = 'style="text-align: left; padding: 2px 12px 2px 0"'
        cell = 'style="text-align: left; padding: 2px 12px 2px 0; white-space: nowrap"'
        rows = "".join(
            f"<tr><td {cell}>{v.number}</td><td {cell}>{html.escape(v.title)}</td>"
            f'<td {cell}><span style="color: {COLOR[v.state]}">{SIGN[v.state]}</span> {v.state}</td>'
            f"<td {wide}>{_code(v.message)}</td></tr>"
            for v in self.verdicts
        )
        done = bool(self.verdicts) and all(v.state == "right" for v in self.verdicts)
        body = (
            f"<strong>{self._count()}</strong><table>{rows}</table>"
            if self.verdicts
            else html.escape(repr(self))
        )
        states = {v.number: v.state for v in self.verdicts}
        return {
            "text/plain": repr(self),
            "text/html": _box("right" if done else "open", body),
            MIME: {"scorecard": states},
        }


def show(item: Badge | Scorecard) -> None:
    """Display in a notebook; print in a terminal."""
    display(item)


def _words(v: Verdict) -> str:
    if v.state == "right":
        return "The cells below use your function."
    if v.state == "open":
        return f"{v.message} Write your answer and run the cell. {LATER}".lstrip()
    return f"{v.message} {LATER}"


def _code(text: str) -> str:
    """Escape for HTML; `words in backticks` become code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(text))


def _box(state: str, body: str) -> str:
    style = (
        f"border-left: 4px solid {COLOR[state]}; padding: 4px 12px; margin: 4px 0; overflow-wrap: anywhere"
    )
    return f'<div role="status" class="colorize-badge" style="{style}">{body}</div>'


def _figure(pictures: tuple[np.ndarray, np.ndarray]) -> str:
    parts = []
    for name, picture in zip(("yours", "expected"), pictures, strict=True):
        parts.append(
            '<figure style="display: inline-block; margin: 8px 16px 0 0">'
            f'<img alt="{name}" src="data:image/png;base64,{_png(picture)}">'
            f"<figcaption>{name}</figcaption></figure>"
        )
    return "<div>" + "".join(parts) + "</div>"


def _png(picture: np.ndarray, height: int = 120) -> str:
    zoom = max(1, height // picture.shape[0])
    picture = np.kron(picture, np.ones((zoom, zoom, 1), dtype=np.uint8))  # whole pixels: no smoothing
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()
