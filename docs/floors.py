"""Draw the floors of the library as a picture, docs/floors.svg, from the table in docs/architecture.md.

python docs/floors.py
"""

import re
from html import escape
from pathlib import Path

from colorize.files import write_whole

DOCS = Path(__file__).parent
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \|", re.MULTILINE)
WIDTH, LEFT, LINE, LETTER, GAP = 900, 90, 30, 7.9, 8  # pixels; a letter of the fixed-width font at 13 pixels


def floors(table: str) -> dict[int, list[str]]:
    """Read the modules of each floor, the top one first, from the rows ``| floor | `module`, `module` | ... |``."""
    found: dict[int, list[str]] = {}
    for number, names in ROW.findall(table):
        found.setdefault(int(number), []).extend(re.findall(r"`(\w+)/?`", names))
    return dict(sorted(found.items(), reverse=True))


def draw(found: dict[int, list[str]]) -> str:
    """Return an SVG: a band for each floor with a box for each module. It brings its own white ground."""
    shapes, y = [], 0
    for number, names in found.items():
        top, x, line = y, LEFT, 0
        boxes = []
        for name in sorted(names):
            width = LETTER * len(name) + 16
            if x + width > WIDTH - GAP:
                x, line = LEFT, line + 1
            above = top + GAP + line * LINE
            boxes.append(
                f'<rect x="{x:g}" y="{above}" width="{width:g}" height="24" rx="4" fill="#fff" stroke="#555"/>'
            )
            boxes.append(
                f'<text x="{x + width / 2:g}" y="{above + 17}" text-anchor="middle">{escape(name)}</text>'
            )
            x += width + GAP
        y = top + GAP + (line + 1) * LINE + 2
        ground = "#f1f1f1" if number % 2 else "#e4e4e4"
        shapes.append(f'<rect x="0" y="{top}" width="{WIDTH}" height="{y - top}" fill="{ground}"/>')
        shapes.append(f'<text x="12" y="{(top + y) / 2 + 5:g}">floor {number}</text>')
        shapes += boxes
    said = f"The {sum(map(len, found.values()))} modules of the library on {len(found)} floors"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img" aria-labelledby="said"',
            '     font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13" fill="#111">',
            f'<title id="said">{said}; a module imports only from floors below its own.</title>',
            *shapes,
            "</svg>\n",
        ]
    )


def main() -> None:
    """Write the picture."""
    table = (DOCS / "architecture.md").read_text(encoding="utf-8")
    with write_whole(DOCS / "floors.svg") as file:
        file.write(draw(floors(table)).encode())


if __name__ == "__main__":
    main()
