"""Colorize-your-photo: the app of one visitor, and the server with ten of them in a real browser."""

import asyncio
import base64
import builtins
import contextlib
import gc
import importlib.util
import io
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import tracemalloc
import urllib.error
import urllib.request
import weakref
import zlib

import numpy as np
import psutil
import pytest
import torch
from browser import Page, _chromium, need_chromium, wait_until
from PIL import Image
from selenium.webdriver.common.keys import Keys
from torch import nn

from colorize import demo_server, images, photo_demo
from colorize.colorizer import Colorizer
from colorize.lab import rgb_to_lab, to_gray
from colorize.photo_demo import BYTES, LARGEST, PhotoDemo
from colorize.widgets import jpeg


class Counted(nn.Module):
    """Answers with noise that is always the same, at half the size, and counts how often it is asked."""

    def __init__(self, outputs):
        super().__init__()
        self.outputs, self.calls, self.anything = outputs, 0, nn.Parameter(torch.zeros(()))

    def forward(self, lightness):
        self.calls += 1
        *_, height, width = lightness.shape
        noise = torch.Generator().manual_seed(0)
        return 8 * torch.randn(1, self.outputs, (height + 1) // 2, (width + 1) // 2, generator=noise)


@pytest.fixture
def networks():
    return {
        "classes": Colorizer(Counted(313), 16, "classes"),
        "regression": Colorizer(Counted(2), 16, "regression"),
    }


@pytest.fixture
def demo(networks):
    return PhotoDemo(networks)


def calls(networks):
    return [colorizer.network.calls for colorizer in networks.values()]


def picture(widget):
    """The one picture in a piece of HTML, (3, H, W), with its alternative text and the words below it."""
    (found,) = re.finditer(
        r'<figure><img class="[\w-]+" width="(\d+)" height="(\d+)" alt="([^"]+)" src="data:image/jpeg;base64,([^"]+)">'
        r"<figcaption>([^<]+)</figcaption></figure>",
        widget.value,
    )
    width, height, alt, data, words = found.groups()
    decoded = images.to_tensor(base64.b64decode(data))
    assert decoded.shape == (3, int(height), int(width))
    return decoded, alt, words


def shown(demo):
    return {part: picture(widget)[0] for part, widget in demo.pictures.items()}


def says(demo):
    (text,) = re.fullmatch(
        r'<div class="colorize-photo-says" role="status">(.*)</div>', demo.says.value
    ).groups()
    return text


def upload(demo, content, name="holiday.png", size=None):
    """What the browser's message does: one file with all that is known of it."""
    size = len(content) if size is None else size
    file = {
        "name": name,
        "type": "image/png",
        "size": size,
        "last_modified": 0,
        "content": memoryview(content),
    }
    demo.upload.set_state({"value": [file]})


def png(photo):
    buffer = io.BytesIO()
    Image.fromarray(images.to_uint8(photo)).save(buffer, "PNG")
    return buffer.getvalue()


def colored_png(red, green, blue, height=40, width=60):
    photo = torch.tensor([red, green, blue]).view(3, 1, 1).expand(3, height, width).clone()
    photo[:, ::4] = photo[:, ::4].flip(0)  # something to see
    return png(photo)


def same(picture, photo):
    """What a JPEG of the photo shows."""
    return torch.equal(picture, images.to_tensor(jpeg(photo)))


def test_the_first_picture_is_there_at_once(demo, networks):
    cat = images.bundled("chelsea")
    parts = shown(demo)
    assert same(parts["original"], cat) and same(parts["gray"], to_gray(cat))
    assert parts["colored"].shape == cat.shape
    assert calls(networks) == [1, 0]
    assert (
        len({picture(widget)[1] for widget in demo.pictures.values()}) == 3
    )  # three different alternative texts


@pytest.mark.parametrize("name", images.BUNDLED)
def test_each_photo_of_the_course_can_be_chosen(demo, networks, name):
    demo.choice.value = name
    photo = shown(demo)["original"]
    assert max(photo.shape) <= LARGEST
    expected = images.bundled(name)
    assert photo.shape[1] / photo.shape[2] == pytest.approx(expected.shape[1] / expected.shape[2], rel=0.01)
    assert (photo.mean((1, 2)) - expected.mean((1, 2))).abs().max() < 0.01


def test_the_slider_reads_the_answer_again_and_asks_no_network(demo, networks):
    before, asked = shown(demo), calls(networks)
    chroma = []
    for T in (1.0, 0.38, 0.0):
        demo.temperature.value = T
        colored, _, words = picture(demo.pictures["colored"])
        (told,) = re.fullmatch(rf"The guess at temperature {T:.2f}, mean chroma ([\d.]+)", words).groups()
        measured = rgb_to_lab(colored)[1:].norm(dim=0).mean().item()
        assert float(told) == pytest.approx(measured, abs=1)  # JPEG moves it a little
        chroma.append(float(told))
    assert chroma[0] < chroma[1] < chroma[2]  # of noise: a mean is gray, the likeliest color is not
    after = shown(demo)
    assert torch.equal(before["gray"], after["gray"]) and torch.equal(before["original"], after["original"])
    assert calls(networks) == asked


def test_another_network_is_asked_once_and_regression_has_no_temperature(demo, networks):
    demo.network.value = "regression"
    assert calls(networks) == [1, 1]
    assert demo.temperature.disabled
    assert "temperature" not in picture(demo.pictures["colored"])[2]
    demo.network.value = "classes"
    assert calls(networks) == [2, 1]
    assert not demo.temperature.disabled


def test_the_slider_starts_where_the_network_was_measured(networks):
    networks["classes"].recipe["temperature"] = 0.7
    demo = PhotoDemo(networks)
    assert demo.temperature.value == 0.7
    assert "temperature 0.70" in picture(demo.pictures["colored"])[2]


def test_the_shipped_networks_are_offered():
    demo = PhotoDemo()
    assert [value for _, value in demo.network.options] == list(photo_demo.NETWORKS)
    assert list(demo.networks) == ["best"]  # the others when they are chosen
    demo.network.value = "l2"
    assert demo.temperature.disabled


def test_without_networks_it_says_so(monkeypatch):
    monkeypatch.setattr(photo_demo, "shipped", lambda: [])
    with pytest.raises(
        ValueError, match="networks: expected one of best, classification, l2 in data/weights, found none"
    ):
        PhotoDemo()


def test_an_uploaded_photo_is_shown_and_its_bytes_are_dropped(demo, networks):
    photo = images.to_tensor(images.to_uint8(images.square(images.bundled("coffee"), 64)))
    content = bytearray(
        png(photo) + bytes(8_000_000)
    )  # what follows the last chunk of a PNG is not looked at
    before = calls(networks)
    tracemalloc.start()
    upload(demo, content)
    gc.collect()  # what a message leaves behind
    held, at_most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert at_most > 8_000_000 > 10 * held
    content.clear()  # impossible while anybody holds a view of it
    parts = shown(demo)
    assert same(parts["original"], photo) and same(parts["gray"], to_gray(photo))
    assert demo.choice.label == "your photo"
    assert calls(networks) == [before[0] + 1, before[1]]
    assert says(demo) == "Your photo is on show. Its colors, if it has any, are not looked at."
    assert demo.upload.value == ()


def test_a_replaced_photo_is_forgotten(demo):
    upload(demo, colored_png(1.0, 0.2, 0.2))
    first = weakref.ref(demo.own)
    upload(demo, colored_png(0.2, 0.2, 1.0))
    assert first() is None


def test_one_can_come_back_to_ones_own_photo(demo, networks):
    upload(demo, colored_png(1.0, 0.2, 0.2))
    mine = shown(demo)
    demo.choice.value = "coffee"
    assert shown(demo)["original"].shape != mine["original"].shape
    assert says(demo) == ""
    demo.choice.value = photo_demo.OWN
    assert all(torch.equal(mine[part], now) for part, now in shown(demo).items())


def test_without_a_photo_of_ones_own_the_list_says_what_to_do(demo):
    before = shown(demo)
    demo.choice.value = photo_demo.OWN
    assert "press the button" in says(demo)
    assert all(torch.equal(before[part], now) for part, now in shown(demo).items())


def test_the_colors_of_an_upload_are_not_looked_at(demo):
    photo = images.square(images.bundled("coffee"), 64)
    upload(demo, png(photo))
    first = shown(demo)["colored"]
    upload(demo, png(to_gray(photo)))
    assert (first - shown(demo)["colored"]).abs().max() < 0.12  # gray was rounded to 8 bits, noise is sharp


def test_large_photos_are_reduced(demo):
    upload(demo, png(torch.rand(3, 700, 1400)))
    assert shown(demo)["original"].shape == (3, 256, 512)


def bomb(width, height):
    """A PNG of some hundred bytes that says it is huge."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + rows + chunk(b"IEND", b"")


BAD = {
    "empty": (b"", None, "received an empty file"),
    "text": (b"no picture at all", None, "received text that starts with"),
    "cut": (colored_png(1.0, 0.5, 0.2)[:120], None, "damaged or cut short"),
    "bomb": (bomb(5001, 5000), None, "expected at most 25,000,000 pixels, received 5001 x 5000"),
    "huge bomb": (bomb(60000, 60000), None, "pixels, received 3,600,000,000"),
    "narrow": (
        colored_png(1.0, 0.5, 0.2, 10, 61),
        None,
        "at most 6 times as long as the other, received 61 x 10",
    ),
    "too many bytes": (bytes(BYTES + 1), None, "expected at most 15 MB, received 15.0 MB"),
    "kept back by the page": (b"", 48_000_000, "expected at most 15 MB, received 48.0 MB"),
    "a program": (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        None,
        "received text that starts with",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_gets_one_sentence_and_changes_nothing(demo, networks, kind):
    content, size, reason = BAD[kind]
    before, asked = shown(demo), calls(networks)
    upload(demo, content, "<b>my</b>\nfile.png", size)
    text = says(demo)
    assert text.startswith("This file cannot be shown. &lt;b&gt;my&lt;/b&gt; file.png: expected")
    assert reason in text and "\n" not in text
    assert all(torch.equal(before[part], now) for part, now in shown(demo).items())
    assert calls(networks) == asked
    assert demo.upload.value == ()
    upload(demo, colored_png(1.0, 0.2, 0.2))  # and a good one works again
    assert shown(demo)["original"].shape == (3, 40, 60)


def test_lack_of_memory_gets_a_sentence(demo, monkeypatch):
    def read(*_, **__):
        raise MemoryError

    monkeypatch.setattr(photo_demo, "read", read)
    upload(demo, b"x")
    assert "no memory left" in says(demo)


def test_nothing_is_written(demo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    modes, opened = [], builtins.open

    def watched(file, mode="r", *rest, **more):
        modes.append(mode)
        return opened(file, mode, *rest, **more)

    monkeypatch.setattr(builtins, "open", watched)
    upload(demo, colored_png(1.0, 0.2, 0.2))
    demo.temperature.value = 0.1
    demo.choice.value = "coffee"
    assert modes and set(modes) == {"rb"}
    assert list(tmp_path.iterdir()) == []


def test_no_output_widget(demo):
    """Apps that Voila makes of notebooks hang on them."""
    import ipywidgets

    def all_of(widget):
        yield widget
        for child in getattr(widget, "children", ()):
            yield from all_of(child)

    kinds = {type(widget) for widget in all_of(demo.widget)}
    assert ipywidgets.FileUpload in kinds and ipywidgets.Output not in kinds


# The server, without starting it.


def test_a_taken_port_gets_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: True)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert demo_server.main(["--port", str(port), "--no-browser"]) == 1
    said = capsys.readouterr().err
    assert (
        said
        == f"Nothing can be served at 127.0.0.1, port {port} (Address already in use): try another with --port.\n"
    )


@pytest.mark.parametrize("place", [["--port", "99999"], ["--host", "nowhere.invalid"]])
def test_an_impossible_address_gets_one_sentence(place, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: True)
    assert demo_server.main([*place, "--no-browser"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("Nothing can be served at ") and place[1] in said and said.count("\n") == 1


def test_without_voila_it_says_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert demo_server.main(["--no-browser"]) == 1
    assert (
        capsys.readouterr().err
        == "Voila is not installed here: run `make demo`, or pip install -e '.[demo]'.\n"
    )


@pytest.mark.parametrize(
    "wrong, reason",
    [
        (["--visitors", "0"], "--visitors: expected at least 1, received 0"),
        (["--minutes", "0"], "--minutes: expected more than 0"),
        (["--minutes", "nan"], "--minutes: expected more than 0"),
        (["--prot", "1"], "there is no option --prot (did you mean --port?)"),
    ],
)
def test_a_wrong_option_gets_one_sentence(wrong, reason, capsys):
    with pytest.raises(SystemExit) as end:
        demo_server.main(wrong)
    assert end.value.code == 2
    assert reason in capsys.readouterr().err


def test_the_page_knows_the_limits_of_the_app(tmp_path):
    notebook = demo_server.write_folder(tmp_path, 5)
    page = (tmp_path / "voila" / "templates" / "colorize" / "index.html.j2").read_text()
    assert f"file.size > {BYTES} ?" in page and "300 * 1000" in page
    assert not re.search(r"\b(BYTES|SECONDS)\b", page)
    details = demo_server.settings(notebook, "127.0.0.1", 8866, 10, 5)
    limit = details["Voila"]["tornado_settings"]["websocket_max_message_size"]
    assert BYTES < limit < 1.1 * BYTES + 1_000_000
    assert details["MappingKernelManager"]["cull_idle_timeout"] > 300  # the page itself rests earlier


# The server, with visitors.


@contextlib.contextmanager
def serving(*options):
    """Run the demo; yields its address and its process. When the block is left, Ctrl-C ends it, and nothing is left."""
    if importlib.util.find_spec("voila") is None:
        stop = pytest.fail if os.environ.get("COLORIZE_CI") == "1" else pytest.skip
        stop("the demo needs Voila: run `make demo` once")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "colorize.demo_server", "--no-browser", "--port", str(port), *options]
    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        line = server.stdout.readline()
        address = f"http://127.0.0.1:{port}"
        assert line.startswith(f"Colorize your photo: {address} ("), line + server.stdout.read()
        yield address, psutil.Process(server.pid)
        left = psutil.Process(server.pid).children(recursive=True)
        server.send_signal(signal.SIGINT)
        said, _ = server.communicate(timeout=60)
        assert server.returncode == 0
        assert said == "", said
        assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in left)
    finally:
        if server.poll() is None:
            for process in [*psutil.Process(server.pid).children(recursive=True), server]:
                process.kill()
        server.wait()
        server.stdout.close()


def get(address, data=None):
    """Status and text of an answer."""
    try:
        with urllib.request.urlopen(address, data, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def kernels(server):
    found = []
    for process in server.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # of which a zombie is a kind
            if "ipykernel_launcher" in process.cmdline():
                found.append(process)
    return found


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    need_chromium()
    with _chromium(tmp_path_factory.mktemp("chromium") / "home") as driver:
        yield driver


def console_errors(driver):
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


def open_at_once(driver, address, number=1):
    """Open some tabs without waiting for any of them. Returns their pages."""
    before = set(driver.window_handles)
    driver.execute_script(
        "for (let n = 0; n < arguments[1]; n++) window.open(arguments[0])", f"{address}/", number
    )
    wait_until(lambda: len(driver.window_handles) == len(before) + number, "the tabs", 20)
    pages = []
    for tab in driver.window_handles:
        if tab not in before:
            driver.switch_to.window(tab)
            pages.append(Page(driver))
    return pages


def close(driver, pages):
    for page in pages:
        driver.switch_to.window(page.tab)
        driver.close()
    driver.switch_to.window(driver.window_handles[0])


def has_picture(page, part="colored"):
    return page.js(f"return Boolean(document.querySelector('img.colorize-photo-{part}')?.complete)")


def words(page):
    return page.texts(".colorize-photo-pictures figcaption")


def choose(page, path):
    """Press the upload button and give a file to the dialog that it opens, which is outside of the page."""
    page.js(
        """
        document.getElementById('dialog')?.remove();
        HTMLInputElement.prototype.click = function () { this.id = 'dialog'; document.body.append(this); };
        document.querySelector('.colorize-photo-upload').click();
        """
    )
    page.driver.find_element("id", "dialog").send_keys(str(path))


def array(page, part):
    return np.asarray(page.picture(f"img.colorize-photo-{part}")[0].convert("RGB"), np.float32) / 255


@pytest.mark.long
def test_a_visitor_in_a_browser(driver, tmp_path):
    coffee = images.bundled("coffee", 200)
    images.save(coffee, tmp_path / "coffee.png")
    (tmp_path / "notes.png").write_text("no picture at all")
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(BYTES + 1)
    with serving() as (address, server):
        (page,) = open_at_once(driver, address)
        wait_until(lambda: has_picture(page), "a picture", 90)
        assert array(page, "original").shape[:2] == images.bundled("chelsea").shape[1:]
        first = array(page, "colored")
        assert page.texts(".colorize-photo-upload") == ["Upload yours"]  # the widget itself adds "(0)"
        name, title = page.js(
            "return [document.querySelector('.colorize-photo-temperature .noUi-handle').ariaLabel, document.title]"
        )
        assert (name, title) == ("Temperature", "Color a gray photo")
        page.press(".colorize-photo-temperature .noUi-handle", Keys.HOME)
        wait_until(lambda: "temperature 0.00" in words(page)[1], "T = 0", 20)
        assert np.abs(array(page, "colored") - first).mean() > 0.01

        for name, sentence in (
            ("notes.png", "expected an image"),
            ("large.png", "large.png: expected at most 15 MB, received 15.0 MB"),
        ):
            choose(page, tmp_path / name)
            wait_until(lambda: [t for t in page.texts(".colorize-photo-says") if sentence in t], sentence, 20)  # noqa: B023
            assert array(page, "original").shape[:2] == images.bundled("chelsea").shape[1:]

        choose(page, tmp_path / "coffee.png")
        wait_until(lambda: page.texts(".colorize-photo-says")[0].startswith("Your photo"), "the photo", 20)
        assert np.abs(array(page, "original") - images.to_uint8(coffee) / 255).mean() < 0.01
        gray, alt = page.picture("img.colorize-photo-gray")
        assert alt == "The photo in gray"
        assert (
            np.abs(np.asarray(gray.convert("RGB")) / 255 - to_gray(coffee).permute(1, 2, 0).numpy()).mean()
            < 0.01
        )
        assert page.js("return document.querySelector('.colorize-photo-choice select').value") == "your photo"
        at_zero = array(page, "colored")
        page.press(".colorize-photo-temperature .noUi-handle", Keys.END)
        wait_until(lambda: "temperature 1.00" in words(page)[1], "T = 1", 20)
        assert np.abs(array(page, "colored") - at_zero).mean() > 0.01
        assert console_errors(driver) == []
        assert len(kernels(server)) == 1
        close(driver, [page])
        wait_until(lambda: not kernels(server), "the end of the kernel", 30)


@pytest.mark.long
def test_ten_visitors_at_once(driver, tmp_path):
    """Each gets a picture, and sees the own upload. An eleventh is asked to wait. Then all leave, and all kernels end."""
    colors = [(0.1 * n, 0.9 - 0.08 * n, 0.3 + 0.05 * (n % 3)) for n in range(10)]
    for n, color in enumerate(colors):
        (tmp_path / f"{n}.png").write_bytes(colored_png(*color))
    with serving("--visitors", "10") as (address, server):
        began = time.monotonic()
        pages = open_at_once(driver, address, 10)
        seconds, waiting = [], list(pages)
        while waiting:
            assert time.monotonic() - began < 240, f"{len(waiting)} of ten have no picture"
            for page in list(waiting):
                if has_picture(page):
                    waiting.remove(page)
                    seconds.append(time.monotonic() - began)
            time.sleep(0.1)
        assert len(kernels(server)) == 10
        status, text = get(address)
        assert status == 503 and "All 10 places are taken." in text

        began = time.monotonic()
        for n, page in enumerate(pages):
            choose(page, tmp_path / f"{n}.png")
        for n, page in enumerate(pages):
            wait_until(
                lambda: page.texts(".colorize-photo-says")[0].startswith("Your photo"),  # noqa: B023
                f"the photo of visitor {n}",
                60,
            )
        uploads = time.monotonic() - began
        for n, page in enumerate(pages):
            wanted = images.to_tensor((tmp_path / f"{n}.png").read_bytes()).permute(1, 2, 0).numpy()
            assert np.abs(array(page, "original") - wanted).mean() < 0.02
        for page in pages:
            page.press(".colorize-photo-temperature .noUi-handle", Keys.HOME)
        for page in pages:
            wait_until(lambda: "temperature 0.00" in words(page)[1], "T = 0", 60)  # noqa: B023
        assert console_errors(driver) == []
        each = [process.memory_info().rss / 1e6 for process in kernels(server)]
        close(driver, pages)
        wait_until(lambda: not kernels(server), "the end of ten kernels", 60)
        (page,) = open_at_once(driver, address)  # the places are free again
        wait_until(lambda: has_picture(page), "a picture", 90)
        close(driver, [page])
    print(
        f"\nten visitors: a picture after {seconds[0]:.0f} to {seconds[-1]:.0f} s, all uploads shown after {uploads:.0f} s, "
        f"{min(each):.0f} to {max(each):.0f} MB each"
    )


@pytest.mark.long
def test_who_goes_away_without_a_word_leaves_nothing(driver):
    """A page that nobody touches gives its kernel back; one that was never seen by a browser loses it."""
    with serving("--minutes", "0.2") as (address, server):
        (page,) = open_at_once(driver, address)
        wait_until(lambda: has_picture(page), "a picture", 90)
        wait_until(lambda: page.texts("a") == ["Start"], "the page to rest", 40)
        wait_until(lambda: not kernels(server), "the end of the kernel", 30)
        page.press("a", Keys.ENTER)
        wait_until(lambda: has_picture(page), "a picture again", 90)
        assert console_errors(driver) == []
        close(driver, [page])
        wait_until(lambda: not kernels(server), "the end of the kernel", 30)
        get(address)
        assert len(kernels(server)) == 1
        wait_until(lambda: not kernels(server), "the end of a kernel without a browser", 60)


@pytest.mark.long
def test_what_a_visitor_cannot_do():
    from tornado.websocket import WebSocketClosedError, websocket_connect

    with serving("--visitors", "1") as (address, server):
        _, page = get(address)
        loaded = re.findall(r'(?:src|href|url|import)[=( ]+["\']?(https?:[^"\')]*)', page)
        assert loaded == []  # nothing from elsewhere
        for path in (
            "demo.ipynb",
            "etc/passwd",
            "api/kernels",
            "api/contents",
            "voila/files/demo.ipynb",
            "voila/tree",
        ):
            assert get(f"{address}/{path}")[0] in (403, 404)
        (kernel,) = set(re.findall(r'"kernelId": "([\w-]+)"', page))

        async def send(data):
            socket = await websocket_connect(f"{address.replace('http', 'ws')}/api/kernels/{kernel}/channels")
            with contextlib.suppress(WebSocketClosedError):  # it may end before all has been sent
                await socket.write_message(data, binary=True)
            while await socket.read_message() is not None:
                pass
            socket.close()
            return socket.close_code

        code = asyncio.run(asyncio.wait_for(send(bytes(BYTES + 1_000_001)), 30))
        assert code in (1009, None)  # "message too big", if there was still somebody to tell
        with pytest.raises(OSError):  # no large request either: the connection ends
            status, _ = get(f"{address}/voila/api/shutdown/{kernel}", bytes(20_000))
            raise OSError(status) if status in (400, 413) else AssertionError(status)
        assert len(kernels(server)) == 1
