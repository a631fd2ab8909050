"""The other places where the course is to run: Docker, conda, Binder, Colab, and a Python with a handful of packages.

None of them is here. What they would run is read, and run in new virtual environments: the same lines in the same order.
"""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml
from nbclient import NotebookClient
from PIL import Image
from skimage import data

ROOT = Path(__file__).resolve().parents[1]
DOCKER = ROOT / "docs" / "docker"
CLONE = "!git clone -q --depth 1 ADDRESS_OF_THIS_REPOSITORY /content/course"
FEW = (
    "torch",
    "numpy",
    "scipy",
    "pillow",
    "safetensors",
    "tqdm",
)  # README.md says that the command needs no more


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def instructions():
    """The Dockerfile as pairs (INSTRUCTION, rest), comments gone, continued lines joined."""
    lines = [
        line for line in text("docs/docker/Dockerfile").splitlines() if not line.lstrip().startswith("#")
    ]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def all_of(kind):
    return [rest for name, rest in instructions() if name == kind]


def colab_cell():
    """The cell that README.md tells to put above a lesson."""
    (block,) = re.findall(r"<summary>Colab</summary>.*?```\n(.*?)```", text("README.md"), re.DOTALL)
    return block


def test_dockerfile_has_the_python_of_environment_yml():
    (image,) = all_of("FROM")
    (python,) = [
        line for line in yaml.safe_load(text("environment.yml"))["dependencies"] if "python=" in line
    ]
    assert image == f"python:{python.removeprefix('python=')}-slim"


def test_dockerfile_knows_only_instructions_that_exist():
    known = {"FROM", "ARG", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "CMD"}
    assert {name for name, _ in instructions()} == known


def test_dockerfile_copies_what_is_there_and_installs_the_pins():
    for rest in all_of("COPY"):
        *sources, _ = rest.split()
        assert all((ROOT / source).exists() for source in sources)
    installs = [part for rest in all_of("RUN") for part in re.findall(r"pip install[^;&]*", rest)]
    assert installs and all("-c constraints.txt" in line for line in installs)
    (extras,) = [re.search(r"-e '\.\[(.*)\]'", line)[1] for line in installs if "-e" in line]
    assert set(extras.split(",")) <= set(
        tomllib.loads(text("pyproject.toml"))["project"]["optional-dependencies"]
    )


def test_shell_lines_of_the_dockerfile_parse():
    for rest in all_of("RUN"):
        subprocess.run(["sh", "-n", "-c", rest], check=True)


def test_nobody_works_as_root_in_the_container():
    names = [name for name, _ in instructions()]
    (user,) = all_of("USER")
    assert user not in ("root", "0") and any(
        f"useradd --create-home --uid 1000 {user}" in r for r in all_of("RUN")
    )
    assert names.index("USER") > max(i for i, name in enumerate(names) if name == "RUN")


def test_container_starts_modules_that_exist_at_ports_that_are_open():
    (command,) = map(json.loads, all_of("CMD"))
    ports = all_of("EXPOSE")[0].split()
    head = "\n".join(line[1:] for line in text("docs/docker/Dockerfile").split("FROM")[0].splitlines())
    modules = [command[2], *re.findall(r"python -m (\S+)", head)]
    assert modules == ["colorize.start", "colorize.demo_server"]
    assert all((ROOT / "lib" / Path(*module.split("."))).with_suffix(".py").exists() for module in modules)
    assert re.findall(r"-p (\d+):\1 ", head) == ports


def test_what_git_ignores_does_not_enter_the_container():
    ignored = {
        line.strip("/") for line in text(".gitignore").splitlines() if line and not line.startswith("#")
    }
    kept_out = {line.removeprefix("**/") for line in text("docs/docker/Dockerfile.dockerignore").splitlines()}
    personal = {".DS_Store", ".idea", ".vscode", "*.swp", "*~", ".jupyter", ".virtual_documents"}
    covered = {".coverage", ".coverage.*"} if ".coverage*" in kept_out else set()
    assert ignored - kept_out - personal - covered == set()


def test_readme_tells_the_lines_that_are_tested():
    first, second = colab_cell().splitlines()
    assert first == CLONE
    assert second == 'import sys; sys.path.insert(0, "/content/course/lib")'
    (line,) = re.findall(r"Where nothing is installed but ([^(]*)\(", text("README.md").replace("\n", " "))
    names = {name.strip().lower() for name in re.split(r",| and ", line) if name.strip()}
    assert {"torch" if name == "pytorch" else name for name in names} == set(FEW)


# In environments of their own. pip takes what it has downloaded before from its cache.


def environment(folder):
    """A new virtual environment with nothing in it; returns its Python."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder / "bin" / "python"


def clean():
    """What the outer environment says about Python must not reach the inner one."""
    keep = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "COLORIZE", "JUPYTER"))
    }
    return keep | {"OMP_NUM_THREADS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_QUIET": "1"}


def run(command, **options):
    done = subprocess.run(command, env=options.pop("env", clean()), capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The course as somebody gets it: what git tracks, cloned."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: what somebody would clone is not known")
    folder = tmp_path_factory.mktemp("cloned") / "course"
    run(["git", "clone", "-q", "--depth", "1", f"file://{ROOT}", str(folder)])
    return folder


@pytest.fixture(scope="module")
def few(course, tmp_path_factory):
    """A Python with a handful of packages, and nothing of the course installed."""
    python = environment(tmp_path_factory.mktemp("few") / "venv")
    run([python, "-m", "pip", "install", "-c", course / "constraints.txt", *FEW])
    return python


@pytest.mark.long
def test_the_command_needs_a_handful_of_packages(few, course, tmp_path):
    Image.fromarray(data.chelsea()).save(tmp_path / "cat.png")
    command = [few, "-m", "colorize"]
    environment = clean() | {"PYTHONPATH": "lib"}
    run([*command, tmp_path / "cat.png", "-o", tmp_path / "out"], cwd=course, env=environment)
    with Image.open(tmp_path / "out" / "cat.png") as colored:
        assert colored.size == (451, 300)
        red, _, blue = np.asarray(colored.convert("RGB"), int).transpose(2, 0, 1)
        assert (red != blue).mean() > 0.5  # not gray
    assert "best" in run([*command, "networks"], cwd=course, env=environment)


@pytest.mark.long
def test_lessons_start_on_colab(few, course, tmp_path):
    """The library's packages and a kernel, no JupyterLab; the cell of README.md, then the first cell of each lesson."""
    wanted = tomllib.loads(text("pyproject.toml"))["project"]["dependencies"]
    run([few, "-m", "pip", "install", "-c", course / "constraints.txt", *wanted, "ipykernel"])
    installed = run([few, "-m", "pip", "list", "--format=json"], env=clean() | {"PIP_QUIET": "0"})
    names = {package["name"].lower() for package in json.loads(installed)}
    assert not names & {"jupyterlab", "jupytext", "nbval", "ipycanvas", "colorize", "pytest"}

    place = tmp_path / "content"
    cell = (
        colab_cell().replace("ADDRESS_OF_THIS_REPOSITORY", f"file://{course}").replace("/content", str(place))
    )
    new = nbformat.v4.new_code_cell
    lessons = {path.name: nbformat.read(path, 4) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    assert len(lessons) >= 13
    firsts = [next(c.source for c in lesson.cells if c.cell_type == "code") for lesson in lessons.values()]
    lesson = lessons["00_start_here.ipynb"].cells
    whole = [new(cell), *map(new, firsts), *(new(c.source) for c in lesson if c.cell_type == "code")]
    client = NotebookClient(
        nbformat.v4.new_notebook(cells=whole), timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    )
    # The client's own manager: it ends the kernel and closes its sockets, which it leaves to others with theirs.
    manager = client.create_kernel_manager()
    manager.kernel_spec.argv = [str(few), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - set(clean()):
            patch.delenv(name)
        done = client.execute()  # raises where a cell does
    assert (place / "course" / "lib" / "colorize").is_dir()
    assert "0 of 1 exercises right" in str(done.cells[-1].outputs)


@pytest.fixture(scope="module")
def by_conda(course, tmp_path_factory):
    """The pip section of environment.yml, as conda and Binder hand it to pip: a file of requirements, in that folder."""
    python = environment(tmp_path_factory.mktemp("conda") / "venv")
    (section,) = [
        line["pip"]
        for line in yaml.safe_load(text("environment.yml"))["dependencies"]
        if isinstance(line, dict)
    ]
    requirements = course / "condaenv.requirements.txt"
    requirements.write_text("\n".join(section) + "\n")
    run([python, "-m", "pip", "install", "-U", "-r", requirements], cwd=course)
    requirements.unlink()
    return python


@pytest.mark.long
def test_the_pip_section_of_the_conda_file_installs_the_course(by_conda, course):
    code = "import colorize, jupyterlab, ipycanvas; print(colorize.__file__)"
    assert Path(run([by_conda, "-c", code]).strip()) == course / "lib" / "colorize" / "__init__.py"
    run([by_conda, "-m", "pip", "check"])
    assert "missing" not in run([by_conda, "-m", "colorize.doctor"], cwd=course)


@pytest.mark.long
def test_the_lines_of_the_dockerfile_run(by_conda, course, tmp_path):
    """Each RUN line by sh in a copy of the course, with a virtual environment for the image's Python; no user is made.

    Most packages are there already, so that it is known that the lines run, and not that they need no others.
    """
    shims = tmp_path / "shims"
    shims.mkdir()
    for name in ("useradd", "chown"):
        (shims / name).write_text("#!/bin/sh\nexit 0\n")
        (shims / name).chmod(0o755)
    outside = clean()
    outside |= {"PATH": f"{shims}:{by_conda.parent}:{outside['PATH']}", "TORCH_INDEX": ""}
    for line in all_of("RUN"):
        run(["sh", "-e", "-c", line], cwd=course, env=outside)
    assert (course / "work").is_dir()

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (line,) = re.findall(
        r"colorize (python -m colorize\.demo_server .*?)\s{2,}", text("docs/docker/Dockerfile")
    )
    server = subprocess.Popen(
        [*shlex.split(line), "--port", str(port)], cwd=course, env=outside, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout.readline().startswith("Colorize your photo: http://")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=90) as page:
            assert "VBox(children=" in page.read().decode()
    finally:
        server.terminate()
        server.wait(60)
        server.stdout.close()

    (command,) = map(json.loads, all_of("CMD"))
    server = subprocess.Popen(
        [*command, f"--port={port}", "--ServerApp.token=test"],
        cwd=course,
        env=outside | {"HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 90
        while True:
            try:
                with urllib.request.urlopen(
                    f"http://127.0.0.1:{port}/api/contents?token=test", timeout=30
                ) as answer:
                    lessons = {entry["name"] for entry in json.load(answer)["content"]}
                    break
            except OSError:
                assert time.monotonic() < end and server.poll() is None, "JupyterLab does not answer"
                time.sleep(0.5)
        assert {path.name for path in (ROOT / "notebooks").glob("*.ipynb")} <= lessons
    finally:
        server.terminate()
        server.wait(60)
