"""Downloads, from a server on this machine: fetched once, checked, and one sentence when something is wrong."""

import concurrent.futures
import hashlib
import http.server
import socket
import struct
import sys
import threading

import pytest
import torch

from colorize import colorizer
from colorize.bins import gamut_bins
from colorize.colorizer import Colorizer
from colorize.downloads import DownloadError, fetch
from colorize.networks import ZhangNet
from colorize.networks.zhang import RELEASE
from colorize.weights import WeightsError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZE_CACHE", str(tmp_path / "cache"))
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path / "cache"


@pytest.fixture
def server(tmp_path):
    """A folder, the address under which it is served, and the requests so far."""
    folder, requests = tmp_path / "served", []
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=folder)

        def do_GET(self):
            requests.append(self.path)
            super().do_GET()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{running.server_port}", requests
        running.shutdown()
        thread.join()


def test_a_file_is_fetched_once(server, cache, capsys):
    folder, address, requests = server
    (folder / "a.bin").write_bytes(b"content")
    checksum = hashlib.sha256(b"content").hexdigest()
    path = fetch(f"{address}/a.bin", checksum[:8], 12)
    assert path == cache / "a.bin"
    assert path.read_bytes() == b"content"
    assert f"downloading {address}/a.bin (12 MB)" in capsys.readouterr().out
    assert fetch(f"{address}/a.bin", checksum, 12) == path
    assert requests == ["/a.bin"]
    path.write_bytes(b"damaged since")
    assert fetch(f"{address}/a.bin", checksum, 12).read_bytes() == b"content"


def test_a_changed_file_is_refused_and_removed(server, cache):
    folder, address, _ = server
    (folder / "a.bin").write_bytes(b"other")
    with pytest.raises(DownloadError, match="has changed: expected a SHA-256 that begins with 0123"):
        fetch(f"{address}/a.bin", "0123", 1)
    assert list(cache.iterdir()) == []


def test_without_a_network_one_sentence_says_what_to_do(cache):
    with pytest.raises(DownloadError) as caught:
        fetch("http://127.0.0.1:9/a.bin", "00", 129)
    sentence = str(caught.value)
    assert sentence.startswith("a.bin could not be downloaded (")
    assert (
        f"fetch http://127.0.0.1:9/a.bin (129 MB) where there is a network, and put it at {cache / 'a.bin'}"
        in sentence
    )
    assert "\n" not in sentence
    assert list(cache.iterdir()) == []


def test_without_pooch_too(monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DownloadError, match="needs the package pooch"):
        fetch("http://127.0.0.1:9/a.bin", "00", 129)


# --- servers that do not do what they should ------------------------------------------------------

CONTENT = bytes(range(256)) * 400
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def odd(monkeypatch):
    """An address that answers by its last part but one, as ``/slow/a.bin``, and the requests so far."""
    requests, done = [], threading.Event()
    monkeypatch.setattr("pooch.downloaders.DEFAULT_TIMEOUT", 0.4)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            requests.append(self.path)
            self.close_connection = True
            getattr(self, self.path.split("/")[1])()

        def log_message(self, *_):
            pass

        def start(self, length=None, status=200, **fields):
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            if length is not None:
                self.send_header("Content-Length", str(length))
            self.send_header("Connection", "close")
            self.end_headers()

        def whole(self):
            self.start(len(CONTENT))
            self.wfile.write(CONTENT)

        def slow(self):
            self.start(len(CONTENT))
            for at in range(0, len(CONTENT), 20_000):
                self.wfile.write(CONTENT[at : at + 20_000])
                done.wait(0.05)  # well below the limit, which is for each piece

        def stuck(self):
            self.start(len(CONTENT))
            self.wfile.write(CONTENT[:50_000])
            done.wait(20)

        def silent(self):
            done.wait(20)

        def cut(self):
            self.start(len(CONTENT))
            self.wfile.write(CONTENT[:50_000])

        def cut_without_a_length(self):
            self.start()
            self.wfile.write(CONTENT[:50_000])

        def dead(self):
            self.start(len(CONTENT))
            self.wfile.write(CONTENT[:50_000])
            self.wfile.flush()
            # Closed with data unread and at once: the other side gets a reset, not an end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

        def cut_chunk(self):
            self.start(**{"Transfer-Encoding": "chunked"})
            self.wfile.write(b"C350\r\n" + CONTENT[:30_000])

        def wrong(self):
            self.start(len(CONTENT))
            self.wfile.write(CONTENT[::-1])

        def empty(self):
            self.start(0)

        def missing(self):
            self.start(0, 404)

        def broken(self):
            self.start(0, 500)

        def moved(self):
            self.start(0, 302, Location="/whole/a.bin")

        def circle(self):
            self.start(0, 302, Location="/circle/a.bin")

        def nonsense(self):
            self.wfile.write(b"SSH-2.0-no web server\r\n")

        def page(self):
            """What a hotel's network shows before one has paid."""
            self.start(24)
            self.wfile.write(b"<html>please log in</ht>")

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.daemon_threads, running.handle_error = True, lambda *_: None
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", requests
        done.set()
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("way", ["slow", "moved"])
def test_patience_is_rewarded(odd, cache, way):
    address, _ = odd
    assert fetch(f"{address}/{way}/a.bin", CHECKSUM, 1).read_bytes() == CONTENT
    assert [path.name for path in cache.iterdir()] == ["a.bin"]


# pooch leaves it to the garbage collector to close what requests has opened.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("way", "says"),
    [
        ("stuck", "timed out"),
        ("silent", "timed out"),
        ("cut", "could not be downloaded"),
        ("cut_without_a_length", "has changed"),
        ("dead", "could not be downloaded"),
        ("cut_chunk", "could not be downloaded"),
        ("wrong", "has changed"),
        ("empty", "has changed"),
        ("missing", "404"),
        ("broken", "500"),
        ("circle", "30 redirects"),
        ("nonsense", "could not be downloaded"),
        ("page", "has changed"),
    ],
)
def test_a_bad_server_leaves_one_sentence_and_no_file(odd, cache, way, says):
    address, requests = odd
    with pytest.raises(DownloadError, match=says) as caught:
        fetch(f"{address}/{way}/a.bin", CHECKSUM, 1)
    sentence = str(caught.value)
    assert len(sentence.splitlines()) == 1 and f"{address}/{way}/a.bin" in sentence
    assert str(cache / "a.bin") in sentence or "it was removed" in sentence
    assert caught.value.__cause__ is None
    assert list(cache.iterdir()) == []
    # The next try is not spoiled by the last one.
    assert fetch(f"{address}/whole/a.bin", CHECKSUM, 1).read_bytes() == CONTENT
    assert requests[-1] == "/whole/a.bin"


@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
def test_a_file_that_is_there_is_lost_by_no_failure(odd, cache):
    """An older file, even a wrong one, gives way only to the right one."""
    address, _ = odd
    cache.mkdir()
    (cache / "a.bin").write_bytes(b"of an older release")
    for way in ("wrong", "dead", "missing"):
        with pytest.raises(DownloadError):
            fetch(f"{address}/{way}/a.bin", CHECKSUM, 1)
        assert (cache / "a.bin").read_bytes() == b"of an older release"
    assert fetch(f"{address}/whole/a.bin", CHECKSUM, 1).read_bytes() == CONTENT


def test_interrupted_nothing_is_left(odd, cache, monkeypatch):
    address, _ = odd

    def pressed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("colorize.downloads._checksum", pressed)
    with pytest.raises(KeyboardInterrupt):
        fetch(f"{address}/whole/a.bin", CHECKSUM, 1)
    assert list(cache.iterdir()) == []


def test_no_room_and_no_folder(odd, cache, tmp_path, monkeypatch):
    address, _ = odd
    monkeypatch.setattr(
        "pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    with pytest.raises(DownloadError, match="No space left"):
        fetch(f"{address}/whole/a.bin", CHECKSUM, 1)
    assert list(cache.iterdir()) == []
    (tmp_path / "file").touch()
    monkeypatch.setenv("COLORIZE_CACHE", str(tmp_path / "file"))
    with pytest.raises(DownloadError, match=r"a\.bin needs a folder .*File exists"):
        fetch(f"{address}/whole/a.bin", CHECKSUM, 1)


def test_two_at_once_both_get_it(odd, cache):
    address, _ = odd
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = [pool.submit(fetch, f"{address}/slow/a.bin", CHECKSUM, 1) for _ in range(2)]
    assert [each.result().read_bytes() for each in found] == [CONTENT, CONTENT]
    assert [path.name for path in cache.iterdir()] == ["a.bin"]


# --- the published network ------------------------------------------------------------------------


def published(network):
    """A state dict of ours under the authors' names."""
    state = {"model_out.weight": gamut_bins().T.reshape(2, 313, 1, 1) / 110}
    for number in range(1, 9):
        block = [layer.name for layer in RELEASE if layer.name.startswith(f"conv{number}_")]
        for k, name in enumerate(block):
            state |= {f"model{number}.{2 * k}.{w}": t for w, t in network.convs[name].state_dict().items()}
        last = network.head if number == 8 else network.norms[block[-1]]
        state |= {f"model{number}.{2 * len(block)}.{w}": t for w, t in last.state_dict().items()}
    return state


def test_the_published_network_is_loaded_by_its_name(server, monkeypatch):
    folder, address, requests = server
    torch.manual_seed(0)
    theirs = ZhangNet().eval()
    torch.save(published(theirs), folder / "release.pth")
    checksum = hashlib.sha256((folder / "release.pth").read_bytes()).hexdigest()[:8]
    monkeypatch.setattr(colorizer, "PUBLISHED_URL", f"{address}/release.pth")
    monkeypatch.setattr(colorizer, "PUBLISHED_SHA256", checksum)
    loaded = Colorizer.load("zhang2016")
    assert (loaded.name, loaded.size) == ("zhang2016", 256)
    lightness = torch.rand(1, 1, 32, 24) * 100
    with torch.inference_mode():
        assert torch.equal(loaded.network(lightness), theirs(lightness))
    Colorizer.load("zhang2016")
    assert requests == ["/release.pth"]
    (folder / "release.pth").write_bytes(b"no weights")
    monkeypatch.setattr(colorizer, "PUBLISHED_SHA256", hashlib.sha256(b"no weights").hexdigest()[:8])
    with pytest.raises(WeightsError, match="is not the published network"):
        Colorizer.load("zhang2016")


def test_offline_the_published_network_says_what_to_do(monkeypatch):
    monkeypatch.setattr(colorizer, "PUBLISHED_URL", "http://127.0.0.1:9/colorization_release_v2-9b330a0b.pth")
    with pytest.raises(WeightsError, match=r"could not be downloaded .* put it at "):
        Colorizer.load("zhang2016")


def test_the_published_address():
    name = colorizer.PUBLISHED_URL.rpartition("/")[2]
    assert name == f"colorization_release_v2-{colorizer.PUBLISHED_SHA256}.pth"
