"""The command: `python -m benchmarks [ROW…]` measures rows of the table."""

import importlib
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import table
from benchmarks.rows import ROWS


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Rows to measure anew.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Measure every row anew.")] = False,
) -> None:
    """Measure rows of the table, those that were never measured if none is named, and show all of it."""
    # In the background a shell has it ignored, by all that is started from here, too: a preview ends by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    known, root = {row.name: row for row in ROWS}, Path.cwd()
    unknown = [name for name in names or () if name not in known]
    if unknown:
        print(f"There is no row {unknown[0]}; the rows are {', '.join(known)}.", file=sys.stderr)
        raise typer.Exit(2)
    found = table.read(root)
    asked = names or [name for name in known if again or name not in found]
    for name in asked:
        print(f"{name}: {known[name].what}, against {known[name].against}", flush=True)
        module, _, function = known[name].measured.partition(":")
        table.keep(root, name, getattr(importlib.import_module(module), function)())
    table.write_page(root, ROWS)
    print(table.table(ROWS, table.read(root)))


if __name__ == "__main__":
    typer.run(main)
