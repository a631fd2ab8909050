"""The report on the machine: right about what is missing, old or broken, and never a traceback."""

import importlib.metadata
import os
import platform
import subprocess
import sys
import types

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from colorize import doctor


@pytest.fixture
def fake_package(tmp_path, monkeypatch):
    """Install a made-up package before the real ones, for this process and for the child processes."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def install(name, version, code="", module=None):
        information = tmp_path / f"{name.replace('-', '_')}-0.dist-info"
        information.mkdir()
        header = f"Version: {version}\n" if version else ""
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\n{header}")
        (tmp_path / f"{module or name}.py").write_text(code)

    return install


@pytest.fixture
def healthy(monkeypatch):
    """Let every import of a child process succeed, to save the time of the real ones."""
    monkeypatch.setattr(doctor, "run_python", lambda code, timeout=0: (True, "{}"))
    monkeypatch.setattr(doctor, "check_device", lambda: [])


def test_this_environment_is_complete():
    child = subprocess.run(
        [sys.executable, "-m", "colorize.doctor"], capture_output=True, text=True, timeout=300
    )
    assert child.returncode == 0, child.stdout + child.stderr
    assert child.stderr == ""
    lines = child.stdout.splitlines()
    assert lines[-1] == "Everything the lessons need is here."
    subjects = [line[9:23].strip() for line in lines[:-2]]
    required = [Requirement(line) for line in importlib.metadata.requires("colorize")]
    packages = [one.name for one in required if one.marker is None or one.marker.evaluate({"extra": "dev"})]
    assert "jupytext" in packages and "kornia" not in packages
    assert subjects == [
        *("Python", "colorize"),
        *packages,
        *("photos", "memory", "disk", "GPU", "threads", "browser"),
    ]
    for line in lines[2 : 2 + len(packages)]:
        mark, name, version = line.split(maxsplit=2)
        assert (mark, version) == ("OK", importlib.metadata.version(name))


def test_a_package_in_order(fake_package):
    fake_package("paint", "1.2.3")
    assert doctor.check_package("paint>=1.2,<2") == ("paint", True, "1.2.3", False)


def test_a_missing_package(fake_package):
    assert doctor.check_package("paint>=1.2") == ("paint", False, f"missing: {doctor.REPAIR}", True)


def test_a_missing_package_that_only_tests_need_is_a_note():
    finding = doctor.check_package('paint>=1.2; extra == "dev"')
    assert not finding.good
    assert not finding.missing
    assert finding.text.startswith("missing (only for building and testing the course): run `make setup`")


def test_jupyterlab_is_optional_for_the_library_but_not_for_lessons(monkeypatch):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    assert doctor.check_package('jupyterlab>=4.2; extra == "dev"').missing


@pytest.mark.parametrize(("version", "told"), [("1.1.9", "1.1.9"), ("2.0", "2.0")])
def test_a_package_outside_its_bounds(fake_package, version, told):
    fake_package("paint", version)
    finding = doctor.check_package("paint<2,>=1.2")
    assert finding.missing
    assert finding.text == f"{told} is outside >=1.2,<2: {doctor.REPAIR}"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "raise OSError('libpaint.so.7: cannot open shared object file')",
            "OSError: libpaint.so.7: cannot open",
        ),
        ("import no_such_part", "No module named 'no_such_part'"),
        ("import os; os._exit(3)", "Python stopped with status 3"),
        ("import os; os.abort()", "Python stopped with status -6"),
        ("raise SystemExit('no')", "no"),
    ],
)
def test_a_package_that_cannot_be_imported(fake_package, code, reason):
    fake_package("paint", "1.5", code)
    finding = doctor.check_package("paint>=1.2")
    assert finding.missing
    assert finding.text.startswith("1.5 is installed but cannot be imported (")
    assert reason in finding.text
    assert "\n" not in finding.text


def test_a_package_that_hangs(fake_package):
    fake_package("paint", "1.5", "import time; time.sleep(60)")
    assert doctor.run_python("import paint", timeout=0.5) == (False, "no answer within 0.5 seconds")


def test_a_package_without_a_version_is_damaged(fake_package):
    fake_package("paint", "")
    finding = doctor.check_package("paint>=1.2")
    assert finding.missing
    assert finding.text.startswith("its installation is damaged")


def test_names_that_differ_from_their_import(fake_package):
    fake_package("scikit-image", "9.0", "raise ImportError('this one is asked')", module="skimage")
    assert "this one is asked" in doctor.check_package("scikit-image>=0.22").text


def test_broken_torch_is_reported_and_stops_nothing_else(fake_package, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "distribution", only_requires("torch<3,>=2.11", "pillow>=10.1"))
    fake_package("torch", "2.13.0", "import os; os.abort()")
    findings = {finding.subject: finding for finding in doctor.examine()}
    assert findings["torch"].missing
    assert findings["pillow"].good
    assert findings["GPU"].text == "not known, as PyTorch does not answer"
    assert findings["threads"].text.endswith("cores")


REAL = importlib.metadata.distribution


def only_requires(*lines):
    course = types.SimpleNamespace(
        metadata={"Requires-Python": ">=3.11"}, version="0.1.0", requires=list(lines)
    )
    return lambda name: course if name == "colorize" else REAL(name)


def test_exit_status_and_last_line_name_what_is_missing(monkeypatch, capsys, healthy):
    wanted = ["pillow>=10.1", "paint>=1", 'brush>=1; extra == "dev"', 'jupyterlab>=99; extra == "dev"']
    monkeypatch.setattr(importlib.metadata, "distribution", only_requires(*wanted))
    assert doctor.main() == 1
    out = capsys.readouterr().out
    assert out.endswith("The lessons do not run yet. See to: paint, jupyterlab.\n")
    marks = {line.split()[1]: line.split()[0] for line in out.splitlines()[:-2]}
    assert [marks[name] for name in ("pillow", "paint", "brush", "jupyterlab")] == [
        "OK",
        "MISSING",
        "note",
        "MISSING",
    ]


def test_what_only_tests_need_does_not_fail(monkeypatch, capsys, healthy):
    monkeypatch.setattr(importlib.metadata, "distribution", only_requires('brush>=1; extra == "dev"'))
    assert doctor.main() == 0
    assert capsys.readouterr().out.endswith("Everything the lessons need is here.\n")


def test_the_course_itself_not_installed(monkeypatch, capsys, healthy):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", absent)
    assert doctor.main() == 1
    assert "colorize      not installed, so its packages are not known" in capsys.readouterr().out


def test_it_runs_on_a_bare_python(tmp_path):
    """No package at all: as a plain file, without site-packages."""
    bare = [sys.executable, "-I", "-S", doctor.__file__]
    child = subprocess.run(bare, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert child.returncode == 1
    assert child.stderr == ""
    assert "The lessons do not run yet. See to: colorize" in child.stdout


def test_an_old_python(monkeypatch):
    monkeypatch.setattr(platform, "python_version", lambda: "3.9.2")
    finding = doctor.check_python(">=3.11")
    assert finding.missing
    assert finding.text.startswith("3.9.2 is outside >=3.11")


@pytest.mark.parametrize("gone", ["sysconf", None])
def test_memory_that_the_system_does_not_tell(monkeypatch, gone):
    def refuse(name):
        raise ValueError("unrecognized configuration name")

    if gone:
        monkeypatch.delattr(os, gone)
    else:
        monkeypatch.setattr(os, "sysconf", refuse)
    assert doctor.check_memory() == ("memory", True, "this system does not tell; 4 GB are comfortable", False)


def test_little_memory_is_a_note(monkeypatch):
    monkeypatch.setattr(doctor, "read_memory", lambda: (3_900_000_000, 1_000_000_000))
    finding = doctor.check_memory()
    assert (finding.good, finding.missing) == (False, False)
    assert finding.text.startswith("3.9 GB, 1.0 GB of it available: under 4 GB it gets tight")


def test_memory_is_plausible():
    memory = doctor.read_memory()
    if memory is None:
        pytest.skip("this system does not tell its memory")
    assert 0 < memory[1] <= memory[0] < 10**14


def test_disk(monkeypatch, tmp_path):
    assert doctor.check_disk(tmp_path).text.endswith(" GB free") or not doctor.check_disk(tmp_path).good
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: types.SimpleNamespace(free=200_000_000))
    assert doctor.check_disk(tmp_path) == (
        "disk",
        False,
        "0.2 GB free: make room before you save notebooks",
        False,
    )


@pytest.mark.parametrize(
    ("answer", "gpu"),
    [
        ('{"gpus": ["Big One", "Big Two"], "mps": false, "threads": 3}', "Big One, Big Two"),
        ('{"gpus": [], "mps": true, "threads": 3}', "Apple GPU (mps)"),
        ('{"gpus": [], "mps": false, "threads": 3}', "none: everything runs on the CPU"),
        ("a warning", "not known, as PyTorch does not answer"),
    ],
)
def test_gpu(monkeypatch, answer, gpu):
    monkeypatch.setattr(doctor, "run_python", lambda code: (True, answer))
    assert doctor.check_device()[0] == ("GPU", True, gpu, False)


def test_photos_that_are_lost(monkeypatch, tmp_path):
    (tmp_path / "skimage" / "data").mkdir(parents=True)
    (tmp_path / "skimage" / "__init__.py").write_text("")
    for name in doctor.PHOTOS[1:]:
        (tmp_path / "skimage" / "data" / name).touch()
    spec = types.SimpleNamespace(submodule_search_locations=[str(tmp_path / "skimage")])
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: spec)
    finding = doctor.check_photos()
    assert finding.missing
    assert finding.text == "scikit-image lacks astronaut.png: install scikit-image again"
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None)
    assert doctor.check_photos().missing


def test_browser(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert doctor.check_browser() == (
        "browser",
        True,
        "none found (only the browser tests ask for one)",
        False,
    )
    monkeypatch.setattr(
        doctor.shutil, "which", lambda name: "/bin/x" if name in ("firefox", "geckodriver") else None
    )
    assert doctor.check_browser().text.startswith("firefox, geckodriver (")


def test_bounds_agree_with_packaging():
    """Our few lines on versions say the same as the packaging library, for every bound of this project."""
    versions = [
        "0.9",
        "0.10",
        "2.10.3",
        "2.11",
        "2.13.0+cpu",
        "3.0",
        "3",
        "4.2.0",
        "8",
        "8.0.1",
        "10.1",
        "26.3.1",
        "100",
    ]
    for line in importlib.metadata.requires("colorize"):
        name, bounds, optional = doctor.split_requirement(line)
        requirement = Requirement(line)
        assert name == requirement.name
        assert optional == (requirement.marker is not None)
        for version in versions:
            assert doctor.allowed(version, bounds) == requirement.specifier.contains(Version(version)), (
                line,
                version,
            )


def test_a_python_that_does_not_answer(monkeypatch):
    good, answer = doctor.run_python("while True: pass", timeout=0.2)
    assert not good and answer == "no answer within 0.2 seconds"
    monkeypatch.setattr(doctor.sys, "executable", "/not/there/python")
    good, answer = doctor.run_python("pass")
    assert not good and "/not/there/python" in answer


def test_a_system_that_tells_nothing(tmp_path, monkeypatch):
    disk = doctor.check_disk(tmp_path / "not there")
    assert not disk.good and disk.text.startswith("could not be asked: ")

    def unknown(_name):
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(doctor.os, "sysconf", unknown)
    memory = doctor.check_memory()
    assert memory.good and "this system does not tell" in memory.text
