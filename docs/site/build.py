"""Build the course's site: ``make site``, or ``python docs/site/build.py [--output FOLDER] [--sliders old]``.

Pages are prepared (``pages``), made by Sphinx with every warning an error, and then checked (``links``): no dead link, words for
every picture, nothing that a browser would load from another host. Nothing is downloaded.
"""

import argparse
import importlib.util
import shutil
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

import links  # noqa: E402
import pages  # noqa: E402

MATHJAX = ("tex-chtml.js", "output/chtml/fonts/woff-v2")  # 1.3 of the package's 24 MB


def add_mathjax(site: Path) -> None:
    """Copy MathJax out of its package: the one script, and its fonts."""
    package = importlib.util.find_spec("sphinx-mathjax-offline")
    if package is None or package.origin is None:
        raise ModuleNotFoundError(
            "sphinx-mathjax-offline is missing: pip install -c constraints.txt -e '.[site]'"
        )
    here, there = Path(package.origin).parent / "static" / "mathjax", site / "_static" / "mathjax"
    for name in MATHJAX:
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        if (here / name).is_dir():
            shutil.copytree(here / name, there / name, dirs_exist_ok=True)
        else:
            shutil.copyfile(here / name, there / name)


def sphinx(source: Path, site: Path, doctrees: Path) -> int:
    """Run Sphinx; a warning is an error, but all of them are shown."""
    from sphinx.cmd.build import main

    return main(
        [
            *("-b", "html", "-W", "--keep-going", "-q", "-c", str(HERE), "-d", str(doctrees)),
            *("-D", f"html_extra_path={source / pages.EXTRA}", str(source), str(site)),
        ]
    )


def make(output: Path, frames: Path, which: str = "new") -> list[str]:
    """Build the site into a folder, and return what is wrong with it, a line each."""
    source, doctrees = output.parent / f"{output.name}-source", output.parent / f"{output.name}-doctrees"
    counts = pages.write(source, frames, which)
    print(", ".join(f"{number} {what}" for what, number in counts.items()), flush=True)
    if sphinx(source, output, doctrees):
        return ["Sphinx has warned, see above"]
    add_mathjax(output)
    return links.problems(output.resolve())


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 if the site has a fault."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--output", type=Path, default=ROOT / "build" / "site", help="where to, build/site if not given"
    )
    parser.add_argument(
        "--frames",
        type=Path,
        default=ROOT / "build" / "site-frames",
        help="where the sliders' pictures are kept",
    )
    parser.add_argument(
        "--sliders",
        choices=("new", "old", "no"),
        default="new",
        help="new: drawn again where a lesson or what it uses has changed; old: as they are kept; no: left out",
    )
    options = parser.parse_args(arguments)
    start = time.monotonic()
    if (
        options.output.exists()
        and any(options.output.iterdir())
        and not (options.output / "index.html").exists()
    ):
        parser.error(f"{options.output} holds something else than a site: name another folder")
    found = make(options.output, options.frames, options.sliders)
    for line in found:
        print(line)
    files = [file for file in options.output.rglob("*") if file.is_file()]
    megabytes = sum(file.stat().st_size for file in files) / 1e6
    print(
        f"{len(files)} files, {megabytes:.1f} MB, {time.monotonic() - start:.0f} s: {options.output / 'index.html'}"
    )
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
