"""What is called fresh, up to date or reproduced is so, whatever was edited, altered or deleted meanwhile."""

import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipeline import freshness, keys, store
from pipeline.closure import Code
from pipeline.errors import UserError
from pipeline.project import Project
from pipeline.reproduce import reproduce
from pipeline.runner import bring_up_to_date
from pipeline.stage import Data, Identity, Stage, pipeline
from tests.support import toy as support
from tests.support.toy import STAGES, Number, Sum, ToyProfile, forget, make_toy, rewrite, run

CONSTANT = (
    "from tests.support.toy import Sum\n\n\ndef {name}(config, inputs, context):\n    return Sum(total=1)\n"
)
LEAVING = """
from pathlib import Path
from typing import Any

from tests.support.toy import Model


def first(config, inputs, context):
    (context.scratch / "model").write_text(Path({source!r}).read_text())
    return Model(total=1)
"""


class Model(Sum):
    def artefacts(self) -> tuple[str, ...]:
        return ("model",)


class Measured(Sum):
    COSTS = frozenset({"seconds"})
    seconds: float


class Precise(Sum):
    precision: str


@pytest.fixture(autouse=True)
def _toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the code of toys in the folder be imported, and find the types of their results."""
    for kind in (Model, Measured, Precise):
        monkeypatch.setattr(support, kind.__name__, kind, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    forget()


def states(project: Project) -> dict[str, str]:
    return {name: state.state for name, state in freshness.states(project, project.stages).items()}


def reproduced(project: Project) -> tuple[bool, str]:
    output = io.StringIO()
    return reproduce(project, Console(file=output, width=200)), output.getvalue()


def test_code_that_is_edited_after_its_closure_was_read_is_not_taken_for_that_which_was_imported(
    toy: Project,
) -> None:
    code = Code(toy.root)
    freshness.states(toy, toy.stages, code)
    path = toy.root / "toy" / "arithmetic.py"
    path.write_text(path.read_text().replace("a + b", "a * b"))
    with pytest.raises(UserError, match=r"second changed after this run began \(toy.arithmetic\)"):
        bring_up_to_date(toy, toy.stages, Console(quiet=True), code=code)


def test_a_stage_that_becomes_stale_after_it_was_looked_at_is_computed_before_all_is_called_up_to_date(
    tmp_path: Path,
) -> None:
    first = Stage(name="first", function="toy.first:first", result=Model, config="one")
    users = [
        Stage(
            name=name, function=f"toy.{name}:{name}", result=Sum, config=config,
            inputs=("first",), artefacts=("first",),
        )
        for name, config in (("second", "one"), ("third", "two"))
    ]  # fmt: skip
    (tmp_path / "weights").write_text("a")
    stages = pipeline(first, *users)
    toy = make_toy(tmp_path, None, stages)
    rewrite(toy, "first", LEAVING.format(source=str(tmp_path / "weights")))
    for name in ("second", "third"):
        rewrite(toy, name, CONSTANT.format(name=name))
    run(toy)
    shutil.rmtree(toy.cache)
    (tmp_path / "weights").write_text("b")  # what is made again comes out otherwise
    toy = make_toy(tmp_path, ToyProfile(two=Number(number=9)), stages)
    run(toy)
    assert set(states(toy).values()) == {"fresh"}


def test_a_fresh_result_asks_for_no_input_that_is_gone(tmp_path: Path) -> None:
    """Whoever asks for scores of captions that are there does not ask for a training."""
    data = Data("one", lambda part, root, record: Identity("x"), lambda part, root, record: None)
    third = Stage(name="third", function="toy.third:third", result=Sum, config="two", inputs=("second",))
    toy = make_toy(tmp_path, None, pipeline(replace(STAGES["first"], data=(data,)), STAGES["second"], third))
    rewrite(toy, "third", CONSTANT.format(name="third"))
    run(toy)
    for name in ("first", "third"):
        store.path_of(toy, name).unlink()
    assert states(toy) == {"first": "missing", "second": "fresh", "third": "missing"}
    run(toy, "third")
    assert states(toy) == {"first": "missing", "second": "fresh", "third": "fresh"}


def test_a_key_that_was_written_over_an_older_result_does_not_make_it_fresh(toy: Project) -> None:
    """As a merge does that takes one half of a file from each side."""
    run(toy)
    older = json.loads(store.path_of(toy, "first").read_text())
    rewrite(toy, "first", CONSTANT.format(name="first").replace("total=1", "total=2"))
    older["key"] = freshness.of(toy, "first").key
    store.path_of(toy, "first").write_text(json.dumps(older))
    assert freshness.of(toy, "first").why == (freshness.ALTERED, "code: toy.first has changed")


def test_a_value_and_all_that_its_key_is_made_of_are_one_result(toy: Project) -> None:
    """As a merge leaves them that takes the value, and what it alone is held against, from the other side."""
    run(toy)
    path = store.path_of(toy, "first")
    ours = json.loads(path.read_text())
    rewrite(toy, "first", CONSTANT.format(name="first").replace("total=1", "total=2"))
    run(toy, "first")
    theirs = json.loads(path.read_text())
    path.write_text(json.dumps(theirs | {name: ours[name] for name in ("seal", "value")}))
    assert freshness.of(toy, "first").why == (freshness.ALTERED,)


@pytest.mark.parametrize(
    ("path", "other"),
    [
        (("provenance", "commit"), "0" * 40),
        (("provenance", "seconds"), 1e-3),
        (("provenance", "device"), "GPU"),
        (("provenance", "versions"), {"torch": "9"}),
        (("artefacts", "model"), "0" * 64),
        (("artefacts",), {}),
        (("seal",), "0" * 64),
        (("seal",), ""),
    ],
)
def test_what_stands_around_a_value_is_no_more_to_be_altered_than_it(
    tmp_path: Path, path: tuple[str, ...], other: Any
) -> None:
    first = Stage(name="first", function="toy.first:first", result=Model, config="one")
    toy = make_toy(tmp_path, None, pipeline(first, STAGES["second"]))
    (tmp_path / "weights").write_text("a")
    rewrite(toy, "first", LEAVING.format(source=str(tmp_path / "weights")))
    run(toy, "first")
    assert freshness.of(toy, "first").state == "fresh"
    file = store.path_of(toy, "first")
    written = json.loads(file.read_text())
    *above, last = path
    reduce(getitem, above, written)[last] = other
    file.write_text(json.dumps(written))
    assert freshness.of(toy, "first").why == (freshness.ALTERED,)


def test_a_result_without_its_seal_was_altered_by_hand(toy: Project) -> None:
    run(toy, "first")
    file = store.path_of(toy, "first")
    written = json.loads(file.read_text())
    del written["seal"]
    file.write_text(json.dumps(written))
    assert freshness.of(toy, "first").why == (freshness.ALTERED,)


def test_a_result_whose_type_gained_a_field_was_not_altered_by_hand(tmp_path: Path) -> None:
    class Longer(Sum):
        more: int | None = None

    toy = make_toy(tmp_path)
    run(toy, "first")
    stages = pipeline(replace(STAGES["first"], result=Longer))
    assert freshness.of(make_toy(tmp_path, None, stages), "first").state == "fresh"


def test_an_artefact_that_is_altered_while_it_is_used_makes_no_result(tmp_path: Path) -> None:
    first = Stage(name="first", function="toy.first:first", result=Model, config="one")
    second = replace(STAGES["second"], artefacts=("first",))
    toy = make_toy(tmp_path, None, pipeline(first, second))
    (tmp_path / "weights").write_text("a")
    rewrite(toy, "first", LEAVING.format(source=str(tmp_path / "weights")))
    altering = '    (context.artefact("first") / "model").write_text("altered")\n    return Sum(total=1)'
    text = CONSTANT.format(name="second").replace("    return Sum(total=1)", altering)
    rewrite(toy, "second", text)
    with pytest.raises(UserError, match=r"What first left in .cache was altered .* while second used it"):
        run(toy)
    assert states(toy)["second"] == "missing"


def test_what_passes_on_costs_follows_them(tmp_path: Path) -> None:
    first = Stage(name="first", function="toy.first:first", result=Measured, config="one")
    passing = replace(STAGES["second"], costs=("first",))
    for second, expected in ((passing, "stale"), (STAGES["second"], "fresh")):
        toy = make_toy(tmp_path, None, pipeline(first, second))
        text = CONSTANT.format(name="first").replace("Sum", "Measured")
        rewrite(toy, "first", text.replace("total=1", "total=1, seconds=1.0"))
        run(toy)
        code = store.read(toy, "first").provenance.ingredients.code
        rewrite(toy, "first", text.replace("total=1", "total=1, seconds=2.0"))
        run(toy, "first")
        assert store.read(toy, "first").provenance.ingredients.code != code
        parts = keys.ingredients(toy, "second").inputs["first"]
        followed = store.read(toy, "second").provenance.ingredients.inputs["first"]
        assert parts and followed
        assert (parts.value == followed.value) == (expected == "fresh")


def test_a_reproduction_goes_by_one_state_of_the_code(toy: Project) -> None:
    run(toy)
    path = toy.root / "toy" / "arithmetic.py"
    editing = (
        "from pathlib import Path\n\nfrom tests.support.toy import Sum\n\n\n"
        "def first(config, inputs, context):\n"
        f"    file = Path({str(path)!r})\n"
        f"    if Path({str(toy.root / 'edit')!r}).exists():\n"
        "        file.write_text(file.read_text().replace('a + b', 'a + b + 1000'))\n"
        "    return Sum(total=1)\n"
    )
    rewrite(toy, "first", editing)
    run(toy)
    (toy.root / "edit").touch()
    forget()
    with pytest.raises(UserError, match="second changed after this run began"):
        reproduced(toy)


def test_a_result_is_reproduced_at_its_own_precision(tmp_path: Path) -> None:
    toy = make_toy(tmp_path, None, pipeline(replace(STAGES["first"], result=Precise)))
    machine = tmp_path / "machine"
    machine.write_text("fp32")
    choosing = f"    found = context.precision or Path({str(machine)!r}).read_text()\n"
    text = CONSTANT.format(name="first").replace("Sum", "Precise")
    text = text.replace("    return", f"{choosing}    return").replace(
        "total=1", "total=len(found), precision=found"
    )
    rewrite(toy, "first", f"from pathlib import Path\n\n{text}")
    run(toy)
    machine.write_text("bfloat16")
    assert reproduced(toy)[0]


def test_a_reproduction_that_cannot_be_read_is_made_again(toy: Project) -> None:
    run(toy)
    assert reproduced(toy)[0]
    for path in toy.cache.parent.glob("reproduction/**/first.json"):
        path.write_text("{}")
    assert reproduced(toy)[0]
