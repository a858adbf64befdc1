"""What a stage leaves for others: heavy artefacts under .cache/, small files beside its result."""

import hashlib
import pickle
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from experiments.lending import IMAGES, PHOTOS
from experiments.project import open_project
from pipeline import freshness, keys, store
from pipeline.envelope import Envelope
from pipeline.errors import UserError
from pipeline.project import Project
from pipeline.reproduce import reproduce
from pipeline.result import Attachment
from pipeline.runner import bring_up_to_date
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
        (context.scratch / "model" / "weights").write_text("half of it")
        raise ValueError("killed")
    machine = context.shared / "machine"
    (context.scratch / "model").mkdir(exist_ok=True)
    (context.scratch / "model" / "weights").write_text("heavy")
    precision = context.precision or (machine.read_text() if machine.exists() else "fp32")
    (context.scratch / "model" / "config").write_text(precision)
    picture = context.attach("picture.png", f"picture {config.number}".encode())
    return Pictured(total=config.number, picture=picture, precision=precision)
"""
SECOND = """
from tests.support.toy import Sum


def second(config, inputs, context):
    model = context.artefact("first") / "model"
    assert (model / "weights").read_text() == "heavy"
    return Sum(total=len((model / "config").read_text()))
"""
THIRD = """
from tests.support.toy import Sum


def third(config, inputs, context):
    return Sum(total=inputs["second"].total)
"""


class Pictured(Sum):
    """A result with a file beside it."""

    picture: Attachment
    precision: str

    def attachments(self) -> tuple[Attachment, ...]:
        return (self.picture,)

    def artefacts(self) -> tuple[str, ...]:
        return ("model",)


STAGES = pipeline(
    Stage(name="first", function="toy.first:first", result=Pictured, config="one"),
    Stage(
        name="second",
        function="toy.second:second",
        result=Sum,
        config="two",
        inputs=("first",),
        artefacts=("first",),
    ),
    Stage(name="third", function="toy.third:third", result=Sum, config="two", inputs=("second",)),
)


def project(folder: Path, profile: ToyProfile | None = None) -> Project:
    return make_toy(folder, profile, STAGES)


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy/first.py").write_text(FIRST)
    (tmp_path / "toy/second.py").write_text(SECOND)
    (tmp_path / "toy/third.py").write_text(THIRD)
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


def left(toy: Project) -> Path:
    """Return the folder in which the first stage left its model."""
    return toy.cache / "first" / store.read(toy, "first").key[:16]


@pytest.mark.parametrize("gone", ["complete", "model/weights"])
def test_an_artefact_that_is_gone_is_made_again_and_its_result_is_left_alone(toy: Project, gone: str) -> None:
    run(toy)
    path = store.path_of(toy, "first")
    before = path.read_bytes(), path.stat().st_mtime_ns
    (left(toy) / gone).unlink()
    output = run(with_second(toy, 7))
    assert "what first left in .cache" in output
    assert "first: it left the same as before, and its result stays" in output
    assert runs(toy) == 2
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert store.read(toy, "second").value.total == len("fp32")


@pytest.mark.parametrize("file", ["model/weights", "model/config", "model/added"])
def test_an_artefact_that_was_altered_is_made_again_before_it_is_used_and_named(
    toy: Project, file: str
) -> None:
    run(toy)
    (left(toy) / file).write_text("other")
    output = run(with_second(toy, 7))
    assert f"what first left in .cache was altered ({file}), so it runs again" in output
    assert store.read(toy, "second").value.total == len("fp32")


def test_a_result_records_what_its_stage_left_file_by_file_and_what_builds_on_it_follows_that(
    toy: Project,
) -> None:
    run(toy)
    recorded = store.read(toy, "first").artefacts
    assert recorded == {
        f"model/{name}": hashlib.sha256(content).hexdigest()
        for name, content in {"weights": b"heavy", "config": b"fp32"}.items()
    }
    followed = store.read(toy, "second").provenance.ingredients.inputs["first"]
    assert followed is not None
    assert followed.artefacts == recorded
    assert followed.precision == "fp32"


def test_what_is_made_again_is_made_at_the_precision_of_the_stored_result(toy: Project) -> None:
    run(toy)
    (toy.cache / "machine").write_text("bfloat16")
    shutil.rmtree(left(toy))
    run(with_second(toy, 7))
    assert (left(toy) / "model" / "config").read_text() == "fp32"
    assert store.read(toy, "second").value.total == len("fp32")


def leave_another(toy: Project) -> None:
    """Let the first stage leave another model when it is made again, as other arithmetic would."""
    rewrite(toy, "first", FIRST.replace('"heavy"', '(context.shared / "arithmetic").read_text()'))
    (toy.cache / "arithmetic").write_text("heavy")
    run(toy)
    (toy.cache / "arithmetic").write_text("other")
    rewrite(toy, "second", SECOND.replace('== "heavy"', '!= ""').replace("config", "weights"))
    shutil.rmtree(left(toy))


def test_a_rebuilt_artefact_that_is_another_makes_stale_what_was_made_from_the_old_one(toy: Project) -> None:
    run(toy)
    leave_another(toy)
    before = store.read(toy, "first")
    output = run(with_second(toy, 7), "second")
    after = store.read(toy, "first")
    assert "first: it left something else than before, so its result is written anew" in output
    assert after.artefacts["model/weights"] == hashlib.sha256(b"other").hexdigest()
    assert after.artefacts != before.artefacts
    # The stage that asked for it was made from the new one and says so; what is older is stale.
    followed = store.read(toy, "second").provenance.ingredients.inputs["first"]
    assert followed is not None
    assert followed.artefacts == after.artefacts
    found = freshness.states(with_second(toy, 7), toy.stages)
    assert {name: state.state for name, state in found.items()} == {
        "first": "fresh", "second": "fresh", "third": "stale",
    }  # fmt: skip
    before_again = Envelope[Any].model_validate_json(before.model_dump_json())
    store.write(toy, before_again)
    assert freshness.of(with_second(toy, 7), "second").why == (
        "input: first was made again and left another model/weights",
    )


def test_what_is_rebuilt_otherwise_makes_inputs_between_be_computed_before_they_are_used(
    toy: Project,
) -> None:
    """The third stage uses the models of both others, and the second was made from the first's old one."""
    stages = pipeline(
        *(STAGES[name] for name in ("first", "second")),
        replace(STAGES["third"], inputs=("first", "second"), artefacts=("first",)),
    )
    run(replace(toy, stages=stages))
    leave_another(toy)
    run(replace(toy, stages=stages), "second")
    rewrite(toy, "third", THIRD + "\n\nVALUE = 1\n")
    (toy.cache / "arithmetic").write_text("a third")
    shutil.rmtree(left(toy))
    run(replace(toy, stages=stages), "third")
    found = freshness.states(replace(toy, stages=stages), stages)
    assert {state.state for state in found.values()} == {"fresh"}
    assert store.read(toy, "third").value.total == len("a third")


def test_an_artefact_half_rewritten_by_a_run_that_was_killed_is_made_again(toy: Project) -> None:
    run(toy)
    result = store.path_of(toy, "first")
    content = result.read_bytes()
    result.unlink()
    (toy.cache / "broken").touch()
    with pytest.raises(UserError, match="killed"):
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
    with pytest.raises(UserError, match=f"does not declare {asked}"):
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
    with pytest.raises(UserError, match="no"):
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
    assert [[*data] for data in found] == [[], ["images"], ["photos"], ["images", "photos"]]
    assert found[3] == found[1] | found[2]


class Pickling:
    """The main one of several processes, which sends the others what it says."""

    rank = 0

    def broadcast(self, value: Any) -> Any:
        return pickle.loads(pickle.dumps(value))

    def barrier(self) -> None:
        pass


def test_all_that_the_main_process_says_of_a_run_can_be_sent_to_the_others(toy: Project) -> None:
    parallel = pipeline(*(replace(stage, parallel=True) for stage in STAGES.values()))
    shared = replace(toy, stages=parallel)
    bring_up_to_date(shared, parallel, Console(quiet=True), Pickling())
    shutil.rmtree(left(toy))
    store.path_of(toy, "second").unlink()
    bring_up_to_date(shared, parallel, Console(quiet=True), Pickling())
    assert runs(toy) == 2
    assert (left(toy) / "model" / "weights").is_file()
