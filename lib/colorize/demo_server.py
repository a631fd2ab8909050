"""Show :mod:`colorize.photo_demo` to visitors: ``python -m colorize.demo_server``, which is what ``make demo`` runs.

Voila serves a notebook of one cell. Each visitor has a process of their own, so that nobody sees another one's photo, and
what the browser may send to it is limited here. A page that is left, or that nobody touches for some minutes, gives
its process back, and with it the photo is gone.
"""

import contextlib
import functools
import importlib.util
import json
import logging
import os
import socket
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import Any

from .console import Parser
from .photo_demo import BYTES

NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "app",
            "metadata": {},
            "outputs": [],
            "source": "from colorize.photo_demo import photo_demo\n\nphoto_demo()",
        }
    ],
    "metadata": {
        "kernelspec": {"display_name": "demo", "language": "python", "name": "colorize-demo"},
        "title": "Color a gray photo",
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}
# Voila's own page without what it loads from elsewhere (Font Awesome, Mermaid): a stand may have no network. A file that is
# too large never leaves the browser: its size arrives without its content, and the app says the sentence. A websocket message
# that is too large all the same ends its connection. A page that rests loads another one, which Voila's page answers, as any
# other way to leave it, by giving its kernel back. The widgets' slider has no name for screen readers, and their button
# counts files ("Upload yours (0)"): both are mended as they appear. Their colors are variables, which know no dark by themselves.
PAGE = """{%- extends 'voila/templates/lab/index.html.j2' -%}
{%- block notebook_css -%}
{{ super() | replace('https://cdn.jsdelivr.net/npm/@fortawesome/fontawesome-free@^5/css/', 'data:text/css,') }}
{%- endblock notebook_css -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block html_head_js -%}
{{ super() }}
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
  html:root {color-scheme: light dark}
  html body {background: var(--jp-layout-color0)}
  .widget-dropdown > select:not([multiple]) {appearance: auto; background-image: none; padding-right: 8px}
  :focus-visible {outline: 2px solid #268380; outline-offset: 2px}
  @media (prefers-color-scheme: dark) {
    html:root {
      --jp-layout-color0: #15171a; --jp-layout-color1: #1e2125; --jp-layout-color2: #2b2f35; --jp-layout-color3: #565d66;
      --jp-ui-font-color0: #fff; --jp-ui-font-color1: #e8e8e8; --jp-ui-font-color2: #b8bcc2; --jp-ui-font-color3: #9aa0a6;
      --jp-content-font-color0: #fff; --jp-content-font-color1: #e8e8e8; --jp-content-font-color2: #b8bcc2;
      --jp-border-color1: #6a717a; --jp-border-color2: #565d66;
    }
  }
</style>
<script>
  new MutationObserver(() => {
    const all = (what) => document.querySelectorAll('.colorize-photo-' + what);
    for (const handle of all('temperature .noUi-handle:not([aria-label])')) handle.ariaLabel = 'Temperature';
    for (const number of all('temperature .widget-readout:not([aria-label])')) {
      number.role = 'textbox';
      number.ariaLabel = 'Temperature, as a number';
    }
    for (const button of all('upload'))
      for (const part of button.childNodes)
        if (/ \\(\\d+\\)$/.test(part.data)) part.data = part.data.replace(/ \\(\\d+\\)$/, '');
  }).observe(document, {childList: true, subtree: true, attributeFilter: ['class']});
  const readAll = FileReader.prototype.readAsArrayBuffer;
  FileReader.prototype.readAsArrayBuffer = function (file) {
    return readAll.call(this, file.size > BYTES ? new Blob() : file);
  };
  let rest = 0;
  function touched() {
    clearTimeout(rest);
    rest = setTimeout(() => location.replace('voila/templates/colorize/static/rest.html'), SECONDS * 1000);
  }
  for (const type of ['pointerdown', 'pointermove', 'keydown', 'change']) addEventListener(type, touched, true);
  touched();
</script>
{%- endblock html_head_js -%}
"""
PLAIN = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Color a gray photo</title>HEAD
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:;base64,=">
<meta name="color-scheme" content="light dark">
<style>body {font: 20px sans-serif; text-align: center; margin: 15vh 1em} a {font-size: 28px}</style></head>
<body><h1>Color a gray photo</h1>BODY</body></html>
"""
REST = PLAIN.replace("HEAD", "").replace("BODY", '<p><a href="/">Start</a></p>')
ERROR = PLAIN.replace(
    "HEAD", '{% if status_code == 503 %}<meta http-equiv="refresh" content="15">{% endif %}'
).replace("BODY", "<p>{{ message or status_message }}</p>")
GRACE = 10  # seconds that a page may be without its connection
FULL = "All %d places are taken. This page tries again by itself."


def write_folder(folder: Path, minutes: float) -> Path:
    """Write what Voila reads, the notebook, its kernel and the pages; return the path of the notebook."""
    library = str(Path(__file__).resolve().parents[1])
    kernel = {
        # ipykernel keeps what is typed in a file; here nothing is typed, and nothing kept.
        "argv": [
            *(sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"),
            *("--HistoryManager.enabled=False", "--IPKernelApp.log_level=ERROR"),
        ],
        "display_name": "demo",
        "language": "python",
        # With more threads than cores, visitors wait for each other.
        "env": {
            "OMP_NUM_THREADS": "1",
            "IPYTHONDIR": str(folder / "ipython"),
            "PYTHONPATH": os.pathsep.join(filter(None, (library, os.environ.get("PYTHONPATH")))),
        },
    }
    template = folder / "voila" / "templates" / "colorize"
    page = PAGE.replace("BYTES", str(BYTES)).replace("SECONDS", str(60 * minutes))
    for path, text in (
        (folder / "app" / "demo.ipynb", json.dumps(NOTEBOOK)),
        (folder / "kernels" / "colorize-demo" / "kernel.json", json.dumps(kernel)),
        (template / "conf.json", json.dumps({"base_template": "lab"})),
        (template / "index.html.j2", page),
        (template / "error.html", ERROR),
        (template / "404.html", ERROR),
        (template / "static" / "rest.html", REST),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "app" / "demo.ipynb"


def settings(notebook: Path, host: str, port: int, visitors: int, minutes: float) -> dict[str, Any]:
    """Return Voila's configuration: what a visitor may do, and for how long."""
    return {
        "Voila": {
            "ip": host,
            "port": port,
            "port_retries": 0,
            "open_browser": False,
            "notebook_path": str(notebook),
            "root_dir": str(notebook.parent),
            "connection_dir_root": str(notebook.parents[1]),
            "config_file_paths": [],
            "log_level": logging.ERROR,
            # Widgets send a photo as it is, and some hundred bytes about it.
            "tornado_settings": {
                "websocket_max_message_size": BYTES + 1_000_000,
                # A page that is left sends the number of its kernel, to end it. Voila's pages lack the cookie that Jupyter asks
                # for; nobody is logged in here in whose name another site could act, and it cannot know the number.
                "disable_check_xsrf": True,
                "ws_ping_timeout": 30_000,  # Jupyter's own is longer than its interval, of which tornado complains
            },
        },
        "VoilaConfiguration": {
            "template": "colorize",
            "allow_template_override": "NO",
            "allow_theme_override": "NO",
            "file_allowlist": [],
            "extension_allowlist": [
                "@jupyter-widgets/jupyterlab-manager",
                "@voila-dashboards/widgets-manager8",
            ],
        },
        # For pages that were never seen by a browser, and for those that hang: others give their kernel back themselves.
        "MappingKernelManager": {
            "cull_idle_timeout": max(1, round(120 * minutes)),
            "cull_interval": max(1, round(min(30, 60 * minutes))),
            "cull_connected": True,
        },
        "Places": {"places": visitors},
    }


def serve(options: dict[str, Any], address: str, open_browser: bool) -> None:
    """Run Voila until Ctrl-C or SIGTERM."""
    # Here and not above: all of this comes with Voila, and the rest of the library needs none of it.
    import traitlets
    from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
    from tornado.ioloop import IOLoop
    from tornado.web import HTTPError
    from traitlets.config import Config
    from voila.app import Voila

    class Places(AsyncMappingKernelManager):
        """As many kernels as there are places; whoever comes then is asked to wait."""

        places = traitlets.Integer(10, config=True)
        starting = 0

        async def start_kernel(self, **details: Any) -> str:  # type: ignore[override]  # the base of its base is not async
            if len(self) + self.starting >= self.places:
                raise HTTPError(503, FULL, self.places)
            self.starting += 1
            try:
                return await super().start_kernel(**details)
            finally:
                self.starting -= 1

        def notify_disconnect(self, kernel_id: str) -> None:
            """A page went, or its network for a moment: wait a little, then end what nobody looks at."""
            super().notify_disconnect(kernel_id)
            IOLoop.current().call_later(GRACE, self.end_if_alone, kernel_id)

        async def end_if_alone(self, kernel_id: str) -> None:
            if kernel_id in self and not self.kernel_model(kernel_id)["connections"]:
                await self.shutdown_kernel(kernel_id)

    class Demo(Voila):
        """Voila that listens with less patience for large requests."""

        def init_handlers(self) -> list:
            most = BYTES + 2_000_000  # of a connection, in memory
            self.app.listen = functools.partial(self.app.listen, max_buffer_size=most, max_body_size=10_000)
            return super().init_handlers()

    def ready() -> None:
        print(
            f"Colorize your photo: {address} ({options['Places']['places']} visitors at once; Ctrl-C ends it)"
        )
        sys.stdout.flush()
        if open_browser:
            webbrowser.open(address)

    logging.getLogger("tornado").setLevel(logging.ERROR)  # what a visitor may not do is no trouble of ours,
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)  # nor is a full house
    config = Config(options)
    config.VoilaConfiguration.multi_kernel_manager_class = Places
    demo = Demo(config=config)
    demo.initialize([])
    IOLoop.current().add_callback(ready)  # called once it listens
    demo.start()


def can_listen(host: str, port: int) -> str:
    """Return why nothing can be served at this address, or nothing."""
    try:
        family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name == "posix":  # as tornado does: a port that was left a moment ago is free
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        return getattr(error, "strerror", None) or str(error)
    return ""


def main(arguments: list[str] | None = None) -> int:
    """Serve the demo; 0 after Ctrl-C, 1 if it could not start."""
    parser = Parser(
        prog="python -m colorize.demo_server", description="Show colorize-your-photo to visitors."
    )
    parser.add_argument("--port", type=int, default=8866)
    parser.add_argument(
        "--host", default="127.0.0.1", help="0.0.0.0 lets other machines in, such as visitors' phones"
    )
    parser.add_argument(
        "--visitors", type=int, default=10, help="at once, each with a process of about 0.4 GB (default 10)"
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=5,
        help="after which an untouched page goes back to its start (default 5)",
    )
    parser.add_argument("--no-browser", action="store_true", help="open no browser here")
    options = parser.parse_args(arguments)
    if options.visitors < 1:
        parser.error(f"argument --visitors: expected at least 1, received {options.visitors}")
    if not 0 < options.minutes <= 1440:
        parser.error(
            f"argument --minutes: expected more than 0 and at most 1440, received {options.minutes:g}"
        )
    if importlib.util.find_spec("voila") is None:
        print("Voila is not installed here: run `make demo`, or pip install -e '.[demo]'.", file=sys.stderr)
        return 1
    if reason := can_listen(options.host, options.port):
        print(
            f"Nothing can be served at {options.host}, port {options.port} ({reason}): try another with --port.",
            file=sys.stderr,
        )
        return 1
    with tempfile.TemporaryDirectory(prefix="colorize-demo-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        notebook = write_folder(folder, options.minutes)
        # Our own kernel and pages are found first, and nothing is read from or written to the user's own settings.
        path = os.pathsep.join(filter(None, (name, os.environ.get("JUPYTER_PATH"))))
        os.environ |= {
            "JUPYTER_PATH": path,
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "IPYTHONDIR": str(folder / "ipython"),
        }
        host = socket.gethostname() if options.host in ("0.0.0.0", "::", "") else options.host
        address = f"http://{f'[{host}]' if ':' in host else host}:{options.port}"
        details = settings(notebook, options.host, options.port, options.visitors, options.minutes)
        with contextlib.suppress(KeyboardInterrupt):  # before Voila listens, where it would not answer itself
            serve(details, address, not options.no_browser)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
