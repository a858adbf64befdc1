import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from experiments.captioning import adapter
from experiments.captioning.adapter import matching_layers, with_adapter, with_saved_adapter
from experiments.captioning.captioners.encoder_decoder import EncoderDecoderCaptioner
from experiments.captioning.captioners.untrained import random_encoder_decoder
from experiments.captioning.tuning import Pairs, Recipe, tune
from experiments.config.captioner import RandomCaptionerConfig
from experiments.config.tuning import GenerationConfig
from pipeline.errors import UserError
from tests.support.contexts import silently

TARGETS = ("c_attn", "c_proj", "c_fc")
LIMITS = GenerationConfig(max_new_tokens=16, beams=1)
RECIPE = Recipe(seed=0, epochs=6, batch_size=2, learning_rate=1e-2)
CAPTIONS = ("a cat", "two dogs", "a red car", "ship")


@pytest.fixture
def captioner() -> EncoderDecoderCaptioner:
    return random_encoder_decoder(RandomCaptionerConfig(kind="random", seed=0, precision="fp32", held_out=1))


@pytest.fixture
def pairs(captioner: EncoderDecoderCaptioner) -> Pairs:
    random = np.random.default_rng(0)
    photos = list(random.integers(0, 255, (4, 32, 32, 3), dtype=np.uint8))
    return Pairs(captioner.encode(photos).numpy(), CAPTIONS)


def adapted(captioner: Any, r: int = 4, dropout: float = 0.0, targets: tuple[str, ...] = TARGETS) -> Any:
    return with_adapter(captioner, r=r, alpha=2 * r, dropout=dropout, targets=targets, seed=0)


def tensors(network: Any) -> dict[str, torch.Tensor]:
    return {name: part.detach().clone() for name, part in network.named_parameters()}


def test_a_target_that_matches_nothing_is_an_error_that_lists_what_exists(captioner: EncoderDecoderCaptioner):
    with pytest.raises(UserError, match=r"'w_proj' matches no layer of .*: c_attn, c_fc, c_proj") as caught:
        adapted(captioner, targets=("c_attn", "w_proj"))
    assert "\n" not in str(caught.value)
    assert not any("lora" in name for name, _ in captioner.network.named_parameters())


def test_part_of_a_layers_name_is_no_target(captioner: EncoderDecoderCaptioner):
    with pytest.raises(UserError, match="'attn' matches no layer"):
        matching_layers(captioner, ("attn",))


def test_a_target_in_the_frozen_image_tower_is_refused(captioner: EncoderDecoderCaptioner):
    inside = next(name for name in adapter.linear_layers(captioner.network) if name.startswith("encoder."))
    with pytest.raises(UserError, match="frozen image tower"):
        matching_layers(captioner, (inside.rpartition(".")[2],))


@pytest.mark.parametrize("r", [1, 4])
def test_an_adapter_trains_r_times_inputs_and_outputs_of_each_layer_and_nothing_else(
    captioner: EncoderDecoderCaptioner, r: int
):
    layers = dict(captioner.network.named_modules())
    shapes = [layers[name].weight.shape for name in matching_layers(captioner, TARGETS)]
    before = sum(part.numel() for part in captioner.network.parameters())
    trainable, total = adapter.counts(adapted(captioner, r).network)
    assert trainable == sum(r * (one + other) for one, other in shapes)
    assert total == before + trainable


def test_a_new_adapter_changes_nothing_and_a_tuned_one_is_undone_by_switching_it_off(
    captioner: EncoderDecoderCaptioner, pairs: Pairs
):
    captioner.network.eval()
    with torch.inference_mode():
        base = captioner.logits(torch.tensor(pairs.features), CAPTIONS)
    tuned = adapted(captioner)
    tuned.network.eval()
    with torch.inference_mode():
        assert torch.equal(tuned.logits(torch.tensor(pairs.features), CAPTIONS), base)
    tune(tuned, pairs, RECIPE, progress=silently)
    with torch.inference_mode():
        assert not torch.allclose(tuned.logits(torch.tensor(pairs.features), CAPTIONS), base)
        with tuned.network.disable_adapter():
            assert torch.equal(tuned.logits(torch.tensor(pairs.features), CAPTIONS), base)


def test_tuning_lowers_the_loss_and_leaves_the_base_as_it_was(
    captioner: EncoderDecoderCaptioner, pairs: Pairs
):
    before = tensors(captioner.network)
    tuned = adapted(captioner)
    result = tune(tuned, pairs, RECIPE, progress=silently)
    assert len(result.loss) == RECIPE.epochs
    assert result.loss[-1] < result.loss[0] - 0.5
    after = {
        name.removeprefix("base_model.model.").replace(".base_layer", ""): part
        for name, part in tensors(tuned.network).items()
        if "lora_" not in name
    }
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], part) for name, part in before.items())


def test_what_peft_saved_is_loaded_by_peft_and_writes_the_same_captions(
    captioner: EncoderDecoderCaptioner, pairs: Pairs, tmp_path: Path
):
    other = random_encoder_decoder(RandomCaptionerConfig(kind="random", seed=0, precision="fp32", held_out=1))
    tuned = adapted(captioner)
    tune(tuned, pairs, RECIPE, progress=silently)
    size = adapter.save(tuned, tmp_path / "adapter")
    written = tuned.generate(torch.tensor(pairs.features), LIMITS)
    assert written != other.generate(torch.tensor(pairs.features), LIMITS)
    assert (
        with_saved_adapter(other, tmp_path / "adapter").generate(torch.tensor(pairs.features), LIMITS)
        == written
    )
    trainable, _ = adapter.counts(tuned.network)
    assert 4 * trainable < size < 4 * trainable + 20_000
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], set(config["target_modules"])) == (4, 8, set(TARGETS))
    assert config["base_model_name_or_path"] == tuned.model, "no path of this machine"


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_tuning_that_was_killed_goes_on_with_the_same_numbers(
    captioner: EncoderDecoderCaptioner, pairs: Pairs, tmp_path: Path, dropout: float
):
    config = RandomCaptionerConfig(kind="random", seed=0, precision="fp32", held_out=1)
    whole = adapted(captioner, dropout=dropout)
    expected = tune(whole, pairs, RECIPE, progress=silently)

    def killed(done: int, total: int, note: str) -> None:
        if done == 4:
            raise KeyboardInterrupt

    path = tmp_path / "checkpoint"
    first = adapted(random_encoder_decoder(config), dropout=dropout)
    with pytest.raises(KeyboardInterrupt):
        tune(first, pairs, RECIPE, progress=killed, checkpoint=path)
    again = adapted(random_encoder_decoder(config), dropout=dropout)
    notes: list[str] = []
    found = tune(again, pairs, RECIPE, progress=lambda *report: notes.append(report[2]), checkpoint=path)
    assert notes[0] == "resumed after epoch 3"
    assert found.loss == expected.loss
    ours, theirs = tensors(again.network), tensors(whole.network)
    assert all(torch.equal(ours[name], part) for name, part in theirs.items())


def test_every_epoch_sees_every_pair_once(captioner: EncoderDecoderCaptioner, pairs: Pairs):
    seen: list[str] = []
    tuned = adapted(captioner)

    class Spy(type(tuned)):
        def loss(self, features: torch.Tensor, captions: Any) -> torch.Tensor:
            seen.extend(captions)
            return super().loss(features, captions)

    spy = Spy(**{field.name: getattr(tuned, field.name) for field in dataclasses.fields(tuned)})
    tune(spy, pairs, dataclasses.replace(RECIPE, epochs=2, batch_size=3), progress=silently)
    assert sorted(seen[:4]) == sorted(seen[4:]) == sorted(CAPTIONS)
    assert seen[:4] != seen[4:], "the order changes from epoch to epoch"


def test_a_tuning_that_diverges_says_which_rate_was_too_high(
    captioner: EncoderDecoderCaptioner, pairs: Pairs
):
    with torch.no_grad():
        next(iter(captioner.network.decoder.parameters())).fill_(float("nan"))
    with pytest.raises(UserError, match=r"diverged in epoch 1 .*below 0\.01"):
        tune(adapted(captioner), pairs, RECIPE, progress=silently)
