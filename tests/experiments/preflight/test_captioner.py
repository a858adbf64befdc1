import json
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from experiments import profile
from experiments.config.captioner import EncoderDecoderConfig
from experiments.config.zero_shot import ImagenetBridge, OpenClipTower, Prompts
from experiments.preflight import presence
from experiments.preflight.captioner import (
    LITE0_AND_MAPPER,
    Shape,
    findings_of_lengths,
    findings_of_shape,
    shape_of,
    token_counts,
)
from experiments.preflight.prompts import findings_of_prompts
from experiments.preflight.sizes import impossible
from pipeline.errors import UserError
from tests.support.copies import ROOT
from tests.support.small_profiles import save_captioner

OFFLINE, ASSIGNMENT, SMOKE = (profile.load(name, ROOT) for name in ("offline", "assignment", "smoke"))


def shape(of: profile.Profile) -> Shape:
    assert of.captioner
    found = shape_of(of.captioner, ROOT)
    assert found is not None
    return found


def with_keys(loaded: profile.Profile, config: str, **keys: Any) -> profile.Profile:
    return loaded.model_copy(update={config: getattr(loaded, config).model_copy(update=keys)})


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.mark.parametrize(
    ("loaded", "parameters", "adapter", "room"),
    [
        (OFFLINE, 134_515_008 + LITE0_AND_MAPPER, 9_768_960, None),
        (ASSIGNMENT, 239_195_904, 6_193_152, 1024),
        (SMOKE, 75_072, 43_008, 512),
    ],
    ids=["offline", "assignment", "smoke"],
)
def test_sizes_are_the_published_ones_without_a_download_and_every_profile_fits_its_captioner(
    loaded: profile.Profile, parameters: int, adapter: int, room: int | None
) -> None:
    found = shape(loaded)
    assert (found.parameters, found.room) == (parameters, room)
    findings = findings_of_shape(found, loaded)
    assert findings.problems == ()
    assert loaded.lora
    assert f"LoRA of rank 32 on {', '.join(loaded.lora.targets)} adds {adapter:,} (" in findings.read[0]


def test_every_target_of_another_captioner_is_named() -> None:
    found = findings_of_shape(
        shape(OFFLINE), with_keys(OFFLINE, "lora", targets=("c_attn", "c_fc", "q_proj"))
    )
    assert [problem.partition(" matches")[0] for problem in found.problems] == [
        "lora.targets: The LoRA target 'c_attn'",
        "lora.targets: The LoRA target 'c_fc'",
    ]


def test_a_rank_is_refused_from_the_narrowest_layer_on_that_it_would_adapt() -> None:
    def problems(config: str, **keys: Any) -> tuple[str, ...]:
        return findings_of_shape(shape(OFFLINE), with_keys(OFFLINE, config, **keys)).problems

    assert problems("lora", r=192) == ()  # SmolLM2's k_proj and v_proj have 192 outputs
    assert "lora.r is 193, more than the 192" in problems("lora", r=193)[0]
    assert "variants.ranks is 200" in problems("variants", ranks=(1, 200))[0]
    wide = with_keys(OFFLINE, "variants", attention_targets=("q_proj",))
    wide = with_keys(wide, "lora", r=500, targets=("gate_proj",))
    assert findings_of_shape(shape(OFFLINE), wide).problems == ()


def test_captions_longer_than_the_decoders_positions_are_counted() -> None:
    random = shape(SMOKE)
    assert findings_of_lengths([512, 3], random).problems == ()
    assert (
        "2 captions to tune on are longer than the 512 tokens"
        in findings_of_lengths([513, 600, 5], random).problems[0]
    )
    assert findings_of_lengths([10**6], shape(OFFLINE)).problems == (), "there is no limit"


@pytest.fixture
def saved(tmp_path: Path) -> EncoderDecoderConfig:
    folder = str(save_captioner(tmp_path / "captioner"))
    return EncoderDecoderConfig(
        kind="vision_encoder_decoder", model=folder, seed=0, precision="fp32", held_out=1
    )


def test_tokens_are_counted_by_the_captioners_own_tokenizer_where_it_is_there(
    saved: EncoderDecoderConfig,
) -> None:
    assert token_counts(saved, ROOT, ["a cat", "dog"]) == [6, 4]
    assert SMOKE.captioner and ASSIGNMENT.captioner
    assert token_counts(SMOKE.captioner, ROOT, ["a cat", "dog"]) == [6, 4]
    assert token_counts(ASSIGNMENT.captioner, ROOT, ["a photo of a cat"]) == [], "it is not there"


def test_a_configuration_that_is_none_is_a_sentence(saved: EncoderDecoderConfig) -> None:
    config = Path(saved.model) / "config.json"
    config.write_text('{"model_type": ')
    with pytest.raises(UserError, match=r"cannot build .* from its config\.json"):
        shape_of(saved, ROOT)
    config.unlink()
    assert shape_of(saved, ROOT) is None


def altered(saved: EncoderDecoderConfig, file: str, *keys: str, value: Any) -> None:
    """Set what a JSON file of a captioner says under these keys, one within the other."""
    path = Path(saved.model) / file
    content = json.loads(path.read_text())
    reduce(lambda inner, key: inner[key], keys[:-1], content)[keys[-1]] = value
    path.write_text(json.dumps(content))


IMPOSSIBLE = {
    "layers of the decoder": (("config.json", "decoder", "n_layer"), 10**9, "n_layer is 1,000,000,000, but"),
    "layers of the encoder": (
        ("config.json", "encoder", "num_hidden_layers"),
        10**9,
        "no model has more",
    ),
    "layers of stages": (("config.json", "encoder", "depths"), [2, 10**9], "depths is 1,000,000,000, but"),
    "classes": (("config.json", "encoder", "num_labels"), 10**9, "num_labels is 1,000,000,000, but"),
    "a side of photos": (("preprocessor_config.json", "size", "height"), 10**6, "height is 1,000,000 pixels"),
    "both sides of photos": (
        ("preprocessor_config.json", "size"),
        10**6,
        "no model sees more than 4,096",
    ),
    "a crop": (("preprocessor_config.json", "crop_size"), [224, 10**6], "crop_size is 1,000,000 pixels"),
}


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_sizes_that_cannot_be_are_a_sentence_before_anything_is_built(
    saved: EncoderDecoderConfig, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file, *keys), value, said = IMPOSSIBLE[kind]
    assert impossible(saved, ROOT) is None
    altered(saved, file, *keys, value=value)
    never = lambda *_, **__: pytest.fail("it was read by transformers")  # noqa: E731
    monkeypatch.setattr("transformers.VisionEncoderDecoderConfig.from_pretrained", never)
    with pytest.raises(UserError, match=rf"^{file} of .*{said}"):
        shape_of(saved, ROOT)
    profile = SMOKE.model_copy(update={"captioner": saved})
    (sentence,) = presence.missing(profile, ROOT, ROOT, ("captioner",))
    assert said in sentence, "a run asks for it as well"


UNREADABLE = {
    "a configuration that is nested too deep": ("config.json", b"[" * 200_000, "is nested too deep"),
    "an index that is": ("model.safetensors.index.json", b"[" * 200_000, "is nested too deep"),
    "a generation's that is": ("generation_config.json", b"[" * 200_000, "is nested too deep"),
    "a preprocessing in Latin-1": ("preprocessor_config.json", b"\xdf", "is not text in UTF-8: save it"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_file_of_a_captioner_that_cannot_be_read_is_named(saved: EncoderDecoderConfig, kind: str) -> None:
    file, content, said = UNREADABLE[kind]
    assert saved.local is not None
    (saved.local / file).write_bytes(content)
    profile = SMOKE.model_copy(update={"captioner": saved})
    (sentence,) = presence.missing(profile, ROOT, ROOT, ("captioner",))
    assert sentence.startswith(f"{file} of {saved.model} {said}")


@pytest.mark.parametrize(("part", "key"), [("decoder", "vocab_size"), ("encoder", "hidden_size")])
def test_more_parameters_than_weights_can_hold_are_a_sentence(
    saved: EncoderDecoderConfig, part: str, key: str
) -> None:
    assert shape_of(saved, ROOT)
    altered(saved, "config.json", part, key, value=10**8)
    with pytest.raises(UserError, match=r"config\.json of .* parameters, more than its weights \("):
        shape_of(saved, ROOT)


def test_prompts_that_are_cut_off_or_there_twice_are_remarks(tmp_path: Path) -> None:
    sets = (Prompts(name="one", templates=("a photo of a {}.", "a photo of a {}.", "a {}.")),)
    assert SMOKE.zero_shot
    config = SMOKE.zero_shot.model_copy(update={"prompt_sets": sets})
    twice = "The prompt set 'one' holds 'a photo of a {}.' twice, so that it counts twice."
    assert findings_of_prompts(config, ("cat", "dog"), tmp_path).remarks == (twice,)
    long = "a very " + "long " * 80 + "name"
    cut = "Classes whose names are so long that the text tower cuts prompts off: "
    assert findings_of_prompts(config, ("cat", long), tmp_path).remarks == (twice, f"{cut}{long}.")
    hub = OpenClipTower(kind="open_clip", model="hf-hub:a/b")
    for tower in (ImagenetBridge(kind="imagenet_bridge", image_size=32, unlabelled_images=11, seed=0), hub):
        away = config.model_copy(update={"tower": tower})
        assert findings_of_prompts(away, (long,), tmp_path).remarks == (twice,), "nothing is fetched"
