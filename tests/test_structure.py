"""The shape of the library: floors, sizes, no import upward, nothing said of one machine."""

import ast
import importlib.util
import re
import subprocess
import sys

import pytest
from lessons import ROOT

LIBRARY = ROOT / "lib" / "colorize"
# From the ground up; a module imports only from the floors below its own. docs/architecture.md draws the same.
FLOORS = [
    {"files", "parallel", "console", "wire", "sandbox"},
    {"lab", "images", "metadata", "toyscenes", "checkpoints", "downloads", "answers", "weights", "neighbors"},
    {"bins", "huechroma", "quantiles", "readouts", "restoration"},
    {
        *("decode", "marginal", "metrics", "curves", "losses", "prior", "datasets", "networks"),
        *("failures", "consistency", "frechet"),
    },
    {
        *("training", "colorizer", "toyworld", "folders", "streaming", "study"),
        *("transfer", "preferences", "reference", "scribbles", "smoothing", "labeling", "duplicates"),
    },
    {"evaluation", "batch", "toyruns", "seasons", "recipes", "recognition", "probes", "adversarial"},
    {"figures", "widgets"},
    {"check", "study_demo", "brush_demo", "photo_demo"},
    {
        "build",
        "start",
        "doctor",
        "measure",
        "make_prior",
        "make_classifier",
        "examine",
        "pupil",
        "demo_server",
    },
    {"compare", "train", "agrawal", "toygan", "experiments", "larsson", "koalarization", "grade", "teacher"},
    {"cli"},
    {"__main__"},
]
FLOOR = {module: number for number, floor in enumerate(FLOORS) for module in floor}
MODULES = sorted(LIBRARY.rglob("*.py"))


def name_of(path) -> str:
    """First part of a module's name below colorize: "check" for check/judge.py."""
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def imports(path) -> set[str]:
    """Names of the modules of this library that a file imports, anywhere in it."""
    package = ("colorize", *path.relative_to(LIBRARY).parts[:-1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            full = (*base, *(node.module or "").split(".")) if node.module else base
            if full and full[0] == "colorize":
                found |= {full[1]} if len(full) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("colorize.")}
    return found


def test_every_module_has_a_floor():
    assert {name_of(path) for path in MODULES} - {"__init__"} == set(FLOOR)


def test_the_floors_are_written_down_and_drawn():
    spec = importlib.util.spec_from_file_location("floors", ROOT / "docs" / "floors.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    found = script.floors((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    assert {number: sorted(names) for number, names in found.items()} == {
        number: sorted(floor) for number, floor in enumerate(FLOORS)
    }
    drawn = (ROOT / "docs" / "floors.svg").read_text(encoding="utf-8")
    assert drawn == script.draw(found), "the drawing is old: run `python docs/floors.py`"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_imports_go_down(path):
    own = name_of(path)
    if own == "__init__":
        assert imports(path) == set()
        return
    upward = {other for other in imports(path) if other != own and FLOOR[other] >= FLOOR[own]}
    assert upward == set(), f"{own} stands on floor {FLOOR[own] + 1} and imports {upward}"


def test_no_cycles_between_the_files_of_check():
    files = {path.stem: path for path in (LIBRARY / "check").glob("*.py")}
    graph = {
        stem: {
            node.module
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module in files
        }
        for stem, path in files.items()
    }

    def reach(start, seen=()):
        for other in graph[start]:
            assert other not in (*seen, start), f"cycle through {other}"
            reach(other, (*seen, start))

    for stem in graph:
        reach(stem)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_modules_fit_in_a_head(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 330


def test_importing_is_light():
    """The package itself pulls in nothing; the core needs neither matplotlib nor notebooks."""
    code = (
        "import sys, colorize; assert 'torch' not in sys.modules; import colorize.decode, colorize.metrics;"
    )
    code += (
        "assert not {'matplotlib', 'IPython', 'ipywidgets', 'skimage'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def tracked() -> list:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout: which files belong to the project is not known")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_path_of_one_machine():
    paths = re.compile(r"(?<![\w.:/`])/(?:work|root|home|Users)/\w")
    found = []
    for path in tracked():
        if (
            path.suffix in {".py", ".md", ".toml", ".yml", ".txt", ".ipynb", ""}
            and path != ROOT / "tests" / "test_structure.py"
        ):
            text = path.read_text(encoding="utf-8", errors="ignore")
            found += [f"{path.name}: {text[m.start() : m.end() + 20]}" for m in paths.finditer(text)]
    assert found == []


def test_the_tree_is_small():
    size = sum(path.stat().st_size for path in tracked())
    assert size < 40e6


def test_the_networks_are_small():
    sizes = {path.stem: path.stat().st_size for path in tracked() if path.suffix == ".safetensors"}
    assert sum(sizes.values()) < 32e6
    assert {name: size for name, size in sizes.items() if size > (12e6 if name == "best" else 4e6)} == {}
