"""The library's docstrings, which are plain text, as reStructuredText for the API pages.

Sections ("Parameters" over a line of dashes) become headings with definition lists, what reStructuredText would take for
markup is escaped, and doctests, ``literals``, roles and indented blocks after ``::`` stay as they are.
"""

import re

SECTIONS = ("Parameters", "Returns", "Raises", "Yields", "Attributes", "Notes", "Examples")
KEPT = re.compile(r"``.+?``|:[a-z]+:`[^`]+`|(?<!\*)\*\*[A-Z][^*]+\*\*")
ENTRY = re.compile(r"^(\*{0,2}[A-Za-z_][\w, *.]*?) : (.*)$")
QUOTED = re.compile(r'^("[^"]+") : (.*)$')


def escape(text: str) -> str:
    """Escape what would be markup in running text, except in literals and roles."""
    parts, end = [], 0
    for kept in KEPT.finditer(text):
        parts += [_plain(text[end : kept.start()]), kept[0]]
        end = kept.end()
    return "".join([*parts, _plain(text[end:])])


def _plain(text: str) -> str:
    text = re.sub(r"([*|`\\])", r"\\\1", text)
    return re.sub(r"(?<=\w)_(?!\w)", r"\_", text)


def convert(lines: list[str]) -> list[str]:
    """Turn the lines of a docstring into lines of reStructuredText."""
    lines = _whole_literals(lines)
    out: list[str] = []
    k, section = 0, ""
    while k < len(lines):
        line = lines[k]
        if line.strip() in SECTIONS and k + 1 < len(lines) and re.fullmatch(r"\s*-{3,}\s*", lines[k + 1]):
            section = line.strip()
            out += ["", f".. rubric:: {section}", ""]
            k += 2
        elif line.lstrip().startswith(">>>"):
            out.append("")
            while k < len(lines) and lines[k].strip():
                out.append(lines[k])
                k += 1
            out.append("")
            section = ""
        elif line.rstrip().endswith("::") and not line.startswith(" "):
            out += [escape(line), ""]
            k += 1
            while k < len(lines) and (not lines[k].strip() or lines[k].startswith(" ")):
                out.append(lines[k])
                k += 1
            out.append("")
        elif entry := (section in ("Parameters", "Attributes") and ENTRY.match(line)) or QUOTED.match(line):
            out += ["", f"**{_plain(entry[1])}**", f"    {escape(entry[2])}"]
            k += 1
            while k < len(lines) and lines[k].startswith(" "):
                out.append("    " + escape(lines[k].strip()))
                k += 1
            out.append("")
        elif section and line.startswith(" "):  # a continuation, indented for the eye
            out.append(escape(line.strip()))
            k += 1
        else:
            out.append(escape(line))
            k += 1
    return out


def _whole_literals(lines: list[str]) -> list[str]:
    """Close a ``literal`` on the line that opens it: one that is broken over two lines takes its second half along."""
    out: list[str] = []
    for line in lines:
        if out and out[-1].count("``") % 2 and line.strip():
            head, tail, rest = line.strip().partition("``")
            out[-1] += f" {head}{tail}"
            line = line[: len(line) - len(line.lstrip())] + rest.lstrip()
            if not rest.strip():
                continue
        out.append(line)
    return out


def process(app, what, name, obj, options, lines: list[str]) -> None:
    """Sphinx's hook: convert in place."""
    lines[:] = convert(lines)


def skip(app, what, name, obj, skipped: bool, options) -> bool | None:
    """Sphinx's hook: the fields of a NamedTuple stand in its first line, "Alias for field number 0" says nothing."""
    return True if (getattr(obj, "__doc__", None) or "").startswith("Alias for field number") else None
