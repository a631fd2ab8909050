"""The students' copies of the lessons: made once, never overwritten, set aside on request."""

import hashlib
import json
import os
import sys
from types import SimpleNamespace

import pytest

from colorize import start

HAND_OVER = start.hand_over  # the tests put another in its place

FIRST, SECOND = "01_lab_color.ipynb", "02_quantization.ipynb"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of two lessons (and a file that is none); JupyterLab is not opened, its command is recorded."""
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    (notebooks / FIRST).write_bytes(b'{"lesson": 1}\n')
    (notebooks / SECOND).write_bytes(b'{"lesson": 2}\n')
    (notebooks / "scratch.ipynb").write_bytes(b"not a lesson")
    monkeypatch.setattr(start, "find_course", lambda: tmp_path)
    opened = []
    monkeypatch.setattr(start, "hand_over", lambda command: opened.append(command) or 0)
    return SimpleNamespace(notebooks=notebooks, work=tmp_path / "work", opened=opened)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_first_start_copies_every_lesson_and_opens_the_folder(course, capsys):
    assert start.main(["--no-browser", "--port", "9999"]) == 0
    assert names(course.work) == [".versions.json", FIRST, SECOND]
    for name in (FIRST, SECOND):
        assert (course.work / name).read_bytes() == (course.notebooks / name).read_bytes()
    assert capsys.readouterr().out.splitlines() == [
        "01_lab_color: copied to work/01_lab_color.ipynb",
        "02_quantization: copied to work/02_quantization.ipynb",
    ]
    (command,) = course.opened
    assert command[:4] == [sys.executable, "-m", "jupyterlab", str(course.work)]
    assert command[4:7] == ["--no-browser", "--port", "9999"]
    assert not any("default_url" in argument for argument in command)


def test_a_copy_is_never_overwritten(course, capsys):
    course.work.mkdir()
    (course.work / FIRST).write_bytes(b"my answer")
    start.main([])
    start.main([])
    assert (course.work / FIRST).read_bytes() == b"my answer"
    assert (course.work / SECOND).read_bytes() == b'{"lesson": 2}\n'
    assert capsys.readouterr().out.count("copied") == 1


def test_the_second_start_does_nothing_and_says_nothing(course, capsys):
    start.main([])
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in course.work.iterdir()}
    capsys.readouterr()
    start.main([])
    assert {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in course.work.iterdir()
    } == before
    assert capsys.readouterr().out == ""


def test_fresh_keeps_every_old_copy(course, capsys):
    start.main([])
    for number, answer in enumerate((b"first try", b"second try", b"third try"), start=1):
        (course.work / SECOND).write_bytes(answer)
        start.main(["--lesson", "02", "--fresh"])
        assert (course.work / f"02_quantization.old-{number}.ipynb").read_bytes() == answer
        assert (course.work / SECOND).read_bytes() == b'{"lesson": 2}\n'
    assert (course.work / "02_quantization.old-1.ipynb").read_bytes() == b"first try"
    assert "02_quantization: your old copy is now work/02_quantization.old-3.ipynb" in capsys.readouterr().out
    (course.work / "02_quantization.old-2.ipynb").unlink()
    start.main(["--lesson", "2", "--fresh"])  # numbers tell the order, so a gap is not filled
    assert (course.work / "02_quantization.old-4.ipynb").exists()
    assert not (course.work / "02_quantization.old-2.ipynb").exists()
    assert (course.work / FIRST).read_bytes() == b'{"lesson": 1}\n'


def test_fresh_without_an_old_copy_just_copies(course, capsys):
    start.main(["--fresh", "--lesson", "01"])
    assert names(course.work) == [".versions.json", FIRST, SECOND]
    assert capsys.readouterr().out.count("01_lab_color: copied") == 1


@pytest.mark.parametrize("name", ["2", "02", "02_quantization", SECOND, "notebooks/02_quantization.ipynb"])
def test_a_lesson_is_opened_by_number_or_name(course, name):
    assert start.main(["--lesson", name]) == 0
    (command,) = course.opened
    assert command[3] == str(course.work)
    assert f"--LabApp.default_url=/lab/tree/{SECOND}" in command


@pytest.mark.parametrize("name", ["7", "quantization", "002x", "scratch"])
def test_an_unknown_lesson_is_one_sentence_and_copies_nothing(course, capsys, name):
    assert start.main(["--lesson", name, "--fresh"]) == 1
    out, error = capsys.readouterr()
    assert out == ""
    assert error == f"There is no lesson {name!r}; there are 01_lab_color, 02_quantization.\n"
    assert course.opened == []
    assert not course.work.exists()


def test_fresh_alone_asks_which_lesson(course, capsys):
    assert start.main(["--fresh"]) == 1
    assert capsys.readouterr().err == "Which lesson shall start again? Name it: make lab LESSON=02 FRESH=1.\n"
    assert not course.work.exists()


def test_a_newer_version_is_announced_until_it_is_taken(course, capsys):
    start.main([])
    (course.notebooks / SECOND).write_bytes(b'{"lesson": 2, "version": 2}\n')
    (course.work / SECOND).write_bytes(b"my answer")
    for _ in range(2):
        capsys.readouterr()
        start.main([])
        (line,) = capsys.readouterr().out.splitlines()
        assert line.startswith("02_quantization: a newer version of this lesson exists.")
        assert "make lab LESSON=02 FRESH=1" in line
    assert (course.work / SECOND).read_bytes() == b"my answer"
    start.main(["--lesson", "02", "--fresh"])
    assert (course.work / SECOND).read_bytes() == b'{"lesson": 2, "version": 2}\n'
    capsys.readouterr()
    start.main([])
    assert capsys.readouterr().out == ""


def test_versions_are_hashes_of_the_lessons_not_of_the_copies(course):
    start.main([])
    (course.work / FIRST).write_bytes(b"my answer")
    start.main([])
    stored = json.loads((course.work / ".versions.json").read_text())
    assert stored[FIRST] == hashlib.sha256(b'{"lesson": 1}\n').hexdigest()


@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b"\xff\xfe"])
def test_a_damaged_record_of_versions_is_no_trouble(course, capsys, damage):
    start.main([])
    (course.work / ".versions.json").write_bytes(damage)
    capsys.readouterr()
    assert start.main([]) == 0
    assert capsys.readouterr() == ("", "")
    assert set(json.loads((course.work / ".versions.json").read_text())) == {FIRST, SECOND}


def test_a_copy_is_written_whole_or_not_at_all(course, monkeypatch, capsys):
    def full(source, target):
        raise OSError(28, "No space left on device")

    start.main([])
    (course.work / SECOND).unlink()
    monkeypatch.setattr(os, "replace", full)
    capsys.readouterr()
    assert start.main([]) == 1
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("The lessons could not be copied to work/:")
    assert "No space left" in error
    assert error.count("\n") == 1
    assert names(course.work) == [".versions.json", FIRST]


def test_an_interrupted_fresh_start_loses_nothing(course, monkeypatch):
    start.main([])
    (course.work / SECOND).write_bytes(b"my answer")

    def interrupted(source, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", interrupted)
        start.main(["--lesson", "02", "--fresh"])
    assert (course.work / "02_quantization.old-1.ipynb").read_bytes() == b"my answer"
    start.main([])
    assert (course.work / SECOND).read_bytes() == b'{"lesson": 2}\n'


def test_work_as_a_file_is_one_sentence(course, capsys):
    course.work.write_text("in the way")
    assert start.main([]) == 1
    assert capsys.readouterr().err.startswith("The lessons could not be copied to work/:")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no root user")
def test_root_gets_the_flag_and_nobody_else(course, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    start.main([])
    start.main(["--allow-root"])
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    start.main([])
    assert [command.count("--allow-root") for command in course.opened] == [1, 1, 0]


def test_without_the_flag_nothing_is_asked_where_users_have_no_number(monkeypatch, tmp_path):
    monkeypatch.delattr(os, "geteuid", raising=False)
    assert "--allow-root" not in start.lab_command(tmp_path, None, [])


def test_without_lessons_it_is_one_sentence(tmp_path, monkeypatch, capsys):
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setattr(start, "__file__", str(tmp_path / "lib" / "colorize" / "start.py"))
    monkeypatch.chdir(tmp_path)
    assert start.main([]) == 1
    assert capsys.readouterr().err == (
        "There are no lessons here: run this in the folder of the course, the one that holds notebooks/.\n"
    )


def test_the_checkout_is_found_from_anywhere_and_the_current_folder_comes_second(tmp_path, monkeypatch):
    checkout, elsewhere = tmp_path / "checkout", tmp_path / "elsewhere"
    for place in (checkout, elsewhere):
        (place / "notebooks").mkdir(parents=True)
        (place / "notebooks" / FIRST).write_text("{}")
    monkeypatch.setattr(start, "__file__", str(checkout / "lib" / "colorize" / "start.py"))
    monkeypatch.chdir(elsewhere)
    assert start.find_course() == checkout
    (checkout / "notebooks" / FIRST).unlink()
    assert start.find_course() == elsewhere


def test_a_missing_jupyterlab_is_one_sentence(course, monkeypatch, capsys):
    monkeypatch.setattr(start.importlib.util, "find_spec", lambda name: None)
    assert start.main([]) == 1
    assert capsys.readouterr().err.startswith("JupyterLab is not installed here")
    assert course.opened == []


def test_on_windows_jupyterlab_runs_as_a_child(monkeypatch):
    called = []
    monkeypatch.setattr(start.os, "name", "nt")
    monkeypatch.setattr(start.subprocess, "call", lambda command: called.append(command) or 3)
    assert HAND_OVER(["jupyter", "lab"]) == 3
    assert called == [["jupyter", "lab"]]


def test_elsewhere_the_process_becomes_jupyterlab(monkeypatch):
    called = []
    monkeypatch.setattr(start.os, "execv", lambda *arguments: called.append(arguments))
    HAND_OVER(["jupyter", "lab"])
    assert called == [("jupyter", ["jupyter", "lab"])]
