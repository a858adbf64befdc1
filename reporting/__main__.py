"""What the author can cite: `python -m reporting numbers` and `python -m reporting claims`."""

from pipeline import startup

if __name__ == "__main__":
    startup.guard("requirements-render.txt")

import sys
from pathlib import Path
from typing import Annotated

import typer

from experiments.profile import active
from experiments.project import open_project
from pipeline.errors import UserError, sentence
from reporting.authored import IN_WORDS, verdict
from reporting.bindings import Bound
from reporting.cited import shown
from reporting.document import Document, open_document
from reporting.markdown import unescaped

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="What an author can write with: see docs/writing.md.",
)
Profile = Annotated[str | None, typer.Option(help="The profile that is reported on.")]


@app.command()
def numbers(
    word: Annotated[str, typer.Argument(help="What the path or the value must hold.")] = "",
    profile: Profile = None,
) -> None:
    """List what prose can cite, each as it is written and as it reads today."""
    document = _open(profile)
    rows = [(f'n("{path}")', shown(document.numbers, path)) for path, _ in document.citable]
    found = [row for row in rows if word.casefold() in " ".join(row).casefold()]
    if not found:
        raise UserError(f"Nothing that can be cited holds {word!r}.")
    _print(found)


@app.command()
def claims(profile: Profile = None) -> None:
    """List every test, by the name that binds a sentence to it, with its verdict in words."""
    document = _open(profile)
    rows = []
    for key, test in document.authored.compared.items():
        outcome = document.authored.outcome(Bound(key))
        said = "not there yet"
        if outcome:
            said = f"{IN_WORDS[outcome]}, {unescaped(verdict(document.plainly, test))}"
        rows.append((str(test), said))
    _print(rows)


def _open(profile: str | None) -> Document:
    return open_document(open_project(profile or active(), Path.cwd()))


def _print(rows: list[tuple[str, str]]) -> None:
    width = max(len(row[0]) for row in rows)
    for name, said in rows:
        print(f"{name.ljust(width)}  {said}")


def main() -> None:
    """List what was asked for; a `UserError`, or what the system refuses, is a sentence and exit code 2."""
    try:
        app()
    except (UserError, OSError) as error:
        print(sentence(error), file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    with startup.over():
        main()
