import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from experiments import profile
from experiments.captioning.captioners import saved
from experiments.config.captioner import EncoderDecoderConfig
from experiments.config.fields import resolve_path
from experiments.config.zero_shot import OpenClipTower
from experiments.new_profile.start import off, start
from experiments.project import open_project
from experiments.results.source import Source
from pipeline.errors import UserError
from tests.support.copies import ROOT

NAMES = {path.stem for path in (ROOT / "profiles").glob("*.toml")} | {"assignment", "offline", "smoke"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    start("mine", tmp_path)
    return tmp_path


def refusal(folder: Path, old: str, new: str, name: str = "smoke") -> str:
    """Change a profile's text, from its section [cnn] on if it stands there; return the refusal, one line."""
    path = folder / "profiles" / f"{name}.toml"
    text = path.read_text()
    assert old in text
    start = text.index("[cnn]") if old in text[text.index("[cnn]") :] else 0
    path.write_text(text[:start] + text[start:].replace(old, new, 1))
    with pytest.raises(UserError) as refused:
        profile.load(name, folder)
    said = str(refused.value)
    assert said.startswith(f"profiles/{name}.toml")
    assert "\n" not in said
    return said


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_profile_that_is_shipped_is_valid_and_named_after_its_file(name: str) -> None:
    assert profile.load(name, ROOT).name == name


def test_a_profile_cannot_be_changed_once_loaded() -> None:
    cnn = profile.load("smoke", ROOT).cnn
    assert cnn
    with pytest.raises(ValueError, match="frozen"):
        cnn.epochs = 3  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("[cnn]", "[cnn]\nepoch = 3", "cnn.epoch is not a known key; allowed here: seed, precision, "),
        ("[cnn]", "[rnn]\nseed = 0\n\n[cnn]", "rnn is not a known key; allowed here: description, images, "),
        (
            'kind = "generated"',
            'kind = "generated"\nsource = "npm"',
            "images.source is not a known key; allowed here: validation, validation_seed, kind, seed, train, "
            "test, size.",
        ),
        ("epochs = 2", "epochs = 0", "cnn.epochs is 0; input should be greater than or equal to 1"),
        ("epochs = 2", "epochs = 2.5", "cnn.epochs is 2.5; input should be a valid integer"),
        ("epochs = 2", 'epochs = "2"', 'cnn.epochs is "2"; input should be a valid integer.'),
        ("epochs = 2", "epochs = true", "cnn.epochs is true; input should be a valid integer."),
        ("epochs = 2\n", "", "cnn.epochs is missing; it is required."),
        ("learning_rate = 0.4", "learning_rate = -1.0", "cnn.learning_rate is -1.0; input should be greater"),
        ("learning_rate = 0.4", "learning_rate = nan", "cnn.learning_rate is NaN; "),
        ("widths = [16, 32]", "widths = [16, 0]", "cnn.widths[1] is 0; input should be greater"),
        ("widths = [16, 32]", "widths = []", "cnn.widths is []; "),
        ("heads = 2", "heads = 3", "heads = 3 must divide width = 32"),
        ('kind = "generated"', 'kind = "made-up"', "images.kind is 'made-up'; allowed is one of 'cifar10', "),
        ('kind = "generated"\n', "", "images.kind is missing; it is required."),
        ('"a photo of a {}."', '"a photo."', "exactly one {}"),
        ('name = "ensemble"', 'name = "single prompt"', "names must differ"),
        ("r = 32", "r = 0", "lora.r is 0; input should be greater than or equal to 1"),
        ("dropout = 0.0", "dropout = 1.0", "lora.dropout is 1.0; input should be less than 1"),
        ('targets = ["c_attn", "c_proj", "c_fc"]', "targets = []", "lora.targets is []; "),
        ("resamples = 200", "resamples = 20", "captions.resamples is 20; input should be greater"),
        ("[0.0, 0.25, 0.5, 0.75, 1.0]", "[0.5, 1.5]", "example_quantiles[1] is 1.5; "),
        ('kind = "random"', 'kind = "randon"', "captioner.kind is 'randon'; allowed is one of "),
        (
            'kind = "random"',
            'kind = "vision_encoder_decoder"\nmodel = "./mine"\nrevision = "main"',
            "a folder on this machine has no revision",
        ),
        ('precision = "fp32"\nheld_out', 'precision = "fp16"\nheld_out', 'captioner.precision is "fp16"; '),
        (
            'kind = "generated"\nseed = 1\ntuning = 8\nevaluation = 6\nsize = 16\n',
            'kind = "folder"\nfolder = 3\ncaptions = "c"\nseed = 1\ntuning = 8\nevaluation = 6\n',
            "photos.folder is 3; input should be a valid string",
        ),
        ("[cnn]", "[cnn", "is not valid TOML"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_allowed_is_named_with_what_was_found_and_what_is_allowed(
    folder: Path, old: str, new: str, sentence: str
) -> None:
    assert sentence in refusal(folder, old, new)


@pytest.mark.parametrize(
    ("name", "old", "new", "sentence"),
    [
        ("assignment", '"openai"', '"mine.pt"\nfile = "a.pt"', "zero_shot.tower.* file is a copy of"),
        ("assignment", '"ViT-B-32"', '"hf-hub:a/b"', "zero_shot.tower.* left out for hf-hub: and local-dir:"),
        ("assignment", 'pretrained = "openai"\n', "", "zero_shot.tower.* pretrained must name a built-in"),
        ("mine", '"this is {}"', '"this is it"', "captioner.* exactly one {}, unlike 'this is it'"),
    ],
)
def test_a_tower_names_its_weights_once_and_a_template_has_a_place_for_the_class(
    folder: Path, name: str, old: str, new: str, sentence: str
) -> None:
    assert re.search(sentence, refusal(folder, old, new, name=name))


ODD = [
    *(
        (old, new, "")
        for old, values in (
            (
                "seed = 1",
                ("seed = -1", f"seed = {2**53}", f"seed = {2**63}", f"seed = {10**100}", "seed = 1.0"),
            ),
            ("epochs = 2", ("epochs = -1", "epochs = 10_000_000", f"epochs = {10**30}")),
            ("batch_size = 50", ("batch_size = 0", "batch_size = 1", f"batch_size = {2**63}")),
            (
                "learning_rate = 0.4",
                [f"learning_rate = {value}" for value in ("0.0", "inf", "-inf", "nan", "1e308")],
            ),
            ("weight_decay = 1e-3", [f"weight_decay = {value}" for value in ("-1.0", "inf", "nan", "1e308")]),
            (
                "label_smoothing = 0.1",
                ("label_smoothing = 1.0", "label_smoothing = -0.1", "label_smoothing = nan"),
            ),
            ("translate = 1", ("translate = -1", "translate = 16", f"translate = {2**63}")),
            ("widths = [16, 32]", ("widths = [16, 32, 8, 8]", "widths = [100_000]", f"widths = {[8] * 99}")),
            ("depth = 1", ("depth = 0", "depth = 100_000")),
            ("width = 32", ("width = 0", f"width = {2**40}")),
            ("resamples = 500", (f"resamples = {2**63}", "resamples = 10_000_000")),
            ("significance = 0.05", ("significance = inf", "significance = 0.0", "significance = 1.0")),
            ("tolerance = 0.01", ("tolerance = nan", "tolerance = inf")),
            ("beams = 1", ("beams = 0", "beams = 1_000")),
            ("alpha = 64", ("alpha = 0", f"alpha = {10**30}")),
            ("test = 200", ("test = 1", "test = 0", f"test = {10**12}")),
            ("size = 16", ("size = 0", "size = 7", "size = 100_000")),
            ("validation = 40", ("validation = -1", f"validation = {10**12}")),
            ("evaluation = 6", ("evaluation = 1",)),
            ("held_out = 20", ("held_out = -1", f"held_out = {2**64}")),
            ('name = "ensemble"', ('name = ""', 'name = "  "', 'name = "a\\nb"', 'name = "a\\u0000b"')),
            ('"a drawing of a {}."', ('"a drawing of\\u0000 a {}."',)),
            ('targets = ["c_attn", "c_proj", "c_fc"]', ("targets = []", 'targets = [""]')),
            ("ranks = [1, 4]", ("ranks = [0]", "ranks = [-1]", f"ranks = [{10**12}]")),
            ("example_quantiles = [0.0, 0.25, 0.5, 0.75, 1.0]", (f"example_quantiles = {[0.5] * 101}",)),
        )
        for new in values
    ),
    ("epochs = 2", f"epochs = {'9' * 5000}", "is not valid TOML"),
]


@pytest.mark.parametrize(("old", "new", "sentence"), ODD, ids=[new[:40] for _, new, _ in ODD])
def test_a_value_that_a_stage_would_die_of_is_refused_when_the_profile_is_loaded(
    old: str, new: str, sentence: str, folder: Path
) -> None:
    said = refusal(folder, old, new)
    assert sentence in said and len(said) < 250


@pytest.mark.parametrize("name", ["x" * 101, "x" * 300, ""])
def test_a_profiles_name_is_one_that_files_can_have(name: str, folder: Path) -> None:
    with pytest.raises(UserError, match="cannot be a profile's name"):
        profile.load(name, folder)


@pytest.mark.parametrize("value", ['"a\\u0000b"', '""', '" "', f'"{"x" * 256}"', f'"{"ü" * 128}/a"'])
def test_a_path_that_no_file_can_have_is_refused(value: str, folder: Path) -> None:
    said = refusal(folder, 'repository = "lmms-lab/flickr30k"', f"repository = {value}", name="assignment")
    assert "photos.repository is " in said


def test_each_of_several_mistakes_gets_its_sentence(folder: Path) -> None:
    path = folder / "profiles" / "smoke.toml"
    path.write_text(path.read_text().replace("epochs = 2", "epochs = 0"))
    with pytest.raises(UserError) as refused:
        profile.load("smoke", folder)
    assert [line.split(" is ")[0] for line in str(refused.value).splitlines()] == [
        "profiles/smoke.toml: lora.epochs",
        "profiles/smoke.toml: cnn.epochs",
        "profiles/smoke.toml: vit.epochs",
    ]


def test_a_profile_that_does_not_exist_is_answered_with_those_that_do(folder: Path) -> None:
    with pytest.raises(
        UserError, match="no profile 'nowhere' in profiles/: the profiles are assignment, mine, offline"
    ):
        profile.load("nowhere", folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('pretrained = "openai"', 'pretrained = "weights/none.pt"'),
        ('pretrained = "openai"', 'pretrained = "openai"\nfile = "~/none.pt"'),
        ('model = "nlpconnect/vit-gpt2-image-captioning"\nrevision', 'model = "./none"\n#'),
        ('repository = "lmms-lab/flickr30k"', 'repository = "./none"'),
    ],
)
def test_files_that_are_not_on_this_machine_do_not_keep_a_profile_from_being_read(
    folder: Path, old: str, new: str
) -> None:
    path = folder / "profiles" / "assignment.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert profile.load("assignment", folder)


CAPTIONING = ("photos", "captioner", "lora", "generation", "captions", "variants", "ablations")
CLASSIFIERS = ("zero_shot", "cnn", "vit")


def without(folder: Path, *sections: str, held_out: str = "held_out = 20") -> None:
    """Take sections out of the profile smoke, and write its number of held-out images anew."""
    path = folder / "profiles" / "smoke.toml"
    tables = "|".join(sections)
    text = re.sub(rf"(?ms)^\[+(?:{tables})[].].*?(?=^\[|^# |\Z)", "", path.read_text())
    path.write_text(text.replace("held_out = 20", held_out))


@pytest.mark.parametrize(
    ("sections", "stages"),
    [
        (CAPTIONING, ["data_sets", "zero_shot", "cnn", "vit", "evidence", "audit"]),
        ((*CAPTIONING, "zero_shot", "vit"), ["data_sets", "cnn", "evidence", "audit"]),
        (CLASSIFIERS, ["data_sets", "align", "lora", "generate", "captions", "variants", "ablations"]),
        (("variants", "ablations", *CLASSIFIERS), ["data_sets", "align", "lora", "generate", "captions"]),
        (("images", *CLASSIFIERS), ["data_sets", "align", "lora", "generate", "captions", "variants"]),
    ],
)
def test_a_profile_has_the_stages_of_its_sections_and_none_reads_what_it_leaves_out(
    folder: Path, sections: tuple[str, ...], stages: list[str]
) -> None:
    without(folder, *sections, held_out="" if "images" in sections else "held_out = 20")
    project = open_project("smoke", folder)
    assert [*project.stages][: len(stages)] == stages
    assert {"evidence", "audit"} <= set(project.stages)
    for stage in project.stages.values():
        assert not {data.name for data in stage.data} & set(sections)
        assert set(stage.optional) <= set(stage.inputs) <= set(project.stages)


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        ((*CAPTIONING, *CLASSIFIERS), "there is nothing to run: add [images] and a classifier, or [photos]"),
        (("images",), "[zero_shot] needs [images] to classify: add them, or leave it out."),
        (("images", "zero_shot", "cnn"), "[vit] needs [images] to classify: add them, or leave it out."),
        (("lora", "captions"), "[photos] needs [lora], [captions] as well: add that, or leave all of"),
        (("variants",), "[variants] and [ablations] belong together: add the other, or leave both out."),
        (("images", *CLASSIFIERS), "captioner.held_out is 20, but there are no [images]: add them, or"),
    ],
)
def test_sections_that_need_another_are_refused_in_one_sentence(
    folder: Path, sections: tuple[str, ...], sentence: str
) -> None:
    without(folder, *sections)
    with pytest.raises(UserError) as refused:
        profile.load("smoke", folder)
    assert str(refused.value).startswith(f"profiles/smoke.toml: {sentence}")
    assert "\n" not in str(refused.value)


def test_a_captioner_that_is_aligned_on_images_is_refused_without_them(folder: Path) -> None:
    path = folder / "profiles" / "mine.toml"
    path.write_text(off(path.read_text(), "images", *CLASSIFIERS))
    with pytest.raises(UserError, match=r"the kind prefix is aligned on labelled \[images\]: add them, or"):
        profile.load("mine", folder)


PLACES = (
    ("ROOT/weights/mine.pt", "./weights/mine.pt"),
    ("HOME/weights/mine.pt", "~/weights/mine.pt"),
    ("/mnt/who:ami/mine.pt", "…/mine.pt"),
    ("~/mine.pt", "~/mine.pt"),
    ("weights/mine.pt", "weights/mine.pt"),
)


@pytest.mark.parametrize(("given", "kept"), PLACES)
def test_results_never_hold_where_this_machine_has_what_a_profile_names(
    given: str,
    kept: str,
    folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    given = given.replace("ROOT", str(folder)).replace("HOME", str(home))
    path = folder / "profiles" / "assignment.toml"
    text = path.read_text()
    for old, new in (
        ('pretrained = "openai"', f'pretrained = "{given}"'),
        ('model = "nlpconnect/vit-gpt2-image-captioning"\nrevision', f'model = "{given}"\n#'),
        ('repository = "lmms-lab/flickr30k"', f'repository = "{given}"'),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    loaded = profile.load("assignment", folder)
    assert loaded.captioner and loaded.zero_shot and isinstance(loaded.zero_shot.tower, OpenClipTower)
    shown = loaded.model_dump(mode="json")
    assert shown["captioner"]["model"] == shown["zero_shot"]["tower"]["pretrained"] == kept
    assert shown["photos"]["repository"] == kept
    real = resolve_path(folder, given)
    assert resolve_path(folder, loaded.zero_shot.tower.pretrained or "") == real
    # What `align` leaves in the cache for later stages still leads there.
    captioner = SimpleNamespace(weights=(Source(name="x", sha256="y"),))
    saved.save(loaded.captioner, captioner, folder, folder)  # pyright: ignore[reportArgumentType]
    again = saved.read_config(folder)
    assert isinstance(again, EncoderDecoderConfig) and again.local == real


def test_a_model_folder_outside_of_the_project_is_known_by_its_name_alone(folder: Path) -> None:
    path = folder / "profiles" / "assignment.toml"
    text = path.read_text().replace('pretrained = "openai"\n', "")
    path.write_text(re.sub('model = "ViT-B-32[^"]*"', 'model = "local-dir:/mnt/secret/tower"', text))
    loaded = profile.load("assignment", folder).zero_shot
    assert (
        loaded and "/mnt" not in loaded.model_dump_json() and "local-dir:…/tower" in loaded.model_dump_json()
    )
