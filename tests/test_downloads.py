"""Downloads, from a server on this machine: fetched once, checked, and one sentence when something is wrong."""

import hashlib
import http.server
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
