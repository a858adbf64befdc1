"""The recipes of CONTRIBUTING.md, followed block by block in a copy of the project."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.project import open_project
from pipeline import store
from tests.support.commands import python, run
from tests.support.committed import committed
from tests.support.copies import PAGES, ROOT, copy_parts
from tests.support.warm import run_warm

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCK = re.compile(
    r'^```\w+ file=(?P<file>\S+)(?: (?P<how>after|before|instead)="(?P<line>[^\n]*)")?\n(?P<text>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)
PARTS = ("data", "pipeline", "experiments", "figures", "profiles", "reporting", "results", "templates")
# What stands in the copy is made fresh, so that only what a recipe adds has to be computed.
FRESH = """
from experiments.project import open_project
from pipeline import keys, store

project = open_project("offline")
for name in project.stages:
    if name not in ("lengths", "evidence", "audit"):
        envelope = store.read(project, name)
        parts = keys.ingredients(project, name)
        made = envelope.provenance.model_copy(update={"ingredients": parts})
        store.write(project, envelope.model_copy(update={"key": keys.key(parts), "provenance": made}))
"""
SHOWN = """
from reporting.document import open_document
from reporting.prepare import draw_figures

document = open_document()
draw_figures(document)
print(document.block("lengths"))
print(document.anchors("lengths"))
print(document.block("how_behaviour_changes"))
"""


def follow(folder: Path, block: re.Match[str]) -> None:
    """Put a block where it says."""
    path, text = folder / block["file"], block["text"]
    if block["how"] is None:
        assert not path.exists(), f"{block['file']} is there already"
        path.write_text(text)
        return
    lines, line = path.read_text().split("\n"), block["line"].replace('\\"', '"')
    at = len(lines) - 1 - lines[::-1].index(line) if block["how"] == "before" else lines.index(line)
    start, end = {"after": (at + 1, at + 1), "before": (at, at), "instead": (at, at + 1)}[block["how"]]
    path.write_text("\n".join([*lines[:start], text.removesuffix("\n"), *lines[end:]]))


def mean_words() -> tuple[float, float]:
    """Return how many words the committed captions have, before and after tuning."""
    records = committed("generate").value.records
    written = [(len(each.before.split()), len(each.after.split())) for each in records]
    before, after = (sum(words) / len(written) for words in zip(*written, strict=True))
    return before, after


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which all recipes were followed."""
    folder = copy_parts(tmp_path_factory.mktemp("followed"), *PARTS, *PAGES)
    for block in BLOCK.finditer(TEXT):
        follow(folder, block)
    assert python(folder, "-c", FRESH).stderr == ""
    done = run_warm(folder, "experiments", "run", "lengths", "evidence")
    assert done.returncode == 0, done.stderr
    before, after = mean_words()
    assert f"lengths: words before {before:.4f}, words after {after:.4f}" in done.stdout
    return folder


@pytest.fixture(scope="module")
def shown(folder: Path) -> str:
    """The blocks that recipes touch, as a page shows them."""
    done = python(folder, "-c", SHOWN)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_new_stage_is_computed_and_known_as_fresh(folder: Path) -> None:
    status = python(folder, "-m", "experiments", "status").stdout
    assert re.search(r"lengths +fresh", status)


def test_a_new_figure_is_drawn_and_shown_with_its_numbers_and_anchor(folder: Path, shown: str) -> None:
    assert (folder / "_figures" / "lengths.svg").is_file()
    words = f"{mean_words()[1]:.1f}".replace(".", "\\.")
    assert f'[{words}]{{data-from="lengths.after" data-as="measured:words"}} after' in shown
    assert "('fig-lengths',)" in shown


def test_a_new_claim_says_what_its_test_found(folder: Path, shown: str) -> None:
    test = store.read(
        replace(open_project("offline", ROOT), results=folder / "results" / "offline"), "evidence"
    )
    assert test.value.tests["caption_white"].verdict == "higher"
    assert "The captions name white more often" in shown


def test_a_new_kind_of_data_can_be_inspected_and_trained_on(folder: Path) -> None:
    (options,) = re.findall(r"^```toml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    smoke = (folder / "profiles" / "smoke.toml").read_text()
    mine = re.sub(r"(?ms)^\[images\]\n.*?(?=^\[|^# )", options + "\n", smoke)
    (folder / "profiles" / "mine.toml").write_text(mine)
    done = run_warm(folder, "experiments", "run", "data_sets", "cnn", "--profile", "mine")
    assert done.returncode == 0, done.stderr
    assert "data_sets: shared images 0" in done.stdout


def test_each_question_of_a_newcomer_is_answered_by_its_grep() -> None:
    rows = re.findall(r'^\| (.+?) \| `grep -rl "(.+?)"` \| `(.+?)` \|$', TEXT, re.MULTILINE)
    assert len(rows) > 8
    for question, pattern, answer in rows:
        places = ("pipeline", "experiments", "reporting", "figures")
        found = run(ROOT, "grep", "-rl", "--include=*.py", pattern, *places).stdout.split()
        assert found == [answer], question
