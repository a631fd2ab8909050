"""A lesson in a real JupyterLab with a real kernel, seen through a real browser: Chromium, without a window.

    with jupyterlab(folder) as lab:
        page = lab.open("02_quantization.ipynb")
        page.run_all()
        page.texts(".colorize-badge")

Nothing of the user's own Jupyter settings is read, nothing of this is left behind, and nothing outside this machine
can be reached: a lesson that loads anything from elsewhere gives an error in the console, here as on a train.
"""

import contextlib
import io
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By

PROGRAMS = "chromium", "chromedriver"
SETTINGS = {
    # All cells are in the page, also those out of sight.
    "notebook-extension/tracker": {"windowingMode": "none"},
    # No news and no question about news, no look for a newer version.
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
FLAGS = (
    "headless",
    "no-sandbox",  # which root does not get
    "disable-dev-shm-usage",  # containers have little shared memory
    "disable-gpu",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "no-first-run",
    "window-size=1200,1000",
    "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def need_chromium() -> None:
    """Skip the test where there is no Chromium; fail instead where COLORIZE_CI=1 says that there must be one."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        stop = pytest.fail if os.environ.get("COLORIZE_CI") == "1" else pytest.skip
        stop(f"browser tests need {' and '.join(PROGRAMS)}, this machine has no {' and no '.join(missing)}")


def wait_until(question: Callable[[], Any], what: str, seconds: float) -> Any:
    """Ask again and again until the answer is true, and return it. AssertionError if that takes too long."""
    end = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < end, f"waited {seconds:g} s in vain for {what}"
        time.sleep(0.1)
    return answer


@contextlib.contextmanager
def jupyterlab(folder: Path) -> Iterator["Lab"]:
    """Start JupyterLab on a folder and a browser; both have ended when the block is left, whatever happened in it."""
    need_chromium()
    with (
        tempfile.TemporaryDirectory(prefix="colorize-browser-", ignore_cleanup_errors=True) as private,
        _server(folder, Path(private)) as (address, token),
        _chromium(Path(private) / "home") as driver,
    ):
        yield Lab(driver, address, token, folder)


class Lab:
    """JupyterLab in a browser. Each notebook has a tab of its own."""

    def __init__(
        self, driver: webdriver.Chrome, address: str, token: str, root: Path, within: str = ""
    ) -> None:
        self.driver, self.address, self.token, self.root, self.within = driver, address, token, root, within

    @property
    def folder(self) -> Path:
        """Where the notebooks are, and their kernels work."""
        return self.root / self.within

    @contextlib.contextmanager
    def inside(self, name: str) -> Iterator["Lab"]:
        """The same JupyterLab in a new folder of its own. When the block is left, its tabs and kernels are gone."""
        lab = Lab(self.driver, self.address, self.token, self.root, f"{self.within}{name}/")
        lab.folder.mkdir()
        before = set(self.driver.window_handles)
        try:
            yield lab
        finally:
            lab.console_errors()  # what this folder's tests have not asked for is no error of the next ones
            for tab in set(self.driver.window_handles) - before:
                self.driver.switch_to.window(tab)
                self.driver.execute_script(
                    "return window.jupyterapp?.shell.currentWidget?.sessionContext?.shutdown()"
                )
                self.driver.close()
            self.driver.switch_to.window(min(before))

    def open(self, name: str) -> "Page":
        """Open a notebook of the folder and wait until its kernel is ready."""
        self.driver.switch_to.new_window("tab")
        # JupyterLab waits for the focus, which a window has that a person looks at. Here nobody looks.
        self.driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
        self.driver.get(f"{self.address}doc/tree/{quote(self.within + name)}?token={self.token}")
        page = Page(self.driver)
        ready = """
            const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
            return Boolean(context?.isReady && context.session?.kernel?.status === 'idle');
        """
        wait_until(lambda: page.js(ready), f"a kernel for {name}", 90)
        return page

    def console_errors(self) -> list[str]:
        """Return what the browser's console reports as an error, in all tabs, since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


class Page:
    """One notebook in its tab."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver, self.tab = driver, driver.current_window_handle

    def js(self, code: str, *arguments: Any) -> Any:
        """Run JavaScript in the page. A promise that it returns is waited for, and what it rejects is raised."""
        self.driver.switch_to.window(self.tab)
        return self.driver.execute_script(code, *arguments)

    def texts(self, selector: str) -> list[str]:
        """Return what a person reads in each element that can be seen (after scrolling), in the order of the page."""
        return self.js(
            """
            const seen = element => element.checkVisibility({visibilityProperty: true, opacityProperty: true});
            return [...document.querySelectorAll(arguments[0])].filter(seen).map(element => element.innerText);
            """,
            selector,
        )

    def press(self, selector: str, keys: str) -> None:
        """Give an element the focus, once it is there, and press keys, one after the other."""
        wait_until(lambda: self.texts(selector), f"an element {selector}", 20)
        self.driver.find_element(By.CSS_SELECTOR, selector).send_keys(keys)

    def run_all(self, seconds: float = 120) -> None:
        """Remove all outputs that the file holds, run all cells, and wait for the last one, or for an error."""
        self.js(
            """
            const run = name => window.jupyterapp.commands.execute(name);
            window.colorizeRan = null;
            run('notebook:clear-all-cell-outputs').then(() => run('notebook:run-all-cells'))
                .then(() => { window.colorizeRan = 'done' }, error => { window.colorizeRan = String(error) });
            """
        )
        ran = wait_until(lambda: self.js("return window.colorizeRan"), "the last cell", seconds)
        assert ran == "done", ran

    def trouble(self) -> list[str]:
        """Return a line on each code cell that ended with an error, and on each that was not run."""
        return self.js(
            """
            const cells = [...window.jupyterapp.shell.currentWidget.content.model.cells];
            return cells.filter(cell => cell.type === 'code').flatMap((cell, i) => {
                const errors = cell.outputs.toJSON().filter(output => output.output_type === 'error');
                if (errors.length) return errors.map(e => `code cell ${i + 1}: ${e.ename}: ${e.evalue}`);
                return cell.executionCount ? [] : [`code cell ${i + 1} was not run`];
            });
            """
        )

    def picture(self, selector: str) -> tuple[Image.Image, str]:
        """Return the picture behind the one <img> that fits, decoded, with its alternative text ("" if none)."""
        data, alt = self.js(
            """
            const [image, ...others] = document.querySelectorAll(arguments[0]);
            if (!image || others.length) throw Error(`${others.length + !!image} pictures fit ${arguments[0]}`);
            const alt = image.alt;
            return image.decode().then(() => fetch(image.src)).then(answer => answer.arrayBuffer())
                .then(buffer => [[...new Uint8Array(buffer)], alt]);
            """,
            selector,
        )
        return Image.open(io.BytesIO(bytes(data))), alt


@contextlib.contextmanager
def _server(folder: Path, private: Path) -> Iterator[tuple[str, str]]:
    """Run a JupyterLab server; yields its address and its token."""
    for name, values in SETTINGS.items():
        file = private / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(values))
    token = secrets.token_hex()
    # The environment's own kernel is found all the same: Jupyter looks below sys.prefix, too.
    own = {
        "JUPYTER_CONFIG_DIR": private / "config",
        "JUPYTER_DATA_DIR": private / "data",
        "JUPYTER_RUNTIME_DIR": private / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": private / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": private / "workspaces",
        "IPYTHONDIR": private / "ipython",
        "JUPYTER_TOKEN": token,  # not on the command line, where others could read it
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={_free_port()}", f"--ServerApp.root_dir={folder}"),
    ]
    log = private / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            env={**os.environ, **{name: str(value) for name, value in own.items()}},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def address() -> str | None:
        """The server writes where it listens: at another port, should ours have been taken in between."""
        assert server.poll() is None, f"JupyterLab has ended:\n{log.read_text()[-3000:]}"
        for file in (private / "runtime").glob("jpserver-*.json"):
            with contextlib.suppress(ValueError, OSError):  # half written, not yet listening
                port = json.loads(file.read_text())["port"]
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return f"http://127.0.0.1:{port}/"
        return None

    try:
        yield wait_until(address, "JupyterLab to start", 90), token
    finally:
        _end(server)


def _end(server: subprocess.Popen) -> None:
    """End the server and all that it started: it stops its kernels when asked to end, but a young one is deaf."""
    for number, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 15)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(seconds)
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def _chromium(home: Path) -> Iterator[webdriver.Chrome]:
    """Run Chromium, with a home folder of its own."""
    home.mkdir()
    options = webdriver.ChromeOptions()
    options.binary_location, driver_path = map(shutil.which, PROGRAMS)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"user-data-dir={home / 'profile'}"):
        options.add_argument(f"--{flag}")
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(home)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "*")  # selenium talks to its driver over http, a proxy would not find it
        driver = webdriver.Chrome(options, webdriver.ChromeService(driver_path, env=environment))
        try:
            driver.set_page_load_timeout(60)
            driver.set_script_timeout(30)
            yield driver
        finally:
            driver.quit()
