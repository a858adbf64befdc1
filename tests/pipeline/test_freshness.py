import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel

from experiments.config.images import AnyImages
from experiments.config.photos import AnyPhotos
from experiments.datasets.loaders import LOADERS
from experiments.lending import IMAGES
from experiments.lending import PHOTOS as PHOTOS_DATA
from experiments.project import BETWEEN, open_project
from experiments.stages import STAGES
from pipeline import freshness, keys, store
from pipeline.closure import Code, closure
from pipeline.project import Project
from pipeline.result import Result
from pipeline.stage import Data, Identity, Stage, pipeline
from tests.support import small_profiles
from tests.support.copies import ROOT, copy_parts
from tests.support.refusals import refusal
from tests.support.small_profiles import draw_classes, draw_photos
from tests.support.stored import put
from tests.support.toy import STAGES as TOYS
from tests.support.toy import Number, Sum, ToyProfile, make_toy


def states(project: Project) -> dict[str, str]:
    return {name: found.state for name, found in freshness.states(project, project.stages).items()}


def reasons(project: Project) -> dict[str, tuple[str, ...]]:
    """Return why each stale stage is stale."""
    found = freshness.states(project, project.stages)
    return {name: each.why for name, each in found.items() if each.state == "stale"}


def stale(project: Project) -> set[str]:
    return set(reasons(project))


def with_downstream(names: set[str]) -> set[str]:
    """Return these stages and all that build on them."""
    found = set(names)
    for stage in STAGES.values():  # each stands after its inputs
        if found & {*stage.inputs}:
            found.add(stage.name)
    return found


def smoke(folder: Path) -> Project:
    """Open the profile `smoke` in a copy of the project, with results that every stage can have."""
    opened = open_project("smoke", folder)
    return replace(opened, stages={name: replace(each, result=Sum) for name, each in opened.stages.items()})


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the real code in which every stage of `smoke` is fresh; who changes it changes it back."""
    folder = tmp_path_factory.mktemp("original")
    copy_parts(folder, "pipeline", "experiments", "reporting", "figures", "templates", "profiles", "data")
    project = smoke(folder)
    for name in project.stages:
        put(project, name, {"total": 1})
    assert set(states(project).values()) == {"fresh"}
    return folder


@pytest.fixture
def copied(original: Path, tmp_path: Path) -> Path:
    """The same to be changed."""
    return shutil.copytree(original, tmp_path / "copied")


ENTRIES = ("__init__", "__main__", "context", "profile", "project", "stages")
LOADED = {"images": "experiments.datasets.generated", "photos": "experiments.datasets.generated_photos"}
"""What loads the data of `smoke`."""
REACHED = {
    name: set[str]().union(
        BETWEEN,
        closure(stage.function.partition(":")[0], ROOT),
        *(closure(LOADED[data.name], ROOT) for data in stage.data if data.name in LOADED),
    )
    for name, stage in STAGES.items()
}
"""The modules between, and those that each stage of `smoke` reaches, or what loads its data."""


def edit(path: Path, change: Callable[[str], str]) -> None:
    before = path.read_text()
    path.write_text(change(before))
    assert path.read_text() != before


def add_code(source: str) -> str:
    return source + "\n\n_ADDED = 1\n"


def add_comment_and_docstrings(source: str) -> str:
    """Put a comment everywhere that is safe, and a sentence into each docstring."""
    return re.sub(r'(?m)^( *)"""(?=\w)', r'\1"""Altered. ', source) + "\n# A comment.\n"


def test_comments_and_docstrings_changed_everywhere_leave_everything_fresh(copied: Path):
    for path in copied.glob("experiments/**/*.py"):
        if path.stat().st_size:
            edit(path, add_comment_and_docstrings)
    assert set(states(smoke(copied)).values()) == {"fresh"}


def test_templates_figures_and_the_machinery_around_stages_make_nothing_stale(copied: Path):
    for pattern in ("templates/*", "figures/*.py", "reporting/*.py", "pipeline/*.py"):
        for path in copied.glob(pattern):
            edit(path, add_code)
    for name in ("__main__", "stages"):
        edit(copied / f"experiments/{name}.py", add_code)
    assert set(states(smoke(copied)).values()) == {"fresh"}


@pytest.mark.parametrize("path", sorted({*ROOT.glob("experiments/**/*.py")}), ids=lambda path: path.stem)
def test_a_line_of_code_makes_exactly_the_stages_stale_that_reach_it_and_is_named(original: Path, path: Path):
    relative = path.relative_to(ROOT)
    module = ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
    reaching = {name for name, reached in REACHED.items() if module in reached}
    text = (original / relative).read_text()
    edit(original / relative, add_code)
    try:
        why = reasons(smoke(original))
        assert set(why) == with_downstream(reaching)
        for name in reaching:
            assert f"code: {module} has changed" in why[name]
    finally:
        (original / relative).write_text(text)


def test_every_module_that_can_determine_a_number_is_in_the_key_of_a_stage():
    """By its function, or by what loads some kind of data; what asks about data, or runs stages, is not."""
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in ROOT.glob("experiments/**/*.py")
        if path.stat().st_size
        and path.relative_to(ROOT / "experiments").parts[0] not in ("preflight", "new_profile")
    }
    outside = {f"experiments.{name}" for name in ENTRIES}
    outside |= {"experiments.datasets.loaders", "experiments.datasets.fingerprints", "experiments.cleaning"}
    loaders = {named.partition(":")[0] for named in LOADERS.values()}
    reached = set[str]().union(*REACHED.values(), *(closure(module, ROOT) for module in loaders))
    assert modules - outside - reached == set()
    kinds = {kind for data in (AnyImages, AnyPhotos) for kind in get_args(data)}
    assert set(LOADERS) == kinds
    assert "experiments.datasets.loaders" not in reached, "a loader of one kind would reach those of all"


def test_what_is_done_to_images_after_their_loader_addresses_what_is_prepared_of_them(folders: Path):
    project, path = reading(folders), folders / "experiments" / "datasets" / "loading.py"
    before, text = prepared(project), path.read_text()
    edit(path, lambda source: source.replace("return function(config,", "return function(config.other(),"))
    try:
        after = prepared(project)
        assert all(before[name] != after[name] for name in before)
    finally:
        path.write_text(text)


READING = {
    "photo_folder": {"photos"},  # which photos are for testing, and which references are used
    "captions_file": {"photos"},
    "preprocess": {"images"},  # the resampling of prepared pictures
    "image_folder": {"images"},
    "images": {"images"},
    "pictures": {"images", "photos"},
    "flickr30k": set(),
    "cifar10": set(),
}
"""Modules that load a folder's images, or captioned photos of one, by the data that they load."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the real code in which stages that only read folders of a user's own are fresh."""
    folder = tmp_path_factory.mktemp("folders")
    copy_parts(folder, "experiments", "profiles")
    draw_classes(folder / "animals", count=4)
    draw_photos(folder, count=9)
    project = reading(folder)
    for name in project.stages:
        put(project, name, {"total": 1})
    return folder


def reading(folder: Path) -> Project:
    """Open a project with stages of no code of their own, one for each data set."""
    words = "experiments.captioning.scoring.words:words"
    stages = pipeline(
        *(
            Stage(name=data.name, function=words, result=Sum, config="cnn", data=(data,))
            for data in (IMAGES, PHOTOS_DATA)
        )
    )
    return replace(
        small_profiles.project(folder, small_profiles.IMAGES, small_profiles.PHOTOS), stages=stages
    )


def prepared(project: Project) -> dict[str, str]:
    """Return what addresses that which is made once of each data set."""
    today = keys.Today(Code(project.root))
    return {
        data.name: keys.prepared_digest(project, data, keys.identity(project, data, today).sha256, today.code)
        for data in (IMAGES, PHOTOS_DATA)
    }


@pytest.mark.parametrize("module", READING)
def test_a_change_in_what_loads_data_concerns_the_stages_that_read_them_and_what_was_prepared(
    folders: Path, module: str
):
    project, path = reading(folders), folders / "experiments" / "datasets" / f"{module}.py"
    before = prepared(project)
    text = path.read_text()
    edit(path, add_code)
    try:
        assert stale(project) == READING[module]
        after = prepared(project)
        assert {name for name in before if before[name] != after[name]} == READING[module]
    finally:
        path.write_text(text)


def test_another_function_of_the_same_module_makes_a_stage_stale_and_is_named(tmp_path: Path) -> None:
    toy = make_toy(tmp_path)
    for name in toy.stages:
        put(toy, name, {"total": 1})
    others = {**toy.stages, "second": replace(toy.stages["second"], function="toy.second:other")}
    assert reasons(replace(toy, stages=others)) == {
        "second": (
            "code: toy.second:other is called for this now",
            "code: toy.second:second is called no more",
        )
    }


@pytest.mark.parametrize("data", [IMAGES, PHOTOS_DATA], ids=lambda data: data.name)
def test_another_loader_of_the_same_module_makes_what_reads_the_data_stale_and_what_was_prepared(
    folders: Path, data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = reading(folders)
    kind = type(getattr(project.profile, data.name))
    before, module = prepared(project), LOADERS[kind].partition(":")[0]
    monkeypatch.setitem(LOADERS, kind, f"{module}:another")
    assert f"code: {module}:another is called for this now" in reasons(project)[data.name]
    assert stale(project) == {data.name}
    after = prepared(project)
    assert {name for name in before if before[name] != after[name]} == {data.name}


def test_loaders_that_are_exchanged_are_other_loaders(tmp_path: Path) -> None:
    def reading_by(one: str, two: str) -> Project:
        names = {"one": one, "two": two}
        data = [
            Data(name, lambda *_: Identity("x"), lambda *_: None, lambda _, name=name: names[name])
            for name in names
        ]
        stage = replace(TOYS["first"], data=tuple(data))
        return make_toy(tmp_path, None, pipeline(stage))

    put(reading_by("toy.unused:a", "toy.unused:b"), "first", {"total": 1})
    assert stale(reading_by("toy.unused:b", "toy.unused:a")) == {"first"}


RE_RUN = {
    "classification/cnn": {"cnn"},
    "captioning/scoring/metrics": {"captions"},
    "captioning/scoring/health": {"captions"},
    "captioning/scoring/measures": {"captions"},
    "captioning/compare": {"captions"},
    "captioning/scoring/grounding": {"captions", "ablations"},
    "captioning/scoring/style": {"captions", "ablations"},
    "captioning/variants": {"variants", "ablations"},
    "captioning/generate": {"generate", "captions", "variants", "ablations"},
    "captioning/tuning": {"lora", "generate", "captions", "variants", "ablations"},
    "captioning/alignment": {"align", "lora", "generate", "captions", "variants", "ablations"},
    "results/ablations": {"ablations"},
}


@pytest.mark.parametrize("module", RE_RUN)
def test_a_change_of_code_re_runs_what_it_concerns_and_nothing_else(copied: Path, module: str):
    edit(copied / f"experiments/{module}.py", add_code)
    judging = {"audit"} if module == "results/ablations" else {"evidence", "audit"}
    assert stale(smoke(copied)) == RE_RUN[module] | judging


def with_smoke(folder: Path, pattern: str, replacement: str) -> Project:
    """Alter the profile by a regular expression and open it."""
    edit(folder / "profiles/smoke.toml", lambda text: re.sub(pattern, replacement, text))
    return smoke(folder)


def test_a_changed_option_makes_its_stage_stale_and_is_named_with_both_values(copied: Path):
    project = with_smoke(copied, r"(\[cnn\][^[]*?epochs = )\d+", r"\g<1>77")
    assert stale(project) == {"cnn", "evidence", "audit"}
    assert re.search(r"profile: epochs was \d+, is 77", " ".join(freshness.of(project, "cnn").why))


def test_where_the_images_come_from_is_no_part_of_a_key(copied: Path):
    section = '[images]\nkind = "cifar10"\nsource = "npm"\n\n'
    one = with_smoke(copied, r"\[images\]\n[^[]*", section)
    other = with_smoke(copied, '"npm"', '"torchvision"')
    assert one.profile.images != other.profile.images
    first, second = ({name: freshness.of(each, name).key for name in STAGES} for each in (one, other))
    assert first == second


def test_other_generated_images_make_every_stage_that_reads_them_stale(copied: Path):
    project = with_smoke(copied, r"(\[images\][^[]*seed = )\d+", r"\g<1>99")
    assert stale(project) == with_downstream({name for name, stage in STAGES.items() if IMAGES in stage.data})
    assert freshness.of(project, "vit").why == ("data: what [images] names is another",)


@pytest.fixture
def stored(tmp_path: Path) -> Project:
    """A toy whose stages are fresh."""
    project = make_toy(tmp_path)
    for name in project.stages:
        put(project, name, {"total": 1})
    return project


def test_what_builds_on_a_stale_stage_is_stale_and_says_so(stored: Project):
    edit(stored.root / "toy/first.py", add_code)
    assert reasons(stored) == {
        "first": ("code: toy.first has changed",),
        "second": ("input: the result of first is another",),
    }


def test_code_imported_inside_a_function_counts_and_unreached_code_does_not(stored: Project):
    edit(stored.root / "toy/unused.py", add_code)
    assert set(states(stored).values()) == {"fresh"}
    edit(stored.root / "toy/arithmetic.py", add_code)
    assert reasons(stored) == {"second": ("code: toy.arithmetic has changed",)}


def test_a_module_that_comes_or_goes_is_named_and_a_change_taken_back_is_fresh_again(stored: Project):
    path = stored.root / "toy/first.py"
    before = path.read_text()
    edit(path, lambda text: "import toy.unused\n" + text)
    why = freshness.of(stored, "first").why
    assert why == ("code: toy.first has changed", "code: toy.unused is new")
    path.write_text(before)
    assert freshness.of(stored, "first").state == "fresh"
    edit(path, lambda text: "import toy.unused\n" + text)
    put(stored, "first", {"total": 1})
    (stored.root / "toy/unused.py").unlink()
    assert freshness.of(stored, "first").why == ("code: toy.unused is gone",)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"stage": "first"}', b"\xff\xfe", b'{"key": 1e999}'])
def test_a_file_that_is_no_result_counts_as_missing(stored: Project, content: bytes):
    store.path_of(stored, "first").write_bytes(content)
    assert freshness.of(stored, "first").state == "missing"
    assert "run `python -m experiments run first" in refusal(store.read, stored, "first")


def test_a_value_of_another_type_is_refused_with_the_command_that_mends_it(stored: Project):
    put(stored, "first", {"total": "seven"})
    assert "not a result of today's stage first" in refusal(store.read, stored, "first")


def test_an_unknown_stage_is_answered_with_the_known_ones(tmp_path: Path):
    sentence = refusal(freshness.of, make_toy(tmp_path), "third")
    assert "no stage 'third'; the stages are first, second" in sentence


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("toy")


@given(one=st.integers(), two=st.integers(), seed=st.integers())
def test_keys_are_equal_exactly_when_the_options_are(place: Path, one: int, two: int, seed: int):
    profiles = [ToyProfile(one=Number(number=number, seed=seed)) for number in (one, two)]
    first, other = (make_toy(place, profile) for profile in profiles)
    for stage in ("first", "second"):
        key, another = (keys.key(keys.ingredients(project, stage)) for project in (first, other))
        assert (key == another) == (one == two)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=70) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=80,
)


class Anything(Result):
    """A result of which `seconds`, wherever it stands, is a cost."""

    COSTS = frozenset({"seconds"})

    anything: Any


def with_anything(place: Path) -> Project:
    """Open a toy whose first stage may have any result, and whose second builds on it."""
    stages = pipeline(replace(TOYS["first"], result=Anything), TOYS["second"])
    return make_toy(place, stages=stages)


@given(value=json_values)
def test_what_is_written_is_what_is_read(place: Path, value: Any):
    project = with_anything(place)
    put(project, "first", Anything(anything=value))
    assert store.read(project, "first").value.anything == value
    assert freshness.of(project, "first").state == "fresh"


def leaves(value: Any, where: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every leaf of a piece of JSON; what holds nothing is a leaf."""
    within = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for step, item in within for path in leaves(item, (*where, step))] or [where]


def altered(value: Any, path: tuple[Any, ...], leaf: Any) -> Any:
    """Return a copy of a piece of JSON with one leaf replaced."""
    if not path:
        return leaf
    copied = dict(value) if isinstance(value, dict) else [*value]
    copied[path[0]] = altered(value[path[0]], path[1:], leaf)
    return copied


@given(value=json_values, leaf=json_values, data=st.data())
def test_whichever_leaf_of_a_value_is_altered_by_hand_it_is_seen_and_what_builds_on_it_is_stale(
    place: Path, value: Any, leaf: Any, data: st.DataObject
):
    path = data.draw(st.sampled_from(leaves(value)))
    other = altered(value, path, leaf)
    assume(json.dumps(other, sort_keys=True) != json.dumps(value, sort_keys=True) and other != value)
    project = with_anything(place)
    put(project, "first", Anything(anything=value))
    put(project, "second", Sum(total=1))
    file = store.path_of(project, "first")
    stored = json.loads(file.read_text())
    file.write_text(json.dumps(stored | {"value": {"anything": other}}))
    assert reasons(project)["first"] == ("it was altered by hand",)
    if "seconds" not in path:
        assert reasons(project)["second"] == ("input: the result of first has another value",)


@given(value=json_values, seconds=json_values)
def test_what_a_result_cost_is_nothing_that_others_follow(place: Path, value: Any, seconds: Any):
    project = with_anything(place)
    put(project, "first", Anything(anything=[value, {"seconds": 1}]))
    put(project, "second", Sum(total=1))
    put(project, "first", Anything(anything=[value, {"seconds": seconds}]))
    assert set(states(project).values()) == {"fresh"}


@pytest.mark.parametrize("part", ["stage", "profile"])
def test_a_file_that_holds_the_result_of_another_stage_or_profile_is_none(stored: Project, part: str):
    path = store.path_of(stored, "first")
    path.write_text(json.dumps(json.loads(path.read_text()) | {part: "another"}))
    found = freshness.of(stored, "first")
    assert found.state == "missing"
    assert "another" in found.why[0]
    assert "another" in refusal(store.read, stored, "first")


def test_a_value_that_todays_type_cannot_read_is_missing_for_whoever_asks(stored: Project):
    path = store.path_of(stored, "first")
    path.write_text(path.read_text().replace('"total": 1', '"sum": 1'))
    assert freshness.of(stored, "first").state == "missing"
    assert "not a result of today's stage first" in refusal(store.read, stored, "first")


def cost_like(model: type[BaseModel], seen: set[type[BaseModel]]) -> set[str]:
    """Return the names of fields, at any depth, that tell seconds, rates or memory."""
    seen.add(model)
    found = {name for name in model.model_fields if re.search(r"seconds|_per_second|peak_bytes", name)}
    for field in model.model_fields.values():
        for inner in inner_models(field.annotation):
            if inner not in seen:
                found |= cost_like(inner, seen)
    return found


def inner_models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in inner_models(part)]


@pytest.mark.parametrize("stage", STAGES)
def test_no_result_lets_others_follow_how_long_it_took(stage: str):
    result = STAGES[stage].result
    assert cost_like(result, set()) <= result.COSTS


def test_the_walk_over_results_finds_costs_at_any_depth():
    assert {"seconds", "peak_bytes"} <= cost_like(STAGES["variants"].result, set())


@pytest.fixture
def with_optional(tmp_path: Path) -> Project:
    """A toy whose second stage may lack its input, which it does."""
    project = make_toy(tmp_path, stages=pipeline(TOYS["first"], replace(TOYS["second"], optional=("first",))))
    put(project, "second", Sum(total=1))
    return project


def test_a_result_made_without_an_optional_input_is_fresh_until_the_input_comes_and_says_so(
    with_optional: Project,
):
    assert states(with_optional) == {"first": "missing", "second": "fresh"}
    put(with_optional, "first", Sum(total=1))
    assert reasons(with_optional) == {"second": ("input: the result of first is there by now",)}
    put(with_optional, "second", Sum(total=2))
    store.path_of(with_optional, "first").unlink()
    assert reasons(with_optional) == {"second": ("input: the result of first is missing",)}
