"""Figures and widgets: what leaves them for the notebook."""

import base64
import datetime
import io
import re

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.path import Path as Outline
from PIL import Image

from colorize import bins, figures, images, widgets
from colorize.colorizer import Colorizer
from colorize.lab import rgb_to_lab
from colorize.metrics import mean_chroma
from colorize.networks import SmallNet


@pytest.fixture
def shown(monkeypatch):
    """Collect what would be displayed."""
    found = []
    monkeypatch.setattr(
        figures, "display", lambda data, metadata=None, raw=False: found.append((data, metadata))
    )
    return found


def test_a_plot_is_a_png_with_alt_text_and_caption(shown):
    fig, axes = figures.panels(1, 2)
    axes[0].plot([1, 2])
    figures.show(fig, alt="a rising line", caption="It *rises*.")
    (data, metadata), (caption, _) = shown
    assert set(data) == {"image/png", "text/plain"}
    assert data["text/plain"] == "a rising line"
    assert metadata == {"image/png": {"alt": "a rising line"}}
    assert caption == {"text/markdown": "It *rises*.", "text/plain": "It *rises*."}
    assert not plt.fignum_exists(fig.number)
    picture = Image.open(io.BytesIO(data["image/png"]))
    assert "Software" not in picture.info  # the version of Matplotlib would change the notebook
    assert 400 < picture.width < 700


def test_a_plot_is_small_and_looks_the_same(shown, monkeypatch):
    def encoded(limit):
        monkeypatch.setattr(figures, "UNSEEN", limit)
        fig, (ax,) = figures.panels(1, 1, (4.0, 3.0))
        for k in range(8):
            ax.plot([0, 1, 2], [k, 9 - k, k / 2], color=f"C{k % 2}")
        figures.show(fig, alt="eight lines", caption="Lines.")
        return shown[-2][0]["image/png"]

    unseen = figures.UNSEEN
    full, small = encoded(-1), encoded(unseen)
    a, b = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), int) for png in (full, small))
    assert len(np.unique(a.reshape(-1, 3), axis=0)) > 256  # or a palette would change nothing
    assert len(small) < 0.6 * len(full)
    assert 0 < np.abs(a - b).max() <= unseen < 10


def test_a_picture_of_many_colors_keeps_them(shown):
    noise = torch.rand(3, 20, 20, generator=torch.Generator().manual_seed(0))
    fig = figures.pictures([noise], ["noise"], columns=1, inches=2.0)
    array = fig.axes[0].images[0].get_array()
    figures.show(fig, alt="colored noise", caption="Noise.")
    picture = np.asarray(Image.open(io.BytesIO(shown[0][0]["image/png"])).convert("RGB"))
    drawn = {tuple(color) for color in array.reshape(-1, 3).tolist()}
    assert drawn <= {tuple(color) for color in picture.reshape(-1, 3).tolist()}


def test_the_name_of_a_row_stands_left_of_it_and_upright():
    fig, axes = figures.panels(1, 2)
    figures.name_row(axes[0], "mean")
    (text,) = axes[0].texts
    assert (text.get_text(), text.get_rotation()) == ("mean", 90)
    assert text.get_window_extent().x1 < axes[0].get_window_extent().x0
    plt.close(fig)


@pytest.mark.parametrize(("png", "kind"), [(149, "png"), (151, "jpeg")])
def test_a_jpeg_has_to_be_smaller_by_a_third(shown, monkeypatch, png, kind):
    monkeypatch.setattr(figures, "_png", lambda pixels: bytes(png))
    monkeypatch.setattr(figures, "_jpeg", lambda pixels: bytes(100))
    monkeypatch.setattr(figures, "_render", lambda fig: _loose(fig, 899))
    figures.show(figures.panels()[0], alt="empty", caption="Empty.")
    assert set(shown[0][0]) == {f"image/{kind}", "text/plain"}


def _loose(fig, size):
    """A loosely packed PNG of so many bytes: what follows its end is no part of the picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, "PNG")
    buffer.write(bytes(size - buffer.tell()))
    return buffer


@pytest.mark.parametrize(("size", "tried"), [(900, True), (901, False)])
def test_no_png_is_tried_where_it_cannot_be_small_enough(shown, monkeypatch, size, tried):
    pngs = []
    monkeypatch.setattr(figures, "_png", lambda pixels: pngs.append(1) or bytes(1000))
    monkeypatch.setattr(figures, "_jpeg", lambda pixels: bytes(100))
    assert figures._encode(_loose(None, size)) == ("jpeg", bytes(100))
    assert bool(pngs) == tried


def test_a_figure_is_drawn_for_both_formats_at_once(shown, monkeypatch):
    drawn = []
    save = figures.Figure.savefig
    monkeypatch.setattr(figures.Figure, "savefig", lambda *a, **k: drawn.append(k["format"]) or save(*a, **k))
    figures.show(figures.panels()[0], alt="empty", caption="Empty.")
    assert drawn == ["png"]


def test_photos_are_a_jpeg_in_full_color(shown):
    photo = images.square(images.bundled("chelsea"), 200)
    figures.show(
        figures.pictures([photo], ["a cat"], columns=1, inches=2.0), alt="a cat's face", caption="A cat."
    )
    (data, metadata), _ = shown
    assert set(data) == {"image/jpeg", "text/plain"}
    assert metadata == {"image/jpeg": {"alt": "a cat's face"}}
    picture = Image.open(io.BytesIO(data["image/jpeg"]))
    assert [layer[1:3] for layer in picture.layer] == [(1, 1)] * 3  # no chroma subsampling


@pytest.mark.parametrize(("alt", "caption"), [("", "x"), ("x", " ")])
def test_a_figure_without_words_is_refused(alt, caption):
    fig, _ = figures.panels()
    with pytest.raises(ValueError, match="alt text and a caption"):
        figures.show(fig, alt, caption)
    plt.close(fig)


def test_pictures_shows_each_picture_under_its_title():
    batch = torch.rand(3, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    fig = figures.pictures(batch, ["one", "two", "three"], columns=2)
    assert [ax.get_title() for ax in fig.axes] == ["one", "two", "three", ""]
    for ax, image in zip(fig.axes, batch, strict=False):
        assert np.array_equal(ax.images[0].get_array(), (image * 255).round().byte().movedim(0, -1).numpy())
    plt.close(fig)


def test_gray_pictures_are_drawn_gray():
    fig, (ax,) = figures.panels()
    figures.picture(ax, torch.tensor([[[0.0, 0.5, 2.0]]]))
    assert ax.images[0].get_array()[0].tolist() == [[0, 0, 0], [128, 128, 128], [255, 255, 255]]
    plt.close(fig)


def test_the_ab_plane_is_labeled_and_its_outline_holds_the_colors_of_photos():
    fig, (ax,) = figures.panels()
    figures.ab_plane(ax, "plane")
    assert (ax.get_title(), ax.get_xlabel()[0], ax.get_ylabel()[0]) == ("plane", "a", "b")
    outline = Outline(ax.lines[0].get_xydata())
    colors = bins.srgb_hull().mean(0, keepdim=True) + 0.98 * (bins.srgb_hull() - bins.srgb_hull().mean(0))
    assert outline.contains_points(colors.numpy()).all()
    assert not outline.contains_points([[-100.0, -100.0]])[0]
    background = ax.images[0].get_array()
    center = background[background.shape[0] // 2, background.shape[1] // 2]
    assert np.ptp(center[:3]) < 0.02  # gray at (0, 0)
    assert center[3] == 1
    assert background[0, 0, 3] == 0  # no color at (-115, -115)
    right = background[background.shape[0] // 2, int(background.shape[1] * 0.7)]
    assert right[0] > right[1]  # red to the right
    plt.close(fig)


# Widgets


def parts(demo):
    slider, picture = demo.children
    source = re.search(r'src="data:image/jpeg;base64,([^"]+)"', picture.value)[1]
    return slider, picture, Image.open(io.BytesIO(base64.b64decode(source)))


def test_moving_the_slider_changes_picture_text_and_alt():
    def draw(value):
        return torch.full((3, 8, 8), value / 10), f"value <{value}>"

    slider = ipywidgets.IntSlider(2, min=0, max=10)
    demo = widgets.slider_demo(draw, slider, name="gray", alt='an "even" gray')
    slider, picture, image = parts(demo)
    assert "colorize-gray" in slider._dom_classes
    assert abs(np.asarray(image, int).mean() - 51) <= 1
    slider.value = 8
    slider, picture, image = parts(demo)
    assert abs(np.asarray(image, int).mean() - 204) <= 1
    assert 'alt="an &quot;even&quot; gray; value &lt;8&gt;"' in picture.value
    assert '<div class="colorize-gray-text" role="status">value &lt;8&gt;</div>' in picture.value
    assert 'class="colorize-gray-picture"' in picture.value


def test_jpeg_keeps_sharp_colors():
    stripes = torch.zeros(3, 16, 16)
    stripes[0, :, ::2], stripes[1, :, 1::2] = 1.0, 0.6  # red and green columns of one pixel
    back = np.asarray(Image.open(io.BytesIO(widgets.jpeg(stripes))), float) / 255
    assert np.abs(back - stripes.movedim(0, -1).numpy()).mean() < 0.05


def test_jpeg_clips_and_rounds():
    def flat(v):
        return np.asarray(Image.open(io.BytesIO(widgets.jpeg(torch.full((3, 8, 8), v)))))

    assert flat(1.5).min() == 255 and flat(-1.0).max() == 0 and flat(128.6 / 255).min() == 129


def test_slider_draws_once_a_move_and_keeps_the_width():
    calls = []
    slider = ipywidgets.FloatSlider()
    demo = widgets.slider_demo(
        lambda v: (calls.append(v), (torch.zeros(3, 4, 4), ""))[1], slider, "x", "y", width=77
    )
    slider.value = 5
    slider.description = "new"
    assert calls == [0, 5] and 'width="77"' in demo.children[1].value


def test_empty_places_and_upright_plane():
    fig = figures.pictures(torch.rand(3, 3, 4, 5), ["a", "b", "c"], columns=2)
    assert not fig.axes[3].axison
    fig2, (ax,) = figures.panels()
    figures.ab_plane(ax)
    assert ax.images[0].origin == "lower" and ax.get_aspect() == 1
    back = ax.images[0].get_array()
    n = len(back)
    assert back[int(n * 0.8), n // 2, 2] < back[int(n * 0.25), n // 2, 2]  # yellow at the top, blue below
    plt.close(fig)
    plt.close(fig2)


def test_every_picture_needs_a_title_and_8_bit_pictures_are_shown_as_they_are():
    with pytest.raises(ValueError, match="got 2 pictures and 1 titles"):
        figures.pictures(torch.zeros(2, 3, 4, 4), ["one"])
    with pytest.raises(ValueError, match="got 0 pictures"):
        figures.pictures([], [])
    fig, (ax,) = figures.panels()
    figures.picture(ax, torch.tensor([[[0, 7, 255]]], dtype=torch.uint8))
    assert ax.images[0].get_array()[0, :, 0].tolist() == [0, 7, 255]
    plt.close(fig)


# Demos with a network


@pytest.fixture(scope="module")
def colorizer():
    torch.manual_seed(0)
    network = SmallNet(width=4)
    network.head.weight.data *= 60  # far from even, so that the temperature matters
    return Colorizer(network, size=64)


def test_temperature_slider_reads_the_answer_again_and_runs_the_network_once(colorizer, monkeypatch):
    runs = []
    answer = colorizer.answer
    monkeypatch.setattr(colorizer, "answer", lambda image: (runs.append(1), answer(image))[1])
    photo = images.square(images.bundled("coffee"), 96)
    demo = widgets.temperature_demo(colorizer, photo)
    slider, picture, image = parts(demo)
    assert slider.value == 0.38
    chroma = []
    for T in (1.0, 0.5, 0.0):
        slider.value = T
        _, picture, image = parts(demo)
        assert image.size == (96, 96)
        shown = torch.from_numpy(np.array(image)).movedim(-1, 0)[None] / 255
        expected = colorizer.paint(*answer(photo), T)
        assert (shown - expected).abs().mean() < 0.03  # JPEG
        text = re.search(rf"T = {T:.2f}, mean chroma (\d+\.\d)<", picture.value)
        chroma.append(float(text[1]))
        assert chroma[-1] == pytest.approx(mean_chroma(rgb_to_lab(expected)[:, 1:]).item(), abs=0.06)
    assert chroma[0] < chroma[1] < chroma[2]  # colder is more vivid
    assert len(runs) == 1


def upload(demo, name, content):
    """Put a file into the upload button, as the browser does."""
    file = {"name": name, "type": "", "size": len(content), "content": memoryview(content)}
    demo.children[0].value = ({**file, "last_modified": datetime.datetime.now(datetime.UTC)},)
    return demo.children[1].children[0]


def test_an_uploaded_photo_is_shown_gray_and_in_color(colorizer, tmp_path):
    demo = widgets.upload_demo(colorizer, largest=80)
    assert "No photo" in demo.children[1].children[0].value
    images.save(images.bundled("rocket", 70), tmp_path / "mine.jpg")  # its longer side counts, 104
    row = upload(demo, "mine.jpg", (tmp_path / "mine.jpg").read_bytes())
    before, colored = row.children
    gray = re.search(r'src="data:image/jpeg;base64,([^"]+)"', before.value)[1]
    gray = np.asarray(Image.open(io.BytesIO(base64.b64decode(gray))), int)
    assert max(gray.shape[:2]) == 80
    assert np.ptp(gray, axis=2).max() <= 6
    _, _, image = parts(colored)
    assert image.size == gray.shape[1::-1]
    assert np.ptp(np.asarray(image, int), axis=2).mean() > 3


def test_a_bad_upload_gets_one_sentence_and_the_next_one_works(colorizer, tmp_path):
    demo = widgets.upload_demo(colorizer)
    message = upload(demo, "<b>.jpg", b"this is no picture").value
    assert "&lt;b&gt;.jpg" in message
    assert message.count("<") == 2  # one sentence in one element
    images.save(images.bundled("coffee", 64), tmp_path / "mine.png")
    assert len(upload(demo, "mine.png", (tmp_path / "mine.png").read_bytes()).children) == 2


def test_a_training_curve_is_the_running_mean_over_the_band():
    losses = [float(k % 7) for k in range(120)]
    band = (torch.tensor([50, 100]), torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    fig = figures.training_curve(losses, band, floor=0.5, unit="nats")
    (ax,) = fig.axes
    curve, floor = ax.lines
    x, y = curve.get_data()
    assert (x[0], x[-1]) == (50, 120)
    assert y[0] == pytest.approx(np.mean(losses[:50]))
    assert y[-1] == pytest.approx(np.mean(losses[70:]))
    assert set(floor.get_ydata()) == {0.5}
    corners = ax.collections[0].get_paths()[0].vertices
    assert (corners.min(), corners.max()) == (1, 100)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "this run",
        "our three seeds",
        "floor 0.5",
    ]
    assert ax.get_ylabel() == "nats"
    assert (
        len(figures.training_curve([1.0] * 10).axes[0].lines) == 0
    )  # shorter than the window: nothing to draw
    plt.close("all")


def test_a_choice_that_is_taken_back_changes_nothing(colorizer):
    demo = widgets.upload_demo(colorizer)
    shown = upload(demo, "a.jpg", b"no picture")
    demo.children[0].value = ()
    assert demo.children[1].children == (shown,)
