"""The site: its parts, without Sphinx; and, among the long tests, the whole of it, built and read in a browser."""

import doctest
import functools
import http.server
import importlib
import importlib.util
import inspect
import json
import os
import re
import sys
import threading
from types import SimpleNamespace

import nbformat
import pytest
from lessons import ROOT, SOURCES, stored
from PIL import Image

SITE = ROOT / "docs" / "site"
sys.path.insert(0, str(SITE))

import docstrings  # noqa: E402
import links  # noqa: E402
import pages  # noqa: E402
import strips  # noqa: E402

GOOD = """<html><head><link rel="stylesheet" href="a.css"><link rel="canonical" href="https://example.org/x"></head>
<body><h1 id="top">T</h1><a href="#top">up</a> <a href="https://example.org">out</a> <a href="b/">there</a>
<img src="p.png" alt="a cat"></body></html>"""


def site(folder, **files):
    """A small site: a page, a style sheet, a picture, another folder; and what is given, by name."""
    (folder / "b").mkdir()
    named = {
        "index.html": GOOD,
        "a.css": "p { background: url(p.png) }",
        "p.png": "",
        "b/index.html": "<p id='x'>B",
    }
    for name, text in (named | files).items():
        (folder / name).write_text(text)
    return folder


def test_a_good_site_has_no_problem(tmp_path):
    assert links.problems(site(tmp_path)) == []


@pytest.mark.parametrize(
    ("name", "planted", "found"),
    [
        ("x.html", '<a href="gone.html">', "x.html: dead link: gone.html"),
        ("x.html", '<a href="index.html#gone">', "x.html: no such place: index.html#gone"),
        ("x.html", '<a href="b/#y">', "x.html: no such place: b/#y"),
        ("x.html", '<a href="/index.html">', "starts at the root"),
        ("x.html", '<a href="../../etc/hosts">', "leads out of the site"),
        ("x.html", '<a href="javascript:void(0)">', "what is javascript:"),
        ("x.html", '<img src="p.png">', "x.html: a picture without alt text: p.png"),
        ("x.html", '<img src="p.png" alt=" ">', "a picture without alt text"),
        ("x.html", '<img src="gone.png" alt="a cat">', "dead link: gone.png"),
        ("x.html", '<img srcset="p.png 1x, gone.png 2x" src="p.png" alt="a cat">', "dead link: gone.png"),
        ("x.html", '<script src="https://example.org/x.js"></script>', "another host: https://example.org/x.js"),
        ("x.html", '<script src="//example.org/x.js"></script>', "another host: //example.org/x.js"),
        ("x.html", '<link rel="stylesheet" href="http://example.org/x.css">', "another host"),
        ("x.html", '<link rel="preconnect" href="https://example.org">', "another host"),
        ("x.html", '<iframe src="https://example.org/"></iframe>', "another host"),
        ("x.html", '<p style="background: url(https://example.org/p.png)">', "another host"),
        ("x.html", "<style>@import 'https://example.org/f.css';</style>", "another host"),
        ("x.css", "@font-face { src: url('https://example.org/f.woff') }", "x.css: loads from another host"),
        ("x.css", "p { background: url(gone.png) }", "x.css: dead link"),
        ("x.html", '<span class="math notranslate">x</span>', "x.html: formulas, and no MathJax"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_found(tmp_path, name, planted, found):
    lines = links.problems(site(tmp_path, **{name: planted}))
    assert len(lines) == 1, lines
    assert found in lines[0]


def test_an_empty_folder_is_no_site(tmp_path):
    assert len(links.problems(tmp_path)) == 1


def test_docstrings_keep_their_words():
    """What reStructuredText would take for markup reaches the page as it was written."""
    docutils = pytest.importorskip("docutils.core")
    text = inspect.cleandoc("""
        Sum of a*b and c*d, with x_ and |z|.

        With p a pixel::

            E = sum_p x_p * y_p

        Parameters
        ----------
        *args, p_ : first line,
            second line with ``code * x_``.
        lam : weight.

        Raises
        ------
        ValueError if ``a``
        is not b.

        >>> 2 * 3
        6
    """)
    rst = "\n".join(docstrings.convert(text.split("\n")))
    tree = docutils.publish_doctree(rst, settings_overrides={"report_level": 2, "halt_level": 2})
    words = tree.astext()
    for phrase in (
        "a*b and c*d, with x_ and |z|.",
        "E = sum_p x_p * y_p",
        "code * x_",
        "*args, p_",
        ">>> 2 * 3\n6",
    ):
        assert phrase in words
    names = [item.astext() for item in tree.findall(lambda node: node.tagname == "term")]
    assert names == ["*args, p_", "lam"]
    assert [rubric.astext() for rubric in tree.findall(lambda n: n.tagname == "rubric")] == [
        "Parameters",
        "Raises",
    ]


def test_every_docstring_is_sound_markup():
    docutils = pytest.importorskip("docutils.core")
    text = re.compile(r":(func|class|meth|mod):`([^`]+)`")  # Sphinx's own
    for path in sorted((ROOT / "lib" / "colorize").glob("*.py")):
        if path.stem == "__main__":
            continue
        module = importlib.import_module(f"colorize.{path.stem}")
        for name, thing in [("", module), *vars(module).items()]:
            if (not name or getattr(thing, "__module__", "") == module.__name__) and inspect.getdoc(thing):
                rst = "\n".join(docstrings.convert(inspect.getdoc(thing).split("\n")))
                settings = {"report_level": 2, "halt_level": 2}
                docutils.publish_doctree(
                    text.sub(r"``\2``", rst), f"{module.__name__}.{name}", settings_overrides=settings
                )


def slider(**parts):
    return SimpleNamespace(**parts)


def test_positions_of_sliders():
    few, at = strips.positions(slider(options=(("one", 1), ("two", 2)), value=2))
    assert (few, at) == ([("one", 1), ("two", 2)], 1)
    names, at = strips.positions(slider(options=(0, 1, 30), value=30))
    assert (names, at) == ([("0", 0), ("1", 1), ("30", 30)], 2)
    many, at = strips.positions(slider(min=0.0, max=1.0, step=0.01, value=0.38))
    assert many[at] == ("0.38", 0.38)
    assert (many[0], many[-1]) == (("0.00", 0.0), ("1.00", 1.0))
    assert len(many) <= strips.MOST + 1
    assert [value for _, value in many] == sorted({value for _, value in many})
    whole, at = strips.positions(slider(min=2, max=80, step=2, value=10))
    assert whole[at] == ("10", 10)
    assert all(isinstance(value, int) for _, value in whole)


def test_frames_are_kept_until_something_changes(tmp_path, monkeypatch):
    lesson = tmp_path / "solutions" / "77_test.ipynb"
    lesson.parent.mkdir()
    store = tmp_path / "store"
    (store / "77_test").mkdir(parents=True)
    lesson.write_text("as it was")
    kept = {
        "form": strips.FORM, "strips": ["kept"], "used": {"solutions/77_test.ipynb": strips.digest(lesson)},
    }  # fmt: skip
    (store / "77_test" / "strips.json").write_text(json.dumps(kept))
    monkeypatch.setattr(strips, "ROOT", tmp_path)
    started = []

    def run(command, **_):
        started.append(command)
        fresh = {"form": strips.FORM, "strips": ["fresh"], "used": {}}
        (tmp_path / command[-1] / "strips.json").write_text(json.dumps(fresh))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(strips.subprocess, "run", run)
    assert strips.frames(lesson, store) == ["kept"]
    lesson.write_text("changed")
    assert strips.frames(lesson, store, old=True) == ["kept"]
    assert not started
    assert strips.frames(lesson, store) == ["fresh"]
    assert len(started) == 1
    other = {"form": strips.FORM - 1, "strips": ["of another form"], "used": {}}
    for what in ("{half", json.dumps(other)):
        (store / "77_test" / "strips.json").write_text(what)
        assert strips.frames(lesson, store) == ["fresh"]


def test_frames_are_what_the_lesson_draws(tmp_path):
    """A lesson of three cells, run as ``make site`` runs the real ones: the frames are those of its own function."""
    cells = [
        "import ipywidgets, torch\nfrom colorize.prior import load_prior\nfrom colorize.widgets import slider_demo",
        "def flat(x):\n    return torch.full((3, 8, 12), x / 4), f'gray {x}'",
        "load_prior()\nslider_demo(flat, ipywidgets.IntSlider(3, min=0, max=4, description='g'), 'flat', 'A gray', 96)",
        "raise AssertionError('what comes after the last slider is not run')",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, tmp_path / "77_test.ipynb")
    (strip,) = strips.frames(tmp_path / "77_test.ipynb", tmp_path / "store")
    assert (strip["cell"], strip["name"], strip["label"], strip["alt"], strip["width"]) == (
        2,
        "flat",
        "g",
        "A gray",
        96,
    )
    assert strip["start"] == 3
    assert [(frame["value"], frame["text"]) for frame in strip["frames"]] == [
        (f"{k}", f"gray {k}") for k in range(5)
    ]
    for k, frame in enumerate(strip["frames"]):
        image = Image.open(tmp_path / "store" / "77_test" / frame["file"])
        assert list(image.size) == frame["size"] == [12, 8]
        assert abs(image.getpixel((5, 5))[0] - 255 * k / 4) < 2
    used = json.loads((tmp_path / "store" / "77_test" / "strips.json").read_text())["used"]
    assert {"lib/colorize/widgets.py", "lib/colorize/prior.py", "data/priors/imagenet800.json"} <= set(used)
    text = pages.strip_html(strip, "../strips/77_test")
    assert not links.Page(text).wordless
    assert "gray 4</figcaption>" in text


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_lesson_becomes_a_page(source):
    notebook, pictures = stored(source), {}
    alts = [
        output.metadata[kind]["alt"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        for kind in output.get("data", {})
        if kind.startswith("image/")
    ]
    page = pages.lesson_page(notebook, source.stem, [], pictures)
    nbformat.validate(page)
    shown = [
        o.data["text/html"]
        for c in page.cells
        for o in c.get("outputs", [])
        if "text/html" in o.get("data", {})
    ]
    found = [links.Page(text) for text in shown]
    assert not any(part.wordless for part in found)
    assert sum(len(part.loads) for part in found) == len(alts) > 0
    assert all(any(pages.html.escape(alt, quote=True) in text for text in shown) for alt in alts)
    assert {name for part in found for name in part.loads} == {f"../pictures/{name}" for name in pictures}
    for cell in page.cells:
        if cell.cell_type == "code" and cell.metadata.get("jupyter", {}).get("source_hidden"):
            assert "hide-input" in cell.metadata.tags
        assert "BEGIN SOLUTION" not in cell.source
    # What a solution says can be seen only where it is folded.
    folded = [cell for cell in page.cells if cell.metadata.get("mystnb")]
    asked = [cell for cell in page.cells if cell.id.endswith("-open")]
    assert len(folded) == len(asked) > 0
    assert all("hide-input" in cell.metadata.tags for cell in folded)
    assert all("raise NotImplementedError" in cell.source and not cell.get("outputs") for cell in asked)


def test_formulas_in_folded_parts_are_marked():
    text = "Outside $a$.\n<details><summary>S</summary>Inside $b_1$ and <code>c</code>.</details>"
    assert pages.formulas_in_details(text) == (
        "Outside $a$.\n<details><summary>S</summary>Inside "
        r'<span class="math notranslate nohighlight">\(b_1\)</span> and <code>c</code>.</details>'
    )


def test_the_first_page_has_every_lesson_and_every_section_has_a_place():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    front, rest = pages.split_readme(readme)
    lessons = [pages.teacher.lesson_of(source) for source in SOURCES]
    text = pages.front_page(front, lessons)
    for lesson in lessons:
        assert f"](solutions/{lesson.stem}.ipynb) | {lesson.question} | {lesson.read.split(',')[0]} |" in text
    assert "| 90 minutes | 1 1/2 min |" in text and text == pages.front_page(pages.downloads(front), lessons)
    assert "notebooks/0" not in text
    for heading in re.findall(r"^## .+$", readme, re.MULTILINE):
        assert (heading in text) != (heading in rest)


def test_every_public_module_has_a_page():
    found = pages.api_pages()
    assert {
        "api/colorize.decode.rst",
        "api/colorize.networks.zhang.rst",
        "api/colorize.check.judge.rst",
    } <= set(found)
    assert not [name for name in found if "lesson_" in name or "mistakes_" in name]
    for name in found:
        assert name == "api/index.md" or f"({name.removeprefix('api/')})" in found["api/index.md"]


def test_settings_can_be_read():
    spec = importlib.util.spec_from_file_location("site_conf", SITE / "conf.py")
    conf = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conf)
    assert conf.nb_execution_mode == "off"
    assert all((SITE / "static" / name).is_file() for name in (*conf.html_css_files, *conf.html_js_files))


NOTATION = (ROOT / "docs" / "notation.md").read_text(encoding="utf-8")
NAMES = re.findall(r"`(colorize\.[\w.]+)(?:\((\w+)=([^`)]+)\)| = ([^`]+))?`", NOTATION)


def find(name):
    """Import what a dotted name means."""
    parts = name.split(".")
    for k in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:k]))
        except ModuleNotFoundError:
            continue
        return functools.reduce(getattr, parts[k:], thing)
    raise AssertionError(name)


@pytest.mark.parametrize(("name", "argument", "default", "value"), NAMES, ids=lambda part: part or "-")
def test_the_names_of_the_notation_exist(name, argument, default, value):
    thing = find(name)
    if argument:
        given = inspect.signature(thing).parameters[argument]
        # What has no default of its own is only an example of how it is called.
        assert given.default is given.empty or given.default == float(default)
    if value:
        assert thing == float(value)


def test_the_arguments_of_the_notation_exist():
    """Where the table says "`name`, (shape), of `function`", the function takes, or the class has, what the table says."""
    pairs = re.findall(r"`(\w+)`(?:, \([^)]*\),)? of `(colorize\.[\w.]+)`", NOTATION)
    assert len(pairs) >= 5
    for argument, name in pairs:
        thing = find(name)
        assert argument in (getattr(thing, "_fields", None) or inspect.signature(thing).parameters), (
            argument,
            name,
        )


def test_the_notation_names_what_was_asked_for():
    symbols = re.findall(r"^\| \$\\?(hat Z|\w+)", NOTATION, re.MULTILINE)
    assert {"Z", "hat Z", "Q", "H", "T", "v", "p", "lambda", "sigma", "K", "alpha", "L"} <= set(symbols)
    rows = [line for line in NOTATION.splitlines() if line.startswith("|")]
    assert {line.count(" | ") for line in rows if "---" not in line} == {6}  # one cell for each paper


def test_the_shapes_of_the_notation_are_true():
    (code,) = re.findall(r"^```python\n(.*?)^```", NOTATION, re.MULTILINE | re.DOTALL)
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(doctest.DocTestParser().get_doctest(code, {}, "notation.md", None, 0))
    assert runner.summarize(verbose=False) == (0, code.count(">>>"))


# The whole site, in a browser.

WIDTHS = 360, 768, 1280
LOOKED_AT = "index.html", "docs/notation.html", "api/index.html", "api/colorize.decode.html", "README.html"


def sphinx_or_skip():
    missing = [name for name in ("sphinx", "myst_nb", "furo") if importlib.util.find_spec(name) is None]
    if missing:
        stop = pytest.fail if os.environ.get("COLORIZE_CI") == "1" else pytest.skip
        stop(f"the site is built with {', '.join(missing)}: pip install -c constraints.txt -e '.[site]'")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The site, built from nothing but for the sliders' frames, which are drawn where they are not what they should be."""
    sphinx_or_skip()
    import subprocess

    output = tmp_path_factory.mktemp("site") / "site"
    done = subprocess.run(
        [sys.executable, SITE / "build.py", "--output", output], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return output


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the site, and notes what is asked for and not there."""

    missing: list = []  # noqa: RUF012

    def log_message(self, *_):
        """Say nothing."""

    def send_error(self, code, *rest):
        """Note it."""
        self.missing.append(f"{code} {self.path}")
        super().send_error(code, *rest)


@pytest.fixture(scope="module")
def browser(built, tmp_path_factory):
    """A browser, and the site's address on this machine."""
    from browser import _chromium, need_chromium

    need_chromium()
    handler = functools.partial(Quiet, directory=str(built))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with _chromium(tmp_path_factory.mktemp("browser") / "home") as driver:
            yield driver, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def severe(driver):
    """What the console has called an error since the last time."""
    return [e["message"] for e in driver.get_log("browser") if e["level"] == "SEVERE"]


def set_width(driver, width, height=900):
    """A window as wide as a phone, which Chromium's own window cannot be."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@pytest.mark.long
def test_every_page_is_quiet_and_fits(browser):
    driver, address = browser
    names = [*LOOKED_AT, *(f"solutions/{source.stem}.html" for source in SOURCES)]
    for name in names:
        for width in WIDTHS:
            set_width(driver, width)
            driver.get(address + name)
            wide = driver.execute_script("return document.scrollingElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} pixels wide in a window of {width}"
        assert severe(driver) == [], name
    assert Quiet.missing == []


@pytest.mark.long
def test_pictures_of_a_lesson_can_be_seen(browser):
    driver, address = browser
    set_width(driver, 360)
    driver.get(f"{address}solutions/{SOURCES[0].stem}.html")
    sizes = driver.execute_async_script(
        """
        const done = arguments[0], images = [...document.querySelectorAll('article img')];
        images.forEach(image => { image.loading = 'eager' });
        Promise.all(images.map(image => image.decode())).then(
            () => done(images.map(image => [image.naturalWidth, image.getBoundingClientRect().width])), done);
        """
    )
    assert len(sizes) >= 4
    assert all(natural > 0 and 0 < wide <= 360 for natural, wide in sizes)


@pytest.mark.long
def test_the_slider_moves_without_a_kernel(browser):
    from browser import wait_until
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    driver, address = browser
    set_width(driver, 360)
    for name, count in (("00_start_here", 1), ("06_from_distribution_to_color", 2)):
        driver.get(f"{address}solutions/{name}.html")
        sliders = driver.find_elements(By.CSS_SELECTOR, ".strip input[type=range]")
        assert len(sliders) == count
        picture = driver.find_element(By.CSS_SELECTOR, ".strip .strip-picture")
        text = driver.find_element(By.CSS_SELECTOR, ".strip .strip-text")
        assert "T = 0.38, mean chroma" in text.text
        before, alt = picture.get_attribute("src"), picture.get_attribute("alt")
        sliders[0].send_keys(Keys.END)
        assert picture.get_attribute("src") != before
        assert picture.get_attribute("alt") != alt
        assert "T = 1.00" in text.text
        assert sliders[0].get_attribute("aria-valuetext") == text.text
        assert sliders[0].accessible_name == "T"
        drawn = functools.partial(
            driver.execute_script, "return arguments[0].complete && arguments[0].naturalWidth > 0"
        )
        wait_until(functools.partial(drawn, picture), "the last frame", 10)


@pytest.mark.long
def test_without_javascript_the_frames_are_a_row(built):
    page = (built / "solutions" / "00_start_here.html").read_text(encoding="utf-8")
    (row,) = re.findall(r'<div class="strip-frames".*?</div>', page, re.DOTALL)
    assert row.count("<img ") == row.count("<figcaption>") >= 15
    assert "T = 0.00, mean chroma" in row


@pytest.mark.long
def test_search_finds(browser):
    from browser import wait_until
    from selenium.webdriver.common.by import By

    driver, address = browser
    set_width(driver, 1280)
    driver.get(f"{address}search.html?q=annealed+mean")
    found = wait_until(lambda: driver.find_elements(By.CSS_SELECTOR, "#search-results li a"), "results", 20)
    assert any(
        "colorize.decode" in link.get_attribute("href") or "06_from" in link.get_attribute("href")
        for link in found
    )


@pytest.mark.long
def test_dark_mode(browser):
    from selenium.webdriver.common.by import By

    driver, address = browser
    set_width(driver, 1280)
    driver.get(f"{address}solutions/{SOURCES[0].stem}.html")
    seen = {}
    for _ in range(3):
        button = next(b for b in driver.find_elements(By.CSS_SELECTOR, ".theme-toggle") if b.is_displayed())
        button.click()
        theme = driver.execute_script("return document.body.dataset.theme")
        seen[theme] = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert set(seen) == {"auto", "light", "dark"}
    assert seen["light"] != seen["dark"]


@pytest.mark.long
def test_formulas_are_set_without_a_net(built, browser):
    """Those of the text, and those in folded hints, which Sphinx takes for plain HTML."""
    from browser import wait_until

    driver, address = browser
    in_hints = [
        path
        for path in sorted((built / "solutions").glob("*.html"))
        if re.search(r"<details>(?:(?!</details>).)*\\\(", path.read_text(encoding="utf-8"), re.DOTALL)
    ]
    assert in_hints, "no lesson has a formula in a hint any more: take this part of the test away"
    driver.get(f"{address}solutions/{in_hints[0].name}")
    count = "return document.querySelectorAll(arguments[0]).length"
    wait_until(lambda: driver.execute_script(count, "mjx-container"), "MathJax", 30)
    wait_until(
        lambda: not driver.execute_script(count, ".math:not(:has(mjx-container))"), "every formula", 30
    )
    assert driver.execute_script(count, "details mjx-container") > 0
    assert severe(driver) == []
