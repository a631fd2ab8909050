"""pyproject.toml, constraints.txt and environment.yml ask for the same things; so do Makefile and README."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]


def by_name(lines):
    """Requirements as {canonical name: specifiers}; a name that comes twice is an error."""
    requirements = [Requirement(line) for line in lines]
    names = [canonicalize_name(requirement.name) for requirement in requirements]
    assert len(names) == len(set(names)), f"named twice: {sorted({n for n in names if names.count(n) > 1})}"
    return dict(zip(names, [requirement.specifier for requirement in requirements], strict=True))


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def required(project):
    """What the course needs; the peers of the benchmarks are nobody's need but theirs."""
    return by_name([*project["dependencies"], *project["optional-dependencies"]["dev"]])


@pytest.mark.parametrize("extra", ["bench", "site", "demo"])
def test_what_one_target_alone_needs_is_pinned_too(extra, project, required, pins):
    packages = by_name(project["optional-dependencies"][extra])
    assert not set(packages) & set(required)
    for name, bounds in packages.items():
        (pin,) = pins[name]
        assert bounds.contains(pin.version)


@pytest.fixture(scope="module")
def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return by_name(line.strip() for line in lines if line.strip() and not line.strip().startswith("#"))


@pytest.fixture(scope="module")
def conda():
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def pip_section(conda):
    (section,) = [entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict)]
    return section


def test_conda_asks_for_the_packages_of_pyproject(conda, required):
    lines = pip_section(conda)
    assert lines[:2] == ["-c constraints.txt", "-e ."]
    assert by_name(lines[2:]) == required


def test_every_package_of_the_conda_file_has_a_comment():
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    bare = [line for line in lines if re.match(r'\s+- "', line) and not re.search(r'"  # \w', line)]
    assert bare == []


def test_conda_python_is_one_that_the_project_supports(conda, project):
    (python,) = [entry for entry in conda["dependencies"] if str(entry).startswith("python")]
    assert re.fullmatch(r"python=3\.\d+", python)  # Binder reads the version only in this form
    assert SpecifierSet(project["requires-python"]).contains(python.removeprefix("python=") + ".0")
    assert "pip" in conda["dependencies"]


def test_pins_are_exact_and_carry_no_build(pins):
    for name, specifiers in pins.items():
        (pin,) = specifiers
        assert pin.operator == "==", f"{name}{pin} is not exact"
        assert "*" not in pin.version, f"{name}{pin} is not exact"
        assert Version(pin.version).local is None, f"{name}{pin} names one build, such as +cpu"


def test_each_requirement_has_a_pin_within_its_bounds(required, pins):
    missing = sorted(required.keys() - pins.keys())
    assert missing == []
    for name, specifiers in required.items():
        (pin,) = pins[name]
        assert specifiers.contains(pin.version), f"{name}{pin} is outside {specifiers}"


def test_pins_install_on_the_oldest_python(pins, project):
    """A package may ask for more than Python 3.11.0, say 3.11.5, and then pip refuses the pin on Debian's 3.11.2."""
    (oldest,) = SpecifierSet(project["requires-python"])
    refused = []
    for name in pins:
        try:
            wanted = importlib.metadata.metadata(name)["Requires-Python"]
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system
        if wanted and not SpecifierSet(wanted).contains(f"{oldest.version}.0"):
            refused.append(f"{name} asks for Python {wanted}")
    assert refused == []


def test_requirements_have_a_lower_bound(required):
    assert [
        name for name, specifiers in required.items() if not any(s.operator == ">=" for s in specifiers)
    ] == []


def test_the_makefile_asks_for_the_same_python(project):
    (oldest,) = SpecifierSet(project["requires-python"])
    assert oldest.operator == ">="
    major, minor = oldest.version.split(".")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"sys.version_info < ({major}, {minor})" in makefile
    assert set(re.findall(r"Python (\d+\.\d+) or newer", makefile)) == {oldest.version}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"Python (\d+\.\d+) or newer", readme)) == {oldest.version}


def test_one_version_everywhere(project):
    version = project["version"]
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert said["version"] == version
    library = (ROOT / "lib" / "colorize" / "__init__.py").read_text(encoding="utf-8")
    assert f'__version__ = "{version}"' in library
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+), (\S+)", changes, flags=re.M)[0] == (version, str(said["date-released"]))


def targets():
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    return [match[1] for line in lines if (match := re.match(r"([a-z-]+):.*## ", line))]


def test_plain_make_lists_every_target():
    answer = run_make(ROOT)
    assert answer.returncode == 0, answer.stderr
    assert re.findall(r"^  make ([a-z-]+) ", answer.stdout, flags=re.M) == targets()


def test_every_target_is_phony_since_folders_have_such_names():
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M)[1]
    assert sorted(phony.split()) == sorted(targets())


def test_the_readme_names_only_targets_that_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", readme, flags=re.M))
    assert {"lab", "test"} <= named
    assert named <= set(targets())


def test_the_readme_links_only_to_files_that_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)", readme)
    local = [link for link in links if not link.startswith(("https://", "http://"))]
    assert local
    assert [link for link in local if not (ROOT / link).exists()] == []


def test_every_lesson_is_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    there = sorted(path.stem for path in (ROOT / "solutions").glob("[0-9][0-9]_*.py"))
    for folder in ("notebooks", "solutions"):
        assert re.findall(rf"\]\({folder}/(\d\d_\w+)\.ipynb\)", readme) == there
    promised = re.findall(r"^\| \[\d\d [^|]*\|[^|]*\| (\d+) min \|", readme, flags=re.M)
    sources = [(ROOT / "solutions" / f"{stem}.py").read_text(encoding="utf-8") for stem in there]
    assert promised == [re.search(r"^# \| (\d+) minutes", text, flags=re.M)[1] for text in sources]


@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        ("no-such-python", 'There is no Python called "no-such-python": install Python 3.11 or newer'),
        ("old-python", "The course needs Python 3.11 or newer, and "),
    ],
)
def test_make_says_what_is_wrong_with_python(tmp_path, python, sentence):
    """A Python that is missing or old ends in one sentence, before anything is made."""
    old = tmp_path / "old-python"
    old.write_text(
        '#!/bin/sh\ncase "$*" in\n  *version_info*) exit 1;;\n  --version) echo Python 3.9.2;;\nesac\n'
    )
    old.chmod(0o755)
    chosen = str(old) if python == "old-python" else python
    answer = run_alone(tmp_path, "setup", f"PYTHON={chosen}")
    assert answer.returncode != 0
    first = answer.stderr.splitlines()[0]
    assert first.startswith(sentence)
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "new").exists()


def test_make_leaves_a_folder_alone_that_is_no_environment(tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "precious.txt").write_text("mine")
    answer = run_alone(tmp_path, "setup")
    assert answer.returncode != 0
    assert "is not a virtual environment: move it away" in answer.stderr
    run_alone(tmp_path, "clean")
    assert (tmp_path / "new" / "precious.txt").read_text() == "mine"


def run_alone(folder, target, *variables):
    """Run make in a folder that holds nothing of the course but its set-up files; the environment would be new/."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    return run_make(folder, target, "VENV=new", *variables)


def run_make(folder, *arguments):
    """Run make without what a make around these tests has put into the environment."""
    if shutil.which("make") is None:
        pytest.skip("there is no make on this machine")
    ours = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "PYTHON", "VENV", "TORCH_INDEX"}
    return subprocess.run(
        ["make", "-C", str(folder), "--no-print-directory", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={name: value for name, value in os.environ.items() if name not in ours},
    )
