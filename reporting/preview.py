"""The preview without Quarto: `python -m reporting.preview` shows the pages, and again on a change.

It makes HTML alone, in a folder of its own: `_site`, which is handed in, stays as it is. Nothing is computed.
"""

from pipeline import startup

if __name__ == "__main__":
    startup.guard("requirements-render.txt")

import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from html import escape
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from reporting.preview_render import SITE
from reporting.watching import Stamps, stamps

SCRIPT = Path(__file__).with_suffix(".js")
EVENTS, SOURCE = "/_preview/events", "/_preview/script.js"
_UNDRAWN = (".qmd", ".j2", ".bib", ".css", ".scss", ".js", ".lua", ".typ", ".html")
"""Files that no drawing is made from."""
_READ_ONCE = (".py", "labels.toml")
"""Files that a process has read before it is asked to render."""
_PORTS = 100
_INTERVAL = 0.1
_EMPTY = "<!DOCTYPE html>\n<title>Preview</title>\n<body><p>{}</p></body>\n"


@dataclass
class Shown:
    """What a browser is told: which pages there are, and what is wrong with what would follow them."""

    folder: Path
    version: str = ""
    problem: str = "The pages are being made."
    changed: threading.Condition = field(default_factory=threading.Condition)

    def tell(self, problem: str) -> None:
        """Say that the last render failed, or that there are new pages, if there is no problem."""
        with self.changed:
            self.problem = problem
            if not problem:
                self.version = str(time.time_ns())
            self.changed.notify_all()

    @property
    def message(self) -> str:
        """What is told, as an event."""
        return f"data: {json.dumps({'version': self.version, 'problem': self.problem})}\n\n"


class Handler(SimpleHTTPRequestHandler):
    """Serves the pages, each with a script that the files have not, and the events that this listens to."""

    def __init__(self, *args: object, shown: Shown) -> None:
        self.shown = shown
        super().__init__(*args, directory=str(shown.folder / SITE))  # pyright: ignore[reportArgumentType]

    def do_GET(self) -> None:
        """Answer with a page, its script, or what happens."""
        path = Path(self.translate_path(self.path))
        page = path / "index.html" if path.is_dir() else path
        if self.path == EVENTS:
            with suppress(ConnectionError):
                self._tell()
        elif self.path == SOURCE:
            self._send(SCRIPT.read_text(encoding="utf-8"), "text/javascript")
        elif page.suffix == ".html" and (page.is_file() or not self.shown.version):
            self._send(self._page(page), "text/html")
        elif page.suffix == ".pdf":
            self.send_error(HTTPStatus.NOT_FOUND, "A preview makes no PDF: run `make report` for it.")
        else:
            super().do_GET()

    def _page(self, page: Path) -> str:
        """The page as it is read: it may listen to this server, which its file may not."""
        version = self.shown.version
        text = page.read_text(encoding="utf-8") if version else _EMPTY.format(escape(self.shown.problem))
        text = text.replace("default-src 'none';", "default-src 'none'; connect-src 'self';", 1)
        script = f'<script src="{SOURCE}" data-version="{version}"></script>'
        before, body_ends, after = text.rpartition("</body>")
        return f"{before}{script}\n{body_ends}{after}"

    def _tell(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        while True:
            with self.shown.changed:
                told = self.shown.message
                self.wfile.write(told.encode())
                self.shown.changed.wait_for(lambda told=told: self.shown.message != told, timeout=10)

    def _send(self, text: str, kind: str) -> None:
        content = text.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def end_headers(self) -> None:
        """Have nothing kept: what is asked for again has changed."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal is for what is wrong."""


class Renderer:
    """A process that has read the code and waits to render once; another takes its place after that."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = root, folder
        self._start()

    def read_anew(self) -> None:
        """Render next by the code as it is now."""
        self.end()
        self._start()

    def render(self, *, draw: bool) -> str:
        """Render and return what is wrong, nothing if all is well."""
        _, said = self.process.communicate("draw\n" if draw else "pages\n")
        failed = self.process.returncode != 0
        self._start()
        if not failed:
            print(said, end="", file=sys.stderr)
        return said.strip() or "The render ended without a word." if failed else ""

    def end(self) -> None:
        """End the process that waits."""
        self.process.kill()
        self.process.communicate()

    def _start(self) -> None:
        # In a session of its own, where the keyboard does not stop it: `end` does.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reporting.preview_render", str(self.folder)],
            cwd=self.root, stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
            encoding="utf-8", start_new_session=True,
        )  # fmt: skip


def follow(root: Path, shown: Shown, renderer: Renderer) -> None:
    """Render, and again whenever an input has changed, until the keyboard stops it."""
    before = stamps(root)
    _show(shown, renderer, draw=True)
    while True:
        now = _changed(root, before)
        changes = [file for file in {*before, *now} if before.get(file) != now.get(file)]
        before = now
        if any(file.endswith(_READ_ONCE) for file in changes):
            renderer.read_anew()
        _show(shown, renderer, draw=not all(file.endswith(_UNDRAWN) for file in changes))


def _show(shown: Shown, renderer: Renderer, *, draw: bool) -> None:
    started = time.perf_counter()
    problem = renderer.render(draw=draw)
    print(problem or f"Rendered in {time.perf_counter() - started:.1f} s.", file=sys.stderr)
    shown.tell(problem)


def _stopped(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _changed(root: Path, before: Stamps) -> Stamps:
    """Wait until inputs are others than before, and until whoever writes them has written all."""
    now = before
    while (later := stamps(root)) == before or later != now:
        now = later
        time.sleep(_INTERVAL)
    return now


def serve(shown: Shown, port: int) -> ThreadingHTTPServer:
    """Return a server on this machine alone, on the first port that is free, `port` or one after it."""
    for candidate in range(port, port + _PORTS):
        with suppress(OSError):
            server = ThreadingHTTPServer(("127.0.0.1", candidate), partial(Handler, shown=shown))  # pyright: ignore[reportArgumentType]
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            return server
    raise SystemExit(f"No port from {port} to {port + _PORTS - 1} is free: name another with --port.")


def main(
    port: Annotated[int, typer.Option(help="The port, or the first to try.")] = 8000,
) -> None:
    """Show the pages of the project in the current folder, and show them again on a change."""
    for name in ("SIGTERM", "SIGHUP"):  # either would leave the folder behind; Windows has but the first
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) != signal.SIG_IGN:  # as `nohup` has it
            signal.signal(number, _stopped)
    with tempfile.TemporaryDirectory(prefix="preview-") as folder:
        shown = Shown(Path(folder))
        server = serve(shown, port)
        renderer = Renderer(Path.cwd(), shown.folder)
        print(f"http://127.0.0.1:{server.server_port}/ (Ctrl-C ends it)", flush=True)
        try:
            follow(Path.cwd(), shown, renderer)
        except KeyboardInterrupt:
            pass
        finally:
            renderer.end()
            server.server_close()


if __name__ == "__main__":
    with startup.over():
        typer.run(main)
