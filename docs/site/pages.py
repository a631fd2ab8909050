"""The sources of the site's pages: what the repository holds, brought into the form that Sphinx reads.

Files keep their places (``docs/architecture.md`` becomes ``docs/architecture.html``), so the links between them hold as they
are. Lessons are the solved notebooks with their outputs: pictures become files with their alt text, solutions and drawing
code are folded, and where the running lesson has a slider, the page has its frames (``strips``).
"""

import base64
import hashlib
import html
import io
import os
import re
from pathlib import Path

import nbformat
import strips
from nbformat import NotebookNode
from PIL import Image

from colorize import build, teacher

ROOT = Path(__file__).resolve().parents[2]
EXTRA = "_extra"  # what is copied into the site as it is: pictures, frames
FRONT = ("What is different here", "All systems, side by side")  # sections of the README on the first page
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)
DETAILS = re.compile(r"<details>.*?</details>", re.DOTALL)
ALONE = re.compile(r"^\w*_demo\(", re.MULTILINE)  # a widget that needs a kernel
OPEN_NOTEBOOK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)*notebooks/\d\d_\w+\.ipynb)\)")
STARTS = (
    *(
        "README.md",
        "docs/architecture.md",
        "docs/contributing.md",
        "docs/notation.md",
        "docs/teaching/README.md",
    ),
    *("data/README.md", "bench/RESULTS.md", "CHANGELOG.md"),
)


def write(source: Path, frames: Path, which: str = "new") -> dict[str, int]:
    """Write all pages into a folder, and say how much there is. Files that stay the same are not touched.

    ``which`` frames the sliders get: "new", drawn again where anything has changed; "old", whatever is kept; or "no".
    """
    kept: set[Path] = set()

    def put(name: str, content: str | bytes) -> None:
        file = source / name
        kept.add(file)
        data = content.encode() if isinstance(content, str) else content
        if not file.is_file() or file.read_bytes() != data:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

    lessons = [teacher.lesson_of(path) for path in build.sources(ROOT)]
    front, rest = map(downloads, split_readme((ROOT / "README.md").read_text(encoding="utf-8")))
    put("index.md", front_page(front, lessons))
    put("README.md", rest)
    pictures: dict[str, bytes] = {}
    for lesson in lessons:
        solved = ROOT / "solutions" / f"{lesson.stem}.ipynb"
        notebook = nbformat.read(solved, as_version=4)
        moving = []
        if which != "no" and any(strips.has_slider(cell.source) for cell in notebook.cells):
            moving = strips.frames(solved, frames, old=which == "old")
            for strip in moving:
                for frame in strip["frames"]:
                    put(
                        f"{EXTRA}/strips/{lesson.stem}/{frame['file']}",
                        (frames / lesson.stem / frame["file"]).read_bytes(),
                    )
        put(
            f"solutions/{lesson.stem}.ipynb", build.text(lesson_page(notebook, lesson.stem, moving, pictures))
        )
        put(
            f"{EXTRA}/notebooks/{lesson.stem}.ipynb",
            (ROOT / "notebooks" / f"{lesson.stem}.ipynb").read_bytes(),
        )
    for name, data in pictures.items():
        put(f"{EXTRA}/pictures/{name}", data)
    others = [name for name in linked(list(STARTS)) if name != "README.md" and not name.endswith(".ipynb")]
    for name in others:
        data = (ROOT / name).read_bytes()
        put(name, with_contents(name, downloads(data.decode()), others) if name.endswith(".md") else data)
    modules = api_pages()
    for name, text in modules.items():
        put(name, text)
    for file in sorted(source.rglob("*"), reverse=True):
        if file.is_file() and file not in kept:
            file.unlink()
        elif file.is_dir() and not any(file.iterdir()):
            file.rmdir()
    return {"lessons": len(lessons), "pictures": len(pictures), "modules": len(modules) - 1}


def linked(names: list[str]) -> list[str]:
    """Return these files and all of the repository that their Markdown links to, and so on."""
    found: dict[str, None] = {}
    while names:
        name = names.pop()
        if name in found or not (ROOT / name).is_file():
            continue  # what is missing is Sphinx's to report
        found[name] = None
        if name.endswith(".md"):
            for target in LINK.findall(FENCE.sub("", (ROOT / name).read_text(encoding="utf-8"))):
                if "://" not in target and not target.startswith("#"):
                    names.append(os.path.normpath((Path(name).parent / target.partition("#")[0]).as_posix()))
    return sorted(found)


def split_readme(text: str) -> tuple[str, str]:
    """Return the parts of the README for the first page, and those for the page on running it."""
    head, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    front = "".join(s for s in sections if s.splitlines()[0].removeprefix("## ") in FRONT)
    rest = "".join(s for s in sections if s.splitlines()[0].removeprefix("## ") not in FRONT)
    moved = re.compile(r"\]\(#")
    return moved.sub("](README.md#", head) + front, f"# Running the course\n\n{rest}"


def downloads(text: str) -> str:
    """Make links to the students' notebooks plain: they are files here, not pages."""
    return OPEN_NOTEBOOK.sub(r'<a href="\2" download>\1</a>', text)


def with_contents(name: str, text: str, others: list[str]) -> str:
    """Add to a folder's own page, README.md, a table of the pages in that folder, for the menu."""
    below = Path(name).parent
    if Path(name).name != "README.md" or below.name == "priors":
        return text
    inside = [Path(o) for o in others if o != name and o.endswith(".md") and Path(o).is_relative_to(below)]
    tree = "\n".join(str(o.relative_to(below).with_suffix("")) for o in inside)
    return f"{text}\n```{{toctree}}\n:hidden:\n\n{tree}\n```\n" if tree else text


def front_page(readme: str, lessons: list[teacher.Lesson]) -> str:
    """The first page: the README's words, a table of the lessons from their own first cells, and the contents.

    How long a lesson runs is taken from the README, whose text below the table says how it was measured.
    """
    runs = dict(
        re.findall(r"^\| .*?\b(\d\d) [^|]*\|.*\| ([^|]+?) \| \[\d\d\]\(solutions/", readme, re.MULTILINE)
    )
    rows = ["| lesson | the question it answers | to read and solve | to run |", "|---|---|---|---|"]
    for lesson in lessons:
        name = f"{lesson.number:02d} {lesson.title.split(' · ')[-1]}"
        minutes = lesson.read.split(",")[0]
        rows.append(
            f"| [{name}](solutions/{lesson.stem}.ipynb) | {lesson.question} | {minutes} | {runs.get(name[:2], lesson.run)} |"
        )
    table = re.compile(r"^\| lesson \|.*?(?=^(?!\|))", re.MULTILINE | re.DOTALL)
    if not table.search(readme):
        raise ValueError("README.md: the table of lessons was not found, a row that begins with '| lesson |'")
    text = table.sub(lambda _: "\n".join(rows) + "\n", readme, count=1)
    trees = {
        "Lessons": [f"solutions/{lesson.stem}" for lesson in lessons],
        "For teachers": ["docs/teaching/README"],
        "The library": ["api/index", "docs/notation", "docs/architecture", "data/README", "bench/RESULTS"],
        "About": ["README", "docs/contributing", "CHANGELOG", "LICENSE-text"],
    }
    parts = [
        f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(names) + "\n```\n"
        for caption, names in trees.items()
    ]
    return text + "\n" + "\n".join(parts)


def lesson_page(
    notebook: NotebookNode, stem: str, moving: list[dict], pictures: dict[str, bytes]
) -> NotebookNode:
    """Turn a solved notebook into a page; its pictures are added to ``pictures`` by their file names."""
    cells: list[NotebookNode] = []
    code = -1
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = formulas_in_details(cell.source)
            cells.append(cell)
            if len(cells) == 1:
                cells.append(nbformat.v4.new_markdown_cell(_how_to(stem), id="how-to"))
            continue
        code += 1
        tags = cell.metadata.setdefault("tags", [])
        if cell.metadata.get("jupyter", {}).get("source_hidden"):
            tags.append("hide-input")
        if build.BEGIN in cell.source:
            asked = nbformat.v4.new_code_cell(build.open_regions(cell.source), id=f"{cell.id}-open")
            cells.append(asked)
            cell.source = "\n".join(
                line for line in cell.source.split("\n") if line.strip() not in (build.BEGIN, build.END)
            )
            tags.append("hide-input")
            cell.metadata["mystnb"] = {
                "code_prompt_show": "Our solution",
                "code_prompt_hide": "Hide our solution",
            }
        cell.outputs = [shown(output, pictures) for output in cell.outputs]
        found = [strip for strip in moving if strip["cell"] == code]
        for strip in found:
            cell.outputs.append(_html(strip_html(strip, f"../strips/{stem}")))
        if not found and ALONE.search(cell.source):
            cell.outputs.append(
                _html(f'<p class="needs-kernel">This part needs the running lesson: {_command(stem)}</p>')
            )
        cells.append(cell)
    notebook.cells = cells
    return notebook


def _how_to(stem: str) -> str:
    return (
        "```{note}\nThis page shows the lesson solved, as it ran; our solutions are folded. To solve it yourself, run "
        f"`make lab LESSON={stem[:2]}` in [your copy of the course](../README.md#your-copy-of-the-lessons), or take "
        + downloads(f"[the open notebook](../notebooks/{stem}.ipynb).\n```")
    )


def _command(stem: str) -> str:
    return f"<code>make lab LESSON={stem[:2]}</code>"


def formulas_in_details(text: str) -> str:
    """Mark the formulas in folded parts, which are HTML and not read as Markdown, for MathJax."""

    def mark(details: re.Match) -> str:
        return re.sub(
            r"\$([^$\n]+)\$", r'<span class="math notranslate nohighlight">\\(\1\\)</span>', details[0]
        )

    return DETAILS.sub(mark, text)


def _html(text: str) -> NotebookNode:
    return nbformat.v4.new_output("display_data", {"text/html": text})


def shown(output: NotebookNode, pictures: dict[str, bytes]) -> NotebookNode:
    """Return an output as a page can show it: a picture as a file with its alt text, of a size known beforehand."""
    data = output.get("data", {})
    kind = next((kind for kind in data if kind.startswith("image/")), None)
    if kind is None:
        for private in [kind for kind in data if kind.startswith("application/vnd.")]:
            del data[private]
        return output
    raw = base64.b64decode(data[kind])
    name = hashlib.sha1(raw).hexdigest()[:12] + (".jpg" if kind == "image/jpeg" else ".png")
    pictures[name] = raw
    width, height = Image.open(io.BytesIO(raw)).size
    alt = html.escape(output.metadata[kind]["alt"], quote=True)
    return _html(  # a tap opens it alone, where a phone can enlarge it
        f'<a class="figure" href="../pictures/{name}"><img class="figure" src="../pictures/{name}" alt="{alt}" '
        f'width="{width}" height="{height}" loading="lazy" decoding="async"></a>'
    )


def strip_html(strip: dict, folder: str) -> str:
    """A slider's frames: a row that can be scrolled; ``static/strips.js`` makes one picture and a slider of it."""
    alt, label = html.escape(strip["alt"], quote=True), html.escape(strip["label"], quote=True)
    frames = []
    for frame in strip["frames"]:
        text, (width, height) = html.escape(frame["text"], quote=True), frame["size"]
        frames.append(
            f'<figure><img src="{folder}/{frame["file"]}" alt="{alt}; {text}" width="{width}" height="{height}" '
            f'loading="lazy" decoding="async"><figcaption>{text}</figcaption></figure>'
        )
    return (
        f'<div class="strip" data-label="{label}" data-start="{strip["start"]}" data-width="{strip["width"]}">'
        f'<div class="strip-frames" role="group" tabindex="0" aria-label="{alt}, {len(frames)} pictures">'
        + "".join(frames)
        + "</div></div>"
    )


def api_pages() -> dict[str, str]:
    """The pages of the library: one for each public module, and an overview by floors, as the architecture page draws it."""
    folder = ROOT / "lib" / "colorize"
    names = sorted(
        str(file.relative_to(folder.parent).with_suffix("")).replace("/", ".").removesuffix(".__init__")
        for file in folder.rglob("*.py")
        if file.name not in ("__main__.py",) and not re.match(r"(lesson|mistakes)_\d\d", file.stem)
    )
    names.remove("colorize")
    pages = {
        f"api/{name}.rst": f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n   :members:\n"
        for name in names
    }
    rows = re.findall(
        r"^\| (\d+) \| (.+?) \| (.+?) \|$",
        (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"),
        re.M,
    )
    lines = [
        "# The library",
        "",
        "Each module holds one idea and imports only from the floors below its own "
        "([why](../docs/architecture.md)). The words are those of the docstrings.",
        "",
    ]
    seen: set[str] = set()
    floor = None
    for number, modules, what in rows:
        links = []
        for short in re.findall(r"`([\w/]+)`", modules):
            under = f"colorize.{short.rstrip('/').replace('/', '.')}"
            members = [
                name
                for name in names
                if name == under or (short.endswith("/") and name.startswith(f"{under}."))
            ]
            links += [
                f"[`{name.removeprefix('colorize.')}`]({name}.rst)" for name in members if name not in seen
            ]
            seen |= set(members)
        if links and number != floor:
            lines += ["", f"## Floor {number}", ""]
            floor = number
        if links:
            lines.append(f"- {', '.join(links)}: {what}")
    if others := [name for name in names if name not in seen]:
        lines += [
            "",
            "## Others",
            "",
            *(f"- [`{name.removeprefix('colorize.')}`]({name}.rst)" for name in others),
        ]
    tree = "\n".join(f"{name.removeprefix('colorize.')} <{name}>" for name in names)
    pages["api/index.md"] = "\n".join(lines) + f"\n\n```{{toctree}}\n:hidden:\n:maxdepth: 1\n\n{tree}\n```\n"
    return pages
