"""What a stage leaves for others: heavy artefacts under .cache/, small files beside its result."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from experiments.project import open_project
from experiments.stages import IMAGES, PHOTOS
from pipeline import freshness, keys, store
from pipeline.project import Project
from pipeline.reproduce import reproduce
from pipeline.result import Attachment
from pipeline.stage import Stage, pipeline
from tests.support.copies import ROOT
from tests.support.toy import Number, Sum, ToyProfile, forget, make_toy, rewrite, run

FIRST = """
from tests.pipeline.test_artefacts import Pictured


def first(config, inputs, context):
    runs = context.shared / "runs"
    runs.parent.mkdir(parents=True, exist_ok=True)
    runs.write_text((runs.read_text() if runs.exists() else "") + "first ")
    if (context.shared / "broken").exists():
        (context.scratch / "model").write_text("half of it")
        raise ValueError("killed")
    (context.scratch / "model").write_text("heavy")
    picture = context.attach("picture.png", f"picture {config.number}".encode())
    return Pictured(total=config.number, picture=picture)
"""
SECOND = """
from tests.support.toy import Sum


def second(config, inputs, context):
    assert (context.artefact("first") / "model").read_text() == "heavy"
    return Sum(total=inputs["first"].total + config.number)
"""


class Pictured(Sum):
    """A result with a file beside it."""

    picture: Attachment

    def attachments(self) -> tuple[Attachment, ...]:
        return (self.picture,)

    def artefacts(self) -> tuple[str, ...]:
        return ("model",)


STAGES = pipeline(
    Stage(name="first", function="toy.first:first", result=Pictured, config="one"),
    Stage(name="second", function="toy.second:second", result=Sum, config="two", inputs=("first",)),
)


def project(folder: Path, profile: ToyProfile | None = None) -> Project:
    return make_toy(folder, profile, STAGES)


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy/first.py").write_text(FIRST)
    (tmp_path / "toy/second.py").write_text(SECOND)
    yield project(tmp_path)
    forget()


def runs(project: Project) -> int:
    return (project.cache / "runs").read_text().split().count("first")


def pictures(project: Project) -> list[str]:
    return [path.read_text() for path in sorted((project.results / "first").iterdir())]


def with_second(toy: Project, number: int) -> Project:
    return project(toy.root, ToyProfile(two=Number(number=number)))


def test_an_artefact_that_is_there_is_used_without_running_its_stage_again(toy: Project) -> None:
    run(toy)
    run(with_second(toy, 7))
    assert runs(toy) == 1


@pytest.mark.parametrize("gone", ["complete", "model"])
def test_an_artefact_that_is_gone_is_made_again_and_its_result_is_left_alone(toy: Project, gone: str) -> None:
    run(toy)
    path = store.path_of(toy, "first")
    before = path.read_bytes(), path.stat().st_mtime_ns
    (toy.cache / "first" / freshness.of(toy, "first").key[:16] / gone).unlink()
    output = run(with_second(toy, 7))
    assert "what first left in .cache is gone" in output
    assert runs(toy) == 2
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert store.read(toy, "second").value.total == 8


def test_an_artefact_half_rewritten_by_a_run_that_was_killed_is_made_again(toy: Project) -> None:
    run(toy)
    result = store.path_of(toy, "first")
    content = result.read_bytes()
    result.unlink()
    (toy.cache / "broken").touch()
    with pytest.raises(ValueError, match="killed"):
        run(toy)
    (toy.cache / "broken").unlink()
    result.write_bytes(content)
    run(with_second(toy, 7))  # asserts that the artefact is whole


def test_a_stage_is_reproduced_with_what_its_input_leaves_in_the_reproductions_own_cache(
    toy: Project,
) -> None:
    run(toy)
    shutil.rmtree(toy.cache)
    assert reproduce(toy, Console(quiet=True), ["second"])
    assert (toy.cache.parent / "reproduction" / "toy" / "cache" / "runs").read_text() == "first "
    assert not toy.cache.exists()


def test_freshness_does_not_ask_for_artefacts(toy: Project) -> None:
    run(toy)
    shutil.rmtree(toy.cache)
    assert {freshness.of(toy, name).state for name in toy.stages} == {"fresh"}
    assert "first is" not in run(toy)


@pytest.mark.parametrize(("call", "asked"), [("artefact('second')", "second"), ("load('photos')", "photos")])
def test_a_stage_can_only_have_the_artefacts_and_data_that_it_declares(
    toy: Project, call: str, asked: str
) -> None:
    rewrite(toy, "second", f"def second(config, inputs, context):\n    context.{call}\n")
    with pytest.raises(ValueError, match=f"does not declare {asked}"):
        run(toy)


def test_a_file_beside_a_result_is_named_and_hashed_in_it_and_replaced_with_it(toy: Project) -> None:
    run(toy)
    assert pictures(toy) == ["picture 1"]
    kept = store.read(toy, "first").value.picture
    assert (toy.results / "first" / kept.file).is_file()
    assert kept.file == f"picture-{kept.sha256[:8]}.png"
    run(project(toy.root, ToyProfile(one=Number(number=5))))
    assert pictures(toy) == ["picture 5"]


@pytest.mark.parametrize("harm", ["delete", "alter"])
def test_a_result_whose_file_is_gone_or_altered_counts_as_missing(toy: Project, harm: str) -> None:
    run(toy)
    (path,) = (toy.results / "first").iterdir()
    path.unlink() if harm == "delete" else path.write_text("another picture")
    state = freshness.of(toy, "first")
    assert state.state == "missing"
    assert path.name in state.why[0]
    run(toy)
    assert pictures(toy) == ["picture 1"]


def test_a_failed_run_leaves_the_files_that_the_previous_result_names(toy: Project) -> None:
    run(toy)
    rewrite(toy, "first", FIRST.replace("return Pictured", "raise ValueError('no')  #"))
    with pytest.raises(ValueError, match="no"):
        run(project(toy.root, ToyProfile(one=Number(number=5))))
    assert "picture 1" in pictures(toy)
    assert store.read(toy, "first").value.total == 1


def test_the_data_of_a_stage_that_reads_two_sets_follow_both() -> None:
    smoke = open_project("smoke", ROOT)
    words = "experiments.captioning.scoring.words:words"
    found = []
    for data in ((), (IMAGES,), (PHOTOS,), (IMAGES, PHOTOS)):
        stage = Stage(name="x", function=words, result=Sum, config="cnn", data=data)
        found.append(keys.ingredients(replace(smoke, stages=pipeline(stage)), "x").data)
    assert found[0] is None
    assert len(set(found)) == 4
