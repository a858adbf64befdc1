"""What a benchmark found, kept in ``benchmarks/results.json`` and shown as a table in ``docs/speed.md``.

A row compares this project with a named alternative that did the same work in the same run: the figure is a
ratio of two medians, and what it is good for is the ratio alone.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pipeline import provenance
from pipeline.files import write_whole
from pipeline.frozen import Frozen

RESULTS = Path("benchmarks", "results.json")
PAGE = Path("docs", "speed.md")
BEGIN, END = "<!-- What `make bench` found. -->", "<!-- Until here. -->"
INSTRUCTIONS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16")
"""Instructions of a processor that change what arithmetic costs, as /proc/cpuinfo names them."""
CODE = ("pipeline", "experiments", "reporting", "figures", "templates")
LIBRARIES = ("torch", "torchvision", "transformers", "peft", "open_clip_torch", "pydantic", "dvc")


class Spread(Frozen):
    """The least, the middle and the most of several measurements, in the row's unit."""

    least: float
    median: float
    most: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of values, of which there is at least one."""
        return cls(least=min(values), median=float(median(values)), most=max(values), rounds=len(values))


class Found(Frozen):
    """What a row measured: this project's figures, those of the alternative, and a remark.

    Without an alternative `theirs` is None, and the row's figure is the median of `ours`.
    """

    ours: Spread
    theirs: Spread | None
    unit: str
    remark: str = ""

    @property
    def figure(self) -> float:
        """Return the ratio of the medians, or the median where there is nothing to compare with."""
        return self.ours.median / self.theirs.median if self.theirs else self.ours.median


class Circumstances(Frozen):
    """The machine, the code and the libraries that a row was measured with."""

    processor: str
    cores: int
    instructions: tuple[str, ...]
    commit: str | None
    uncommitted: bool
    versions: Mapping[str, str]


class Entry(Frozen):
    """What is kept of a row."""

    found: Found
    circumstances: Circumstances


@dataclass(frozen=True)
class Row:
    """A row of the table: what is compared with what, and the most that its figure is meant to be.

    `measured` is the ``"module:function"`` that takes no argument and returns what it found.
    """

    name: str
    what: str
    against: str
    target: float
    measured: str


def read(root: Path) -> dict[str, Entry]:
    """Return what was found before, by the name of the row."""
    path = root / RESULTS
    if not path.is_file():
        return {}
    stored = json.loads(path.read_text(encoding="utf-8"))
    return {name: Entry.model_validate_json(json.dumps(entry)) for name, entry in stored.items()}


def keep(root: Path, name: str, found: Found) -> None:
    """Store what a row found, beside what the other rows did."""
    entries = read(root) | {name: Entry(found=found, circumstances=_circumstances(root))}
    text = json.dumps({each: entries[each].model_dump(mode="json") for each in sorted(entries)}, indent=2)
    write_whole(root / RESULTS, f"{text}\n".encode())


def table(rows: Sequence[Row], entries: Mapping[str, Entry]) -> str:
    """Return the rows as a table of Markdown; a row that was never measured says so."""
    lines = [
        "| row | what | against | least, median, most | of the alternative | figure | target |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        entry = entries.get(row.name)
        cells = [f"`{row.name}`", row.what, row.against, *_cells(row, entry and entry.found)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def write_page(root: Path, rows: Sequence[Row]) -> None:
    """Put the table, and what was noted of its rows, in its place in the documentation."""
    path, entries = root / PAGE, read(root)
    text = path.read_text(encoding="utf-8")
    shown = "\n\n".join([BEGIN, table(rows, entries), *_remarks(rows, entries), END])
    place = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    write_whole(path, place.sub(lambda _: shown, text).encode())


def _cells(row: Row, found: Found | None) -> list[str]:
    target = f"≤ {row.target:g}"
    if found is None:
        return ["not measured", "", "", target]
    unit = "" if found.theirs else f" {found.unit}"
    return [
        _spread(found.ours, found.unit),
        _spread(found.theirs, found.unit) if found.theirs else "",
        f"**{found.figure:.3g}{unit}**" + ("" if found.figure <= row.target else " (missed)"),
        f"{target}{unit}",
    ]


def _spread(spread: Spread, unit: str) -> str:
    return f"{spread.least:.3g}, {spread.median:.3g}, {spread.most:.3g} {unit} ({spread.rounds} rounds)"


def _remarks(rows: Sequence[Row], entries: Mapping[str, Entry]) -> list[str]:
    told = []
    for row in rows:
        if row.name not in entries:
            continue
        entry = entries[row.name]
        where = entry.circumstances
        told.append(
            f"- `{row.name}`: {entry.found.remark or 'as the table says'} "
            f"({where.processor}, {where.cores} cores, {', '.join(where.instructions)}; "
            f"commit {(where.commit or 'none')[:7]}{', changed' if where.uncommitted else ''})"
        )
    return ["\n".join(told)] if told else []


def _circumstances(root: Path) -> Circumstances:
    commit, changed = provenance.commit(root, CODE)
    return Circumstances(
        processor=provenance.device(),
        cores=len(os.sched_getaffinity(0)),
        instructions=_instructions(),
        commit=commit,
        uncommitted=changed,
        versions=provenance.versions(LIBRARIES),
    )


def _instructions() -> tuple[str, ...]:
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ()
    lines = re.findall(r"^(?:flags|Features)\s*:(.*)$", told, re.MULTILINE)
    return tuple(name for name in INSTRUCTIONS if any(name in line.split() for line in lines))
