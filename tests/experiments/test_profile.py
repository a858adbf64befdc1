import re
import shutil
from pathlib import Path

import pytest

from experiments import profile
from experiments.new_profile.start import start
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
    loaded = profile.load("smoke", ROOT)
    with pytest.raises(ValueError, match="frozen"):
        loaded.cnn.epochs = 3  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("[cnn]", "[cnn]\nepoch = 3", "cnn.epoch is not a known key; allowed here: seed, precision, "),
        ("[cnn]", "[rnn]\nseed = 0\n\n[cnn]", "rnn is not a known key; allowed here: description, images, "),
        (
            'kind = "generated"',
            'kind = "generated"\nsource = "npm"',
            "images.source is not a known key; allowed here: kind, seed, train, test, size.",
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
