import importlib.util
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pipeline.errors import UserError
from pipeline.project import Project
from pipeline.stage import Stage
from reporting import prepare
from tests.support.commands import python
from tests.support.copies import ROOT, copy_parts
from tests.support.results import classifier
from tests.support.stored import put


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands of this Python that a preparation ran, none of which succeeds."""
    commands: list[str] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        assert command[0] == sys.executable
        commands.append(" ".join(command[1:]))
        return subprocess.CompletedProcess(command, 2)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def reading_results(project: Project, *optional: str) -> Project:
    """The same project, whose vit reads the results of the others alone and has none of its own yet."""
    reads = replace(project.stages["vit"], data=(), inputs=("zero_shot", "cnn"), optional=optional)
    (project.results / "vit.json").unlink()
    others = {name: stage for name, stage in project.stages.items() if name != "vit"}
    return replace(project, stages={**others, "vit": reads})


RUN_VIT = "-m experiments run vit --profile smoke"


@pytest.mark.parametrize(("complete", "torch"), [(True, True), (False, True), (True, False)])
def test_a_complete_render_where_torch_is_installed_computes_what_reads_results_alone(
    filled: Project, asked: list[str], monkeypatch: pytest.MonkeyPatch, complete: bool, torch: bool
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: find_spec(name) if torch or name != "torch" else None
    )
    prepare.prepare(reading_results(filled), complete=complete)
    assert asked == ([RUN_VIT] if complete and torch else [])


def test_nothing_that_reads_data_of_its_own_is_computed_unless_everything_is_asked_for(
    filled: Project, asked: list[str]
) -> None:
    (filled.results / "vit.json").unlink()
    prepare.prepare(filled, complete=True)
    prepare.prepare(filled, complete=False, everything=True)
    assert asked == []
    with pytest.raises(UserError, match="The experiments did not run to their end: mend what they say"):
        prepare.prepare(filled, complete=True, everything=True)
    assert asked == ["-m experiments run --profile smoke"]


def test_what_is_missing_behind_a_stale_result_waits_for_it(filled: Project, asked: list[str]) -> None:
    project = reading_results(filled, "zero_shot", "cnn")
    put(filled, "cnn", classifier("cnn"), config={"epochs": 1})
    prepare.prepare(project, complete=True)
    assert asked == []


def test_what_judges_others_follows_from_those_that_are_there_and_judges_one_at_least(
    filled: Project, asked: list[str]
) -> None:
    project = reading_results(filled, "zero_shot", "cnn")
    (filled.results / "zero_shot.json").unlink()
    prepare.prepare(replace(project, stages=reading_only_needed(project)), complete=True)
    assert asked == [], "an input that it needs is missing"
    prepare.prepare(project, complete=True)
    assert asked == [RUN_VIT]
    (filled.results / "cnn.json").unlink()
    prepare.prepare(project, complete=True)
    assert asked == [RUN_VIT]


def reading_only_needed(project: Project) -> dict[str, Stage]:
    return {**project.stages, "vit": replace(project.stages["vit"], optional=("cnn",))}


def test_a_stage_that_cannot_be_computed_leaves_the_others_and_is_named(
    filled: Project, asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    prepare.prepare(reading_results(filled), complete=True)
    assert "vit could not be computed." in capsys.readouterr().err
    assert (filled.root / "_figures" / "accuracy.svg").is_file()


def test_the_environment_asks_for_everything_where_quarto_has_no_option_for_it(
    filled: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[object] = []
    monkeypatch.setattr(prepare, "open_project", lambda: filled)
    monkeypatch.setattr(prepare, "ROOT", filled.root)
    monkeypatch.setattr(prepare, "prepare", lambda project, complete, everything: said.append(everything))
    for value in ("1", "0"):
        monkeypatch.setenv("REPORT_COMPUTE", value)
        prepare.main()
    monkeypatch.delenv("REPORT_COMPUTE")
    prepare.main()
    assert said == [True, False, False]


def test_quarto_can_run_it_as_a_file(tmp_path: Path) -> None:
    """As a file its own folder comes first on the path, where `numbers` hides the standard library's."""
    done = python(tmp_path, ROOT / "reporting" / "prepare.py", QUARTO_PROFILE="nowhere")
    assert done.returncode == 2
    assert done.stderr.startswith("There is no profile 'nowhere'")


def test_a_python_without_the_packages_is_answered_with_what_to_run(tmp_path: Path) -> None:
    """Quarto runs the file with whatever Python it finds, where it does not find the project's own."""
    folder = copy_parts(tmp_path / "project", "pipeline", "experiments", "reporting", "references.bib")
    bare = ("-I", "-S", folder / "reporting" / "prepare.py")
    done = python(tmp_path, *bare)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Quarto took the Python {sys.executable}, which lacks the package ")
    assert done.stderr.endswith(f"run `make report` once in {folder}, which installs what the pages need.\n")
    (folder / ".venv").mkdir()
    done = python(tmp_path, *bare)
    assert f"run Quarto in the folder {folder}, whose file _environment names" in done.stderr
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_a_preview_follows_the_results_of_all_profiles(filled: Project) -> None:
    """Quarto reads the list before a preparation: that of the last profile would be the wrong one."""
    (filled.root / "results" / "mine").mkdir()
    (filled.root / "results" / "mine" / "vit.json").write_text("{}")
    prepare.prepare(filled, complete=False)
    listed = yaml.safe_load((filled.root / "_figures" / "watched.yml").read_text())["watched-results"]
    assert {"results/mine/vit.json", "results/smoke/vit.json"} <= set(listed)
    assert [name for name in listed if not (filled.root / name).is_file()] == []


def test_what_has_not_changed_is_not_written_again(filled: Project) -> None:
    """Quarto would take it for a change: a preview would start anew while it renders."""
    prepare.prepare(filled, complete=False)
    files = [*(filled.root / "_figures").iterdir()]
    assert len(files) > 2
    for file in files:
        os.utime(file, (1, 1))
    prepare.prepare(filled, complete=False)
    assert [file.stat().st_mtime for file in files] == [1] * len(files)


def test_what_cells_printed_before_is_forgotten(filled: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quarto would show it in a preview as long as the page itself has not changed."""
    frozen = filled.root / ".quarto" / "_freeze" / "report" / "html.json"
    frozen.parent.mkdir(parents=True)
    frozen.write_text("{}")
    monkeypatch.setattr("reporting.prepare.ROOT", filled.root)
    monkeypatch.setattr("reporting.prepare.open_project", lambda: filled)
    prepare.main()
    assert not frozen.exists()
