"""What the README says of results, commands and files is so."""

import re

from experiments.__main__ import app
from experiments.project import open_project
from pipeline import store
from reporting.numbers import bound, percent
from tests.support.copies import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_its_accuracies_are_those_of_the_committed_results() -> None:
    project = open_project("offline", ROOT)
    told = re.findall(r"\| ([\d.]+ %) \| ([\d.]+)–([\d.]+) % \|", README)
    estimates = [store.read(project, stage).value.top1 for stage in ("cnn", "vit", "zero_shot")]
    found = [(percent(each.value), bound(each.low), bound(each.high)) for each in estimates]
    assert told == [tuple(text.replace("\N{NO-BREAK SPACE}", " ") for text in row) for row in found]


def test_its_captions_are_those_of_one_evaluated_photo() -> None:
    before, after, reference = re.findall(r"^> .*?: \*(.+?)\*", README, flags=re.MULTILINE)
    records = store.read(open_project("offline", ROOT), "captions").value.records
    assert any(
        (before, after) == (each.before, each.after) and reference in each.references for each in records
    )


def test_every_command_and_every_target_of_make_that_documents_name_exists() -> None:
    commands = {command.callback.__name__ for command in app.registered_commands if command.callback}
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    text = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    assert set(re.findall(r"python -m experiments (\w+)", text)) <= commands
    assert set(re.findall(r"`make ([a-z]+)", text)) <= targets
    benchmarks = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    assert set(re.findall(r"python -m benchmarks\.(\w+)", text)) <= benchmarks


def test_every_file_that_documents_link_to_or_name_is_there() -> None:
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"(?ms)^```.*?^```", "", text)  # files of a recipe's, or of a user's
        named = re.findall(r"\]\((?!http)([^)#]+)", text)
        missing = [name for name in named if not (path.parent / name).exists()]
        named = re.findall(r"`((?:pipeline|experiments|reporting|figures|templates|tests)/[\w./]+)`", text)
        missing += [name for name in named if not (ROOT / name).exists()]
        assert not missing, path.name


def test_it_quotes_the_torture_with_as_many_faults_and_inputs_as_were_asked_for() -> None:
    (told,) = re.findall(
        r"\| `make torture` \| .*? (\d+) faults .*? (\d+) odd inputs.*?: "
        r"lost (\d+), silently wrong (\d+), tracebacks (\d+)\.",
        README,
    )
    faults, inputs, *bad = map(int, told)
    assert faults >= 60 and inputs >= 120 and bad == [0, 0, 0]
    assert "three planted faults are reported as three" in README
