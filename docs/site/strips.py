"""The sliders of the lessons as frames that a page can show without a kernel.

    python docs/site/strips.py solutions/00_start_here.ipynb FOLDER

runs a lesson's cells up to its last slider, at the full size of its trainings, with one change: where the lesson would show a
slider, the picture is drawn at each of its positions (25 at most) and kept as a JPEG. So the frames are what the reader of
the running lesson sees, from the same functions. ``frames`` does this in a process of its own, and only if the lesson or
any file that it has used is not what it was.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FORM = 2  # of strips.json and its pictures: what has another one is drawn anew
MOST = 25  # positions of a slider
STRIDES = (2, 5, 10, 20, 50, 100, 1000)
DEMOS = ("slider_demo(", "temperature_demo(", "scribble_demo(")
QUALITY = 88


def has_slider(code: str) -> bool:
    """Tell whether a cell's code shows a slider."""
    return any(demo in code for demo in DEMOS)


def frames(notebook: Path, store: Path, old: bool = False) -> list[dict]:
    """Return a lesson's sliders, in order, drawing them first if need be; with ``old`` only if there are none at all.

    Each is a dictionary: ``cell`` (which code cell), ``name``, ``label``, ``alt``, ``start`` (number of the first shown
    frame) and ``frames``, a list of ``file`` (in ``store / notebook.stem``), ``value`` and ``text``.
    """
    folder = store / notebook.stem
    try:
        kept = json.loads((folder / "strips.json").read_text(encoding="utf-8"))
        if kept["form"] == FORM and (
            old or kept["used"] == {name: digest(ROOT / name) for name in kept["used"]}
        ):
            return kept["strips"]
    except (OSError, ValueError, KeyError):
        pass
    store.mkdir(parents=True, exist_ok=True)
    environment = {k: v for k, v in os.environ.items() if k != "COLORIZE_SHORT"}
    environment |= {"MPLBACKEND": "agg", "TQDM_DISABLE": "1", "PYTHONHASHSEED": "0"}
    with tempfile.TemporaryDirectory(dir=store) as fresh:
        command = [sys.executable, __file__, str(notebook), fresh]
        done = subprocess.run(
            command,
            env=environment,
            cwd=notebook.parent,
            stdout=subprocess.DEVNULL,  # the lesson's own words and pictures
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{notebook.name}: its sliders could not be drawn\n{done.stderr[-3000:]}")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(fresh, folder)
    return json.loads((folder / "strips.json").read_text(encoding="utf-8"))["strips"]


def digest(file: Path) -> str:
    """Return a checksum of a file's content, or "" if there is none."""
    return hashlib.sha1(file.read_bytes()).hexdigest() if file.is_file() else ""


def positions(slider) -> tuple[list[tuple[str, object]], int]:
    """Return what a slider can be set to, label and value, thinned to about 25 at most, and the number of where it stands."""
    if hasattr(slider, "options"):
        pairs = [(str(o[0]), o[1]) if isinstance(o, tuple) else (str(o), o) for o in slider.options]
    else:
        count = round((slider.max - slider.min) / slider.step)
        digits = max(0, len(f"{slider.step:g}".partition(".")[2]))
        kind = int if isinstance(slider.value, int) else float
        values = [kind(round(slider.min + k * slider.step, 6)) for k in range(count + 1)]
        pairs = [(f"{value:.{digits}f}", value) for value in values]
    at = min(range(len(pairs)), key=lambda k: abs(k - _place(pairs, slider.value)))
    if len(pairs) > MOST:
        stride = next(n for n in STRIDES if len(pairs) // n < MOST)
        chosen = sorted({*range(0, len(pairs), stride), len(pairs) - 1, at})
        pairs, at = [pairs[k] for k in chosen], chosen.index(at)
    return pairs, at


def _place(pairs: list[tuple[str, object]], value: object) -> int:
    """Where a value stands; a number may be off by rounding."""
    same = [
        k for k, (_, v) in enumerate(pairs) if v == value or (isinstance(v, float) and abs(v - value) < 1e-6)
    ]
    return same[0]


def record(notebook: Path, out: Path) -> None:
    """Run a lesson up to its last slider, and write the frames of each, with ``strips.json``, into a folder."""
    used: set[Path] = {notebook}
    # What the lesson reads (networks, priors, results) is noted while it is read.
    sys.addaudithook(lambda event, args: _note(used, args[0]) if event == "open" else None)
    sys.modules["ipycanvas"] = None  # type: ignore[assignment] # the brush then paints by a slider
    import linecache

    import ipywidgets
    import nbformat

    from colorize import widgets

    strips: list[dict] = []
    now = 0

    def demo(draw, slider, name, alt, width=384):
        """Stand in for ``slider_demo``: draw every position at once."""
        pairs, start = positions(slider)
        entry = {
            "cell": now, "name": name, "label": slider.description or "position", "alt": alt, "width": width,
            "start": start, "frames": [],
        }  # fmt: skip
        for k, (label, value) in enumerate(pairs):
            image, text = draw(value)
            file = f"{name}-{k:02d}.jpg"
            (out / file).write_bytes(widgets.jpeg(image, QUALITY))
            size = [image.shape[-1], image.shape[-2]]
            entry["frames"].append({"file": file, "value": label, "text": text, "size": size})
        strips.append(entry)
        return ipywidgets.VBox()

    widgets.slider_demo = demo  # before anything takes it from there
    cells = [c for c in nbformat.read(notebook, as_version=4).cells if c.cell_type == "code"]
    last = max((k for k, cell in enumerate(cells) if has_slider(cell.source)), default=-1)
    space = {"__name__": "__main__"}
    for now, cell in enumerate(cells[: last + 1]):  # demo() reads it
        name = f"<cell {now}>"
        linecache.cache[name] = (len(cell.source), None, cell.source.splitlines(True), name)
        exec(compile(cell.source, name, "exec"), space)
    modules = {getattr(m, "__file__", None) for n, m in sys.modules.items() if n.split(".")[0] == "colorize"}
    used |= {Path(file) for file in modules if file}
    names = sorted(str(f.resolve().relative_to(ROOT)) for f in used if f.resolve().is_relative_to(ROOT))
    names = [n for n in names if n.split("/")[0] in ("lib", "data", "solutions")]
    kept = {
        "form": FORM,
        "used": {n: digest(ROOT / n) for n in names if not n.endswith(".pyc")},
        "strips": strips,
    }
    (out / "strips.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _note(used: set[Path], file: object) -> None:
    if isinstance(file, (str, bytes)):
        used.add(Path(os.fsdecode(file)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    record(options.notebook.resolve(), options.folder.resolve())
