"""The checks of a built site: dead links and anchors, pictures without words, and anything from another host.

    python docs/site/links.py build/site

A link that a person may click can lead anywhere; only what a browser would load by itself has to be in the site.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "iframe": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "track": ("src",),
    "input": ("src",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
}
NOT_LOADED = {"canonical", "next", "prev", "search", "index", "author", "license", "alternate"}
CSS_URL = re.compile(r"""url\(\s*['"]?([^'")]+)['"]?\s*\)|@import\s+['"]([^'"]+)['"]""")


class Page(HTMLParser):
    """What a page loads, what it links to, its anchors, and its pictures without words."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.wordless: list[str] = []
        self.formulas = False
        self._style = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Sort one tag's addresses."""
        values = {name: value or "" for name, value in attributes}
        self.anchors |= {values[name] for name in ("id", "name") if values.get(name)}
        self._style = tag == "style"
        self.formulas |= "math" in values.get("class", "").split()
        if tag == "img" and not values.get("alt", "").strip():
            self.wordless.append(values.get("src", "")[:80])
        for name in LOADS.get(tag, ()):
            if value := values.get(name):
                self.loads += [part.split()[0] for part in value.split(",")] if name == "srcset" else [value]
        if tag == "link" and values.get("href"):
            loaded = not set(values.get("rel", "").lower().split()) & NOT_LOADED
            (self.loads if loaded else self.links).append(values["href"])
        if tag in ("a", "area") and "href" in values:
            self.links.append(values["href"])
        self.loads += css_urls(values.get("style", ""))

    handle_startendtag = handle_starttag

    def handle_data(self, data: str) -> None:
        """Read style sheets that stand in the page."""
        if self._style:
            self.loads += css_urls(data)


def css_urls(text: str) -> list[str]:
    """Return the addresses that a style sheet loads."""
    return [found[1] or found[2] for found in CSS_URL.finditer(text)]


def problems(site: Path) -> list[str]:
    """Return a line on each fault of the site, in order; an empty list if there is none."""
    pages = {file: Page(file.read_text(encoding="utf-8")) for file in sorted(site.rglob("*.html"))}
    if not pages:
        return [f"{site}: there is no page"]
    found = []
    for file, page in pages.items():
        where = file.relative_to(site)
        found += [f"{where}: a picture without alt text: {source}" for source in page.wordless]
        if page.formulas and not any("mathjax" in address for address in page.loads):
            found.append(f"{where}: formulas, and no MathJax")  # Sphinx sees none that stand in plain HTML
        for address in page.loads:
            found += _check(site, file, address, pages, loaded=True)
        for address in page.links:
            found += _check(site, file, address, pages, loaded=False)
    for file in sorted(site.rglob("*.css")):
        for address in css_urls(file.read_text(encoding="utf-8")):
            found += _check(site, file, address, pages, loaded=True)
    return list(dict.fromkeys(found))


def _check(site: Path, file: Path, address: str, pages: dict[Path, Page], loaded: bool) -> list[str]:
    where, parts = file.relative_to(site), urlsplit(address)
    if parts.scheme == "data" or (not loaded and parts.scheme in ("mailto", "https", "http")):
        return []
    if parts.scheme or parts.netloc:
        return [
            f"{where}: loads from another host: {address[:120]}"
            if loaded
            else f"{where}: what is {address[:80]}?"
        ]
    if parts.path.startswith("/"):
        return [f"{where}: {address} starts at the root of a host, the site may lie deeper"]
    target = file if not parts.path else (file.parent / unquote(parts.path)).resolve()
    if target.is_dir():
        target /= "index.html"
    if not target.is_relative_to(site.resolve()) and not target.is_relative_to(site):
        return [f"{where}: {address} leads out of the site"]
    if not target.exists():
        return [f"{where}: dead link: {address}"]
    page = pages.get(target) or pages.get(
        site / target.relative_to(site.resolve()) if target != file else file
    )
    anchor = unquote(parts.fragment)
    if page is not None and anchor and anchor not in page.anchors and target.name != "search.html":
        return [f"{where}: no such place: {address}"]
    return []


if __name__ == "__main__":
    lines = problems(Path(sys.argv[1]).resolve())
    print("\n".join(lines) or "no dead link, nothing from another host, words for every picture")
    sys.exit(bool(lines))
