import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from experiments.captioning import adapter
from experiments.captioning.adapter import matching_layers, with_adapter, with_saved_adapter
from experiments.captioning.captioners.encoder_decoder import EncoderDecoderCaptioner
from experiments.captioning.tuning import Pairs, Recipe, tune
from tests.support.captioners import CAPTIONS, GREEDY, odd_photos, random_captioner
from tests.support.contexts import killed_at, silently
from tests.support.refusals import refusal

TARGETS = ("c_attn", "c_proj", "c_fc")
RECIPE = Recipe(seed=0, epochs=6, batch_size=2, learning_rate=1e-2)


@pytest.fixture
def captioner() -> EncoderDecoderCaptioner:
    return random_captioner()


@pytest.fixture
def pairs(captioner: EncoderDecoderCaptioner) -> Pairs:
    return Pairs(captioner.encode(odd_photos()).numpy(), CAPTIONS)


def adapted(captioner: Any, r: int = 4, dropout: float = 0.0, targets: tuple[str, ...] = TARGETS) -> Any:
    return with_adapter(captioner, r=r, alpha=2 * r, dropout=dropout, targets=targets, seed=0)


def logits(captioner: Any, pairs: Pairs) -> torch.Tensor:
    captioner.network.eval()
    with torch.inference_mode():
        return captioner.logits(torch.tensor(pairs.features), CAPTIONS)


@pytest.mark.parametrize("target", ["w_proj", "attn"])
def test_a_target_that_is_no_layers_name_or_only_part_of_one_is_an_error_that_lists_what_exists(
    captioner: EncoderDecoderCaptioner, target: str
):
    sentence = refusal(adapted, captioner, targets=("c_attn", target))
    assert f"{target!r} matches no layer of" in sentence
    assert ": c_attn, c_fc, c_proj" in sentence
    assert not any("lora" in name for name, _ in captioner.network.named_parameters())


def test_a_target_in_the_frozen_image_tower_is_refused(captioner: EncoderDecoderCaptioner):
    inside = next(name for name in adapter.linear_layers(captioner.network) if name.startswith("encoder."))
    assert "frozen image tower" in refusal(matching_layers, captioner, (inside.rpartition(".")[2],))


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
    base = logits(captioner, pairs)
    tuned = adapted(captioner)
    assert torch.equal(logits(tuned, pairs), base)
    result = tune(tuned, pairs, RECIPE, progress=silently)
    assert len(result.loss) == RECIPE.epochs
    assert result.loss[-1] < result.loss[0] - 0.5
    assert not torch.allclose(logits(tuned, pairs), base)
    with tuned.network.disable_adapter():
        assert torch.equal(logits(tuned, pairs), base)


def test_what_peft_saved_is_loaded_by_peft_and_writes_the_same_captions(
    captioner: EncoderDecoderCaptioner, pairs: Pairs, tmp_path: Path
):
    features, other = torch.tensor(pairs.features), random_captioner()
    tuned = adapted(captioner)
    tune(tuned, pairs, RECIPE, progress=silently)
    size = adapter.save(tuned, tmp_path)
    written = tuned.generate(features, GREEDY)
    assert written != other.generate(features, GREEDY)
    assert with_saved_adapter(other, tmp_path).generate(features, GREEDY) == written
    trainable, _ = adapter.counts(tuned.network)
    assert 4 * trainable < size < 4 * trainable + 20_000
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"]) == (4, 8)
    assert config["target_modules"] == sorted(TARGETS), "not in an order that is other in every process"
    assert config["base_model_name_or_path"] == tuned.model, "no path of this machine"


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_tuning_that_was_killed_goes_on_with_the_same_numbers(pairs: Pairs, tmp_path: Path, dropout: float):
    whole, first, again = (adapted(random_captioner(), dropout=dropout) for _ in range(3))
    expected = tune(whole, pairs, RECIPE, progress=silently)
    path = tmp_path / "checkpoint"
    with pytest.raises(KeyboardInterrupt):
        tune(first, pairs, RECIPE, progress=killed_at(4), checkpoint=path)
    notes: list[str] = []
    found = tune(again, pairs, RECIPE, progress=lambda *report: notes.append(report[2]), checkpoint=path)
    assert notes[0] == "resumed after epoch 3"
    assert found.loss == expected.loss
    ours = dict(again.network.named_parameters())
    assert all(torch.equal(ours[name], part) for name, part in whole.network.named_parameters())


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
    sentence = refusal(tune, adapted(captioner), pairs, RECIPE, progress=silently)
    assert "diverged in epoch 1 " in sentence and "below 0.01" in sentence
