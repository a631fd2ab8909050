"""Writing whole files, interrupted in every place."""

import os
import stat

import pytest

from colorize import files
from colorize.files import write_whole


def test_the_bytes_arrive_and_others_may_read_them(tmp_path):
    path = tmp_path / "a.bin"
    for content in (b"first", b"second"):
        with write_whole(path) as file:
            file.write(content)
        assert path.read_bytes() == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_names_may_be_as_long_as_names_can_be(tmp_path):
    path = tmp_path / ("x" * 251 + ".bin")
    with write_whole(path) as file:
        file.write(b"all")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("place", ["in the block", "at the rename"])
@pytest.mark.parametrize("interruption", [OSError, KeyboardInterrupt])
def test_an_interruption_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, place, interruption):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def fails(*_):
        raise interruption

    if place == "at the rename":
        monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(interruption), write_whole(path) as file:
        file.write(b"new")
        if place == "in the block":
            fails()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError), write_whole(tmp_path / "no" / "a.bin"):
        pass


def test_results_come_back_and_are_whole(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZE_DATA", str(tmp_path))
    assert files.read_results("mine") == {}
    path = files.write_results("mine", {"ä": [1, None]})
    assert path == tmp_path / "results" / "mine.json"
    assert files.read_results("mine") == {"ä": [1, None]}
    with pytest.raises(TypeError):
        files.write_results("mine", {"not JSON": {1, 2}})
    assert files.read_results("mine") == {"ä": [1, None]} and [p.name for p in path.parent.iterdir()] == [
        "mine.json"
    ]
