"""Figures for those who see them differently, or hear them: words, contrast, and nothing that color alone tells."""

import ast
import collections
import re

import matplotlib.colors
import matplotlib.pyplot as plt
import pytest
from lessons import SOURCES, code_cells, outputs, stored

from colorize import build, figures
from colorize.check import badge

COLORS = "red|green|blue|orange|yellow|purple|violet|pink|magenta|cyan|teal|brown"
MARKS = "line|curve|dot|bar|cross|circle|band|point|mark|marker|arrow|ring"
# "the red line", "blue dots", but not "the dashed red line" and not "red apples".
BY_COLOR = re.compile(
    rf"(?:^|(?:the|an?|in|of|two|three|and|are|is)\s)(?:{COLORS})\s(?:{MARKS})(?:e?s)?\b", re.IGNORECASE
)
DRAWS = {"plot", "semilogx", "semilogy", "loglog", "stairs", "axhline", "axvline", "step", "errorbar"}
lessons = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def contrast(one, other="white"):
    """Contrast of two colors by the Web Content Accessibility Guidelines 2.2: 1 to 21."""

    def luminance(color):
        linear = [
            x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4
            for x in matplotlib.colors.to_rgb(color)
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def shown(source):
    """(alt text, caption, bytes) of each figure in a solved notebook."""
    found = []
    for cell in code_cells(stored(source)):
        for k, output in enumerate(cell.outputs):
            for kind in [kind for kind in output.get("data", {}) if kind.startswith("image/")]:
                caption = cell.outputs[k + 1].data["text/markdown"]
                found.append((output.metadata[kind]["alt"], caption, output.data[kind]))
    return found


@lessons
def test_alt_texts_are_sentences_of_their_own(source):
    texts = [alt for alt, _, _ in shown(source)]
    assert texts
    for alt in texts:
        assert len(alt.split()) >= 5, alt
        assert re.match(r"[A-Z0-9]", alt) and re.search(r"[.!?]$", alt), alt
        assert alt.count("\n") == 0
        assert not re.match(
            r"(?:an? )?(?:figure|image|picture|photo) (?:of|showing)\b", alt, re.IGNORECASE
        ), alt
        assert not re.search(r"<\w+>|\*\*|\$|`", alt), f"not text alone: {alt}"


@lessons
def test_no_alt_text_is_used_for_another_figure(source):
    pictures = collections.defaultdict(set)
    for alt, _, data in shown(source):
        pictures[alt].add(data)
    assert [alt for alt, data in pictures.items() if len(data) > 1] == []


@lessons
def test_nothing_is_named_by_its_color_alone(source):
    texts = [text for alt, caption, _ in shown(source) for text in (alt, caption)]
    texts += [cell.source for cell in stored(source).cells if cell.cell_type == "markdown"]
    assert [found[0] for text in texts for found in BY_COLOR.finditer(text)] == []


def test_what_names_by_color_is_found():
    for text in ("See the red line.", "Blue dots are bins.", "the photo (left) and a green curve"):
        assert BY_COLOR.search(text)
    for text in (
        "the dashed red line",
        "red apples",
        "a blue sky",
        "the black line",
        "the line of red apples",
    ):
        assert not BY_COLOR.search(text)


@lessons
def test_pictures_in_html_have_words_too(source):
    texts = ["".join(output.get("data", {}).get("text/html", "")) for output in outputs(stored(source))]
    for image in re.findall(r"<img\b[^>]*>", "".join(texts)):
        assert re.search(r'\balt="[^"]+"', image), image[:200]


def keywords(call):
    return {word.arg: word.value for word in call.keywords}


def looks(call):
    """How a line is drawn, apart from its color; None if that depends on the data."""
    style = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    if any(isinstance(arg, ast.Name) and arg.id in ("style", "marker") for arg in call.args):
        return None
    words = keywords(call)
    chosen = [
        words.get(name) for name in ("linestyle", "marker", "linewidth", "mfc", "fillstyle", "markersize")
    ]
    if any(value is not None and not isinstance(value, ast.Constant) for value in chosen):
        return None
    # The function too: a horizontal line is no curve.
    return (call.func.attr, *style, *[value.value if value else None for value in chosen])


@lessons
def test_lines_differ_in_more_than_their_color(source):
    """In a cell, no two lines with labels of their own, or with colors of their own, look the same in gray."""
    for cell in code_cells(build.read(source)):
        labeled = collections.defaultdict(list)
        for call in ast.walk(ast.parse(cell.source)):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") in DRAWS and looks(call):
                words = keywords(call)
                if "label" in words or "color" in words:
                    where = ast.unparse(call.func.value)
                    labeled[where, looks(call)].append(ast.unparse(words.get("color", ast.Constant(None))))
        for (where, look), colors in labeled.items():
            assert len(set(colors)) <= 1, f"{where}: {look} in the colors {colors}"


@lessons
def test_words_in_figures_can_be_read(source):
    """Text in a color of its own, on white or on a color that is named beside it."""
    for cell in code_cells(build.read(source)):
        for call in ast.walk(ast.parse(cell.source)):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") in (
                "text",
                "annotate",
                "set_title",
                "suptitle",
            ):
                color = keywords(call).get("color")
                if isinstance(color, ast.Constant) and color.value not in ("white", "w"):
                    assert contrast(color.value) >= 4.5, f"{color.value}: {ast.unparse(call)[:100]}"


def test_the_style_can_be_read():
    with plt.rc_context(figures.STYLE):
        ground = (
            plt.rcParams["axes.facecolor"],
            plt.rcParams["figure.facecolor"],
            plt.rcParams["savefig.facecolor"],
        )
        ink = ("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor")
        for name in ink:
            for under in ground:
                assert contrast(plt.rcParams[name], under) >= 4.5
        assert plt.rcParams["axes.titlecolor"] == "auto"  # the text's
        assert plt.rcParams["font.size"] >= 10 and plt.rcParams["axes.titlesize"] >= 10


def test_badges_can_be_read_in_both_themes():
    """The colors used without JupyterLab's own: on white, and where a viewer is dark, on its usual black."""
    for color in badge.COLOR.values():
        plain = re.search(r"#\w{6}", color)[0]
        assert contrast(plain) >= 4.5
        assert contrast(plain, "#111111") >= 3  # of large and bold text
    assert len(set(badge.SIGN.values())) == len(badge.SIGN) == len(badge.COLOR)


def test_contrast_is_that_of_the_guidelines():
    assert contrast("black") == pytest.approx(21)
    assert contrast("#777777") == pytest.approx(4.48, abs=0.01)
