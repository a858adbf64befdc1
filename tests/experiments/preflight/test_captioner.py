from pathlib import Path
from typing import Any

import pytest

from experiments import profile
from experiments.config.captioner import EncoderDecoderConfig, RandomCaptionerConfig
from experiments.config.zero_shot import Prompts
from experiments.preflight.captioner import findings_of_lengths, findings_of_shape, token_counts
from experiments.preflight.prompts import findings_of_prompts, tokeniser
from experiments.preflight.shapes import LITE0_AND_MAPPER, Shape, shape_of
from pipeline.errors import UserError
from tests.support.copies import ROOT
from tests.support.small_profiles import save_captioner

OFFLINE, ASSIGNMENT, SMOKE = (profile.load(name, ROOT) for name in ("offline", "assignment", "smoke"))
RANDOM = RandomCaptionerConfig(kind="random", seed=0, precision="fp32", held_out=1)


def shape(of: profile.Profile) -> Shape:
    found = shape_of(of.captioner, ROOT)
    assert found is not None
    return found


def with_keys(loaded: profile.Profile, config: str, **keys: Any) -> profile.Profile:
    return loaded.model_copy(update={config: getattr(loaded, config).model_copy(update=keys)})


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


def test_the_language_models_shape_is_the_published_ones_and_the_adapter_counts_as_measured() -> None:
    offline = shape(OFFLINE)
    assert offline.parameters == 134_515_008 + LITE0_AND_MAPPER
    assert offline.adapter_parameters(32, OFFLINE.lora.targets) == 9_768_960


def test_the_briefs_captioner_is_known_without_a_download() -> None:
    brief = shape(ASSIGNMENT)
    assert brief.parameters == 239_195_904
    assert brief.adapter_parameters(32, ("c_attn", "c_proj", "c_fc")) == 6_193_152
    assert brief.room == 1024


@pytest.mark.parametrize("loaded", [OFFLINE, ASSIGNMENT, SMOKE], ids=["offline", "assignment", "smoke"])
def test_every_profile_that_comes_with_the_project_fits_its_captioner(loaded: profile.Profile) -> None:
    found = findings_of_shape(shape(loaded), loaded)
    assert found.problems == ()
    assert "LoRA of rank 32" in found.read[0]


def test_every_target_of_another_captioner_is_told() -> None:
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
    assert random.room == 512
    assert findings_of_lengths([512, 3], random).problems == ()
    assert (
        "2 captions to tune on are longer than the 512 tokens"
        in findings_of_lengths([513, 600, 5], random).problems[0]
    )
    assert findings_of_lengths([10**6], shape(OFFLINE)).problems == (), "there is no limit"


def test_tokens_are_counted_by_the_captioners_own_tokenizer_where_it_is_there(tmp_path: Path) -> None:
    saved = EncoderDecoderConfig(
        kind="vision_encoder_decoder",
        model=str(save_captioner(tmp_path / "captioner")),
        seed=0,
        precision="fp32",
        held_out=1,
    )
    assert token_counts(saved, ROOT, ["a cat", "dog"]) == [6, 4]
    assert token_counts(RANDOM, ROOT, ["a cat", "dog"]) == [6, 4]
    assert token_counts(OFFLINE.captioner, ROOT, ["a photo of a cat"]) == [8], "about"


def test_a_configuration_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    place = save_captioner(tmp_path / "captioner")
    (place / "config.json").write_text('{"model_type": ')
    config = EncoderDecoderConfig(
        kind="vision_encoder_decoder", model=str(place), seed=0, precision="fp32", held_out=1
    )
    with pytest.raises(UserError, match=r"cannot build .* from its config\.json"):
        shape_of(config, ROOT)
    (place / "config.json").unlink()
    assert shape_of(config, ROOT) is None


def test_prompts_that_are_cut_off_or_there_twice_are_remarks(tmp_path: Path) -> None:
    tokenise = tokeniser(SMOKE.zero_shot, tmp_path)
    sets = (Prompts(name="one", templates=("a photo of a {}.", "a photo of a {}.", "a {}.")),)
    assert findings_of_prompts(sets[:1], ("cat", "dog"), None).remarks == (
        "The prompt set 'one' holds 'a photo of a {}.' twice, so that it counts twice.",
    )
    long = "a very " + "long " * 80 + "name"
    twice, cut = findings_of_prompts(sets, ("cat", long), tokenise).remarks
    assert "cuts off" not in twice
    assert "cuts off, since their names are too long: a very long" in cut


def test_a_tokenizer_that_would_have_to_be_fetched_is_not(tmp_path: Path) -> None:
    assert tokeniser(OFFLINE.zero_shot, tmp_path) is None
    assert tokeniser(ASSIGNMENT.zero_shot, tmp_path) is not None
    hub = ASSIGNMENT.zero_shot.tower.model_copy(update={"model": "hf-hub:a/b", "pretrained": None})
    assert tokeniser(ASSIGNMENT.zero_shot.model_copy(update={"tower": hub}), tmp_path) is None
