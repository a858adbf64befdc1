"""The cells and inline code of the pages: found, checked, run by Jupyter, and replaced by what they print."""

import ast
import asyncio
import atexit
import re
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeGuard

from pipeline.errors import UserError, reason
from pipeline.files import read_text
from reporting.markdown import escape
from reporting.rendering import settings, support
from reporting.rendering.project import Page
from reporting.rendering.source import (
    INLINE,
    Fence,
    Line,
    Markdown,
    code_lines,
    on_screen,
    split,
    with_includes,
)

_OPTIONS: settings.Schema = {
    "echo": settings.one_of(False),
    "output": settings.one_of("asis", False),
    "label": settings.text,
    "warning": settings.one_of(True, False),
}
MARK = "{python}"
"""What a page with cells or inline code holds."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_KERNEL = ["-m", "ipykernel_launcher", "-f", "{connection_file}", "--HistoryManager.enabled=False"]


@dataclass(frozen=True)
class Cell:
    """One cell, the line of its opening fence, and its options."""

    code: str
    number: int
    output: object
    hides_warnings: bool
    file: str


@dataclass(frozen=True)
class Draft:
    """A page before its cells have run."""

    page: Page
    parts: tuple[Line | Cell, ...]

    @property
    def cells(self) -> list[Cell]:
        """The cells in order."""
        return [part for part in self.parts if isinstance(part, Cell)]

    @property
    def has_code(self) -> bool:
        """Whether there is anything to run."""
        return bool(self.cells) or any(INLINE.search(part.text) for part in self.parts if _is_prose(part))


def draft(page: Page, root: Path, *, on_paper: bool = True) -> Draft:
    """Find the cells of a page with what it includes, and refuse what cannot be rendered before any runs.

    What it shows on paper alone is left out if it is not for paper.
    """
    parts = with_includes(split(page.name, page.text), partial(_included, root))
    parts = parts if on_paper else on_screen(parts)
    support.check_source(parts)
    return Draft(page, tuple(_parts(page, parts)))


def _included(root: Path, line: Line, name: str) -> str:
    """The text of a file that a line includes, which must lie beside the pages."""
    if Path(name).name != name or not (root / name).is_file():
        raise UserError(f"{line.file}:{line.number}: there is no file {name} beside the pages to include.")
    return read_text(root / name)


def _parts(page: Page, parts: list[Line | Fence]) -> Iterator[Line | Cell]:
    for part in parts:
        if isinstance(part, Line):
            yield part
        elif support.is_cell(part):
            yield _cell(page, part)
        else:
            yield from code_lines(part)


def _cell(page: Page, fence: Fence) -> Cell:
    header = []
    for line in fence.body:
        if not line.startswith("#|"):
            break
        header.append(line[2:])
    options = settings.read(settings.Source(fence.file, "\n".join(header), fence.number + 1), _OPTIONS)
    if not (page.hides_code or "echo" in options):
        raise UserError(
            f"{fence.file}:{fence.number}: this cell would show its code; give it `#| echo: false`."
        )
    hides_warnings = not options.get("warning", not page.hides_warnings)
    return Cell("\n".join(fence.body), fence.number, options.get("output"), hides_warnings, fence.file)


def run_here(draft: Draft) -> Markdown:
    """Run the cells of a page in this very process, which must be new: quicker than by kernels."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    InteractiveShell.clear_instance()
    quiet = {"HistoryManager": {"enabled": False}, "InteractiveShell": {"warn_venv": False}}
    shell = InteractiveShell.instance(config=Config(quiet))
    lines: list[Line] = []
    for part in draft.parts:
        if isinstance(part, Cell):
            lines += _output_lines(part, _run_cell_here(shell, part))
        elif _is_prose(part) and (expressions := INLINE.findall(part.text)):
            wanted = {str(at): code for at, code in enumerate(expressions)}
            lines += _filled(part, shell.user_expressions(wanted))
        else:
            lines.append(part)
    return Markdown(draft.page.name, tuple(lines))


def _run_cell_here(shell: Any, cell: Cell) -> str:
    from IPython.utils.capture import capture_output
    from nbformat.v4 import new_output

    with capture_output() as said:
        done = shell.run_cell(cell.code)
    error = done.error_before_exec or done.error_in_exec
    if error is not None:
        raise _failed(cell, type(error).__name__, str(error), said.stdout) from error
    streams = [(name, text) for name, text in (("stdout", said.stdout), ("stderr", said.stderr)) if text]
    outputs = [new_output("stream", name=name, text=text) for name, text in streams]
    shown = [new_output("display_data")] if said.outputs or done.result is not None else []
    return _printed(cell, [*shown, *outputs])


class Kernel:
    """The Python in which the pages' cells run, each page's as if no other had run before it.

    It is started once for all of them, since that takes longer than most pages do. What it does is done in a
    thread: in the main one nbclient would take a Ctrl-C for itself, and go on.
    """

    def __init__(self, root: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._root, self._loop, self._ends = root, loop, AsyncExitStack()
        self._started: asyncio.Task[Any] | None = None

    def start(self) -> None:
        """Begin to start Python, without waiting for it."""
        self._loop.call_soon_threadsafe(self._begin)

    def run(self, draft: Draft) -> Markdown:
        """Run the cells of a page.

        Raises:
            UserError: if one of them fails, or no Python can be started.
        """
        if not draft.has_code:
            return Markdown(draft.page.name, tuple(part for part in draft.parts if isinstance(part, Line)))
        return asyncio.run_coroutine_threadsafe(self._run(draft), self._loop).result()

    def _begin(self) -> asyncio.Task[Any]:
        self._started = self._started or self._loop.create_task(_client(self._root, self._ends))
        return self._started

    async def _run(self, draft: Draft) -> Markdown:
        try:
            client = await self._begin()
        except RuntimeError as error:
            raise UserError(
                f"{draft.page.name}: no Python could be started to run its cells ({reason(error)}): mend "
                "what it says above; a package that is missing comes by "
                f"`{sys.executable} -m pip install -r requirements-render.txt`."
            ) from error
        return await _run_page(client, draft)

    async def end(self) -> None:
        """End Python, and what it is asked for."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._ends.aclose()


@contextmanager
def kernel(root: Path) -> Iterator[Kernel]:
    """Lend what runs the cells of the pages in a folder."""
    loop = asyncio.new_event_loop()
    with closing(loop), ThreadPoolExecutor(1) as thread:
        thread.submit(loop.run_forever)
        lent = Kernel(root, loop)
        try:
            yield lent
        finally:
            asyncio.run_coroutine_threadsafe(lent.end(), loop).result()
            loop.call_soon_threadsafe(loop.stop)


async def _run_page(client: Any, draft: Draft) -> Markdown:
    from nbformat.v4 import new_code_cell, new_notebook

    client.nb = new_notebook(cells=[new_code_cell(cell.code) for cell in draft.cells])
    await client.async_wait_for_reply(client.kc.execute("%reset -f", silent=True))
    lines: list[Line] = []
    cells = iter(range(len(draft.cells)))
    for part in draft.parts:
        if isinstance(part, Cell):
            printed = await _run_cell(client, part, next(cells))
            lines += _output_lines(part, printed)
        elif _is_prose(part) and INLINE.search(part.text):
            lines += await _run_inline(client, part)
        else:
            lines.append(part)
    return Markdown(draft.page.name, tuple(lines))


def _is_prose(part: Line | Cell) -> TypeGuard[Line]:
    return isinstance(part, Line) and not part.code


async def _run_inline(client: Any, line: Line) -> list[Line]:
    """A line with its inline code replaced by what it gives, which may be blocks and so several lines."""
    from nbclient.exceptions import DeadKernelError

    expressions = INLINE.findall(line.text)
    request = client.kc.execute("", user_expressions={str(at): code for at, code in enumerate(expressions)})
    try:
        reply = await client.async_wait_for_reply(request)
    except DeadKernelError as error:
        raise UserError(f"{line.file}:{line.number}: Python died while it ran this line's code.") from error
    return _filled(line, reply["content"]["user_expressions"])


def _filled(line: Line, given: dict[str, Any]) -> list[Line]:
    outputs = iter([_given(line, given[str(at)]) for at in range(len(given))])
    text = INLINE.sub(lambda _: next(outputs), line.text)
    return [Line(each, line.number, file=line.file) for each in text.split("\n")]


def _given(line: Line, result: dict[str, Any]) -> str:
    """What an expression gives: Markdown as it is, and anything else as text, as in Quarto."""
    if result["status"] != "ok":
        said = _in_one_line(result["ename"], result["evalue"])
        raise UserError(f"{line.file}:{line.number}: the inline code failed: {said}")
    data = result["data"]
    if "text/markdown" in data:
        text = data["text/markdown"]
        support.check_output(line.file, line.number, text)
        return text
    plain = data.get("text/plain", "")
    return escape(ast.literal_eval(plain) if plain[:1] in {"'", '"'} else plain)


def _output_lines(cell: Cell, output: str) -> list[Line]:
    if not output.strip():
        return [Line("", cell.number, file=cell.file)]
    # A div, as in Quarto, so that a list or a paragraph of the page does not run on into the output.
    texts = ["", "::: {.cell}", "", *output.split("\n"), "", ":::", ""]
    return [Line(text, cell.number, printed=True, file=cell.file) for text in texts]


async def _client(root: Path, ends: AsyncExitStack) -> Any:
    """Start a kernel that runs cells in a folder, and say in `ends` how it ends."""
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbformat.v4 import new_notebook

    class ThisPython(KernelSpecManager):
        """Start the Python that renders, whatever kernels are installed for the user."""

        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            return KernelSpec(argv=[sys.executable, *_KERNEL], language="python")

    folder = ends.enter_context(tempfile.TemporaryDirectory(prefix="kernel-"))
    manager = AsyncKernelManager(
        kernel_spec_manager=ThisPython(), connection_file=str(Path(folder) / "kernel.json")
    )
    if sys.platform != "win32":
        manager.transport = "ipc"  # no open port, and no word from Jupyter about open ports
    client = NotebookClient(
        new_notebook(),
        km=manager,
        timeout=None,
        resources={"metadata": {"path": str(root)}},
        shutdown_kernel="immediate",
    )
    ends.push_async_callback(_end, client)
    await ends.enter_async_context(client.async_setup_kernel(cleanup_kc=True))
    return client


async def _end(client: Any) -> None:
    """End a kernel that was stopped while it started: nbclient leaves it, and a call that fails later."""
    atexit.unregister(client._cleanup_kernel)
    if client.km and client.km.has_kernel:
        await client.km.provisioner.kill()  # first, since it would speak of what else ends it
        await client._async_cleanup_kernel()


async def _run_cell(client: Any, cell: Cell, index: int) -> str:
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    try:
        done = await client.async_execute_cell(client.nb.cells[index], index)
    except CellExecutionError as error:
        raise _failed(cell, error.ename, error.evalue, error.traceback) from error
    except DeadKernelError as error:
        raise UserError(f"{cell.file}:{cell.number}: Python died while it ran this cell.") from error
    return _printed(cell, done.outputs)


def _failed(cell: Cell, name: str, said: str, traceback: str) -> UserError:
    line = cell.number + _failing_line(traceback)
    return UserError(f"{cell.file}:{line}: the cell failed: {_in_one_line(name, said)}")


def _in_one_line(name: str, said: str) -> str:
    """Return what an exception says; one of our own is a sentence, whose name says nothing more."""
    return said if name == UserError.__name__ else reason(Exception(f"{name}: {said}"))


def _failing_line(traceback: str) -> int:
    found = re.search(r"Cell In\[\d+\], line (\d+)", _COLOUR.sub("", traceback))
    return int(found[1]) if found else 0


def _printed(cell: Cell, outputs: list[Any]) -> str:
    """What a cell printed, which must be Markdown and nothing else."""
    text = ""
    for output in outputs:
        if output.output_type == "stream" and output.name == "stdout":
            text += output.text
        elif output.output_type == "stream":
            if not cell.hides_warnings:
                print(f"{cell.file}:{cell.number}: the cell says: {output.text.strip()}", file=sys.stderr)
        else:
            raise UserError(
                f"{cell.file}:{cell.number}: a cell must print Markdown, but this one ends in a value."
            )
    if cell.output is False:
        return ""
    if text.strip() and cell.output != "asis":
        raise UserError(f"{cell.file}:{cell.number}: this cell prints, so it needs `#| output: asis`.")
    support.check_output(cell.file, cell.number, text)
    return text
