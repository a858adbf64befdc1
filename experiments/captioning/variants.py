"""Stage `variants`: the same photos tuned on with other ranks, fewer targets, and without an adapter."""

import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from experiments.captioning import adapter
from experiments.captioning.captioners import saved as models
from experiments.captioning.captioners.captioner import Captioner
from experiments.captioning.cost import measured, trial_of
from experiments.captioning.inference import HeldOut, caption_held_out, encoded, held_out, write_captions
from experiments.captioning.tuning import Pairs, Recipe, tune
from experiments.captioning.ways import Way, prepared
from experiments.config.tuning import GenerationConfig, VariantsConfig
from experiments.context import Context
from experiments.datasets.photos import pictures_of
from experiments.datasets.pictures import digest
from experiments.models.feature_store import batch_of
from experiments.models.processes import Processes, is_main, shared_out
from experiments.results.caption import Caption
from experiments.results.generate import Generated
from experiments.results.lora import ADAPTER, Lora
from experiments.results.variants import TunedVariant, Variants
from pipeline.files import keep, kept

_AT_ONCE = 25
"""Captions whose logits are computed at once: a vocabulary of numbers for each token."""


@dataclass(frozen=True)
class _Bench:
    """What every variant is tuned on, and what it captions; `base_logits` is a hash."""

    lora: Lora
    generated: Generated
    context: Context
    tuning: Pairs
    evaluation: np.ndarray
    held_out: HeldOut
    base_logits: str

    def captioner(self) -> Captioner:
        """Load the base anew: a variant changes the network that it is given."""
        return models.load(self.context.artefact("align"))

    def cost(self, way: Way) -> dict[str, Any]:
        """Return what tuning costs, as fields of `TunedVariant`; several processes would share the work."""
        if self.context.processes.count > 1:
            return {"seconds_per_step": None, "peak_bytes": None}
        trial = trial_of(self.context.artefact("align"), way, self.tuning)
        return dataclasses.asdict(measured(trial))

    def tune(self, captioner: Captioner, way: Way) -> tuple[float, ...]:
        """Tune what is trainable of a captioner, and return the loss of each epoch."""
        processes = self.context.processes
        return tune(captioner, self.tuning, way.recipe, progress=_quietly, processes=processes).loss

    def write(self, captioner: Captioner) -> list[Caption]:
        """Caption the evaluation photos as stage `generate` did."""
        limits = GenerationConfig(max_new_tokens=self.generated.max_new_tokens, beams=self.generated.beams)
        return write_captions(captioner, self.evaluation, limits, self.context.processes)

    def caption_held_out(self, captioner: Captioner) -> tuple[str, ...]:
        """Caption the held-out photos."""
        return caption_held_out(captioner, self.held_out, self.context.processes)


def variants(config: VariantsConfig, inputs: Mapping[str, Any], context: Context) -> Variants:
    """Tune every variant on the same photos in the same order, and write its captions.

    The adapter of section `[lora]` is neither tuned again nor do the evaluation photos get their captions
    again: those of the stages before are used. What tuning costs is measured apart from it, of every variant
    alike. A finished variant is kept in the scratch folder, so that a killed run goes on with the next one.

    Raises:
        UserError: if the loss of a variant stops being finite, or what it costs cannot be measured.
    """
    start = time.perf_counter()
    bench = _bench(inputs, context)
    ways, done = list(_ways(config, bench.lora)), []
    for number, way in enumerate(ways):
        context.progress(number, len(ways), way.name)
        done.append(_finished(bench, way, context.scratch / f"{way.key}.json"))
    context.progress(len(ways), len(ways), "")
    return Variants(variants=tuple(done), seconds=round(time.perf_counter() - start, 1))


def _bench(inputs: Mapping[str, Any], context: Context) -> _Bench:
    folder = context.artefact("align")
    captioner, photos = models.load(folder), context.photos()
    tuning = Pairs(
        encoded(captioner, pictures_of(photos.tuning), context),
        [photo.references[0] for photo in photos.tuning],
    )
    return _Bench(
        lora=inputs["lora"],
        generated=inputs["generate"],
        context=context,
        tuning=tuning,
        evaluation=encoded(captioner, pictures_of(photos.evaluation), context),
        held_out=held_out(captioner, models.read_config(folder), context),
        base_logits=_logits(captioner, tuning, context.processes),
    )


def _ways(config: VariantsConfig, lora: Lora) -> Iterator[Way]:
    recipe = Recipe(lora.seed, lora.epochs, lora.batch_size, lora.learning_rate)

    def adapted(key: str, name: str, rank: int, targets: tuple[str, ...]) -> Way:
        # The ratio stays, so that the ranks differ in capacity and not in step size.
        alpha = max(1, round(lora.alpha * rank / lora.r))
        return Way(key, name, rank, targets, alpha, lora.dropout, recipe)

    for rank in sorted({*config.ranks, lora.r}):
        yield adapted(f"rank_{rank}", f"LoRA, r = {rank}", rank, lora.targets)
    yield adapted("attention", f"LoRA, r = {lora.r}, attention only", lora.r, config.attention_targets)
    other = dataclasses.replace(recipe, learning_rate=config.full_learning_rate)
    yield Way("full", "full fine-tuning", None, (), 0, 0.0, other)


def _finished(bench: _Bench, way: Way, path: Path) -> TunedVariant:
    """Return the variant that an earlier run finished, or tune it now."""
    found = bench.context.processes.broadcast(kept(path))
    if found is not None:
        return TunedVariant.model_validate_json(found)
    cost = bench.cost(way)  # before this process takes the memory of a captioner as well
    if way.rank is None:
        variant = _full(bench, way, cost)
    elif (way.rank, way.targets) == (bench.lora.r, bench.lora.targets):
        variant = _tuned_before(bench, way, cost)
    else:
        variant = _adapted(bench, way, cost)
    if is_main(bench.context.processes):
        keep(path, variant.model_dump_json().encode())
    return variant


def _adapted(bench: _Bench, way: Way, cost: Mapping[str, Any]) -> TunedVariant:
    captioner = prepared(bench.captioner(), way)
    loss = bench.tune(captioner, way)
    main = is_main(bench.context.processes)
    saved = adapter.save(captioner, bench.context.scratch / way.key) if main else 0
    described = _described(way, cost, loss, bench.write(captioner))
    return _switched(bench, captioner, described, saved)


def _tuned_before(bench: _Bench, way: Way, cost: Mapping[str, Any]) -> TunedVariant:
    """Use the adapter that stage `lora` tuned, and the captions that stage `generate` wrote with it."""
    captioner = adapter.with_saved_adapter(bench.captioner(), bench.context.artefact("lora") / ADAPTER)
    captions = [Caption(text=each.after, ended=each.after_ended) for each in bench.generated.records]
    described = _described(way, cost, bench.lora.loss, captions)
    return _switched(bench, captioner, described, bench.lora.adapter_bytes)


def _switched(
    bench: _Bench, captioner: Captioner, described: Mapping[str, Any], saved_bytes: int
) -> TunedVariant:
    """Let an adapted captioner write of held-out photos, and look whether it is the base without adapter."""
    named = bench.caption_held_out(captioner)
    with captioner.network.disable_adapter():
        logits = _logits(captioner, bench.tuning, bench.context.processes)
    return TunedVariant(
        **described,
        kind="lora",
        trainable=sum(part.numel() for name, part in captioner.network.named_parameters() if "lora_" in name),
        saved_bytes=saved_bytes,
        held_out=named,
        off_is_base=logits == bench.base_logits,
    )


def _full(bench: _Bench, way: Way, cost: Mapping[str, Any]) -> TunedVariant:
    """Tune every parameter of the network that works on the frozen tower's features."""
    captioner = prepared(bench.captioner(), way)
    tuned = [part for part in captioner.network.parameters() if part.requires_grad]
    loss = bench.tune(captioner, way)
    return TunedVariant(
        **_described(way, cost, loss, bench.write(captioner)),
        kind="full",
        trainable=sum(part.numel() for part in tuned),
        saved_bytes=sum(part.numel() * part.element_size() for part in tuned),
        held_out=bench.caption_held_out(captioner),
        off_is_base=None,
    )


def _described(
    way: Way, cost: Mapping[str, Any], loss: Sequence[float], captions: Sequence[Caption]
) -> dict[str, Any]:
    """Return the fields that every variant has alike."""
    return {
        "key": way.key,
        "name": way.name,
        "rank": way.rank,
        "targets": way.targets,
        "learning_rate": way.recipe.learning_rate,
        "loss": tuple(round(each, 4) for each in loss),
        **cost,
        "captions": tuple(captions),
    }


def _quietly(done: int, total: int, note: str) -> None:
    """Report nothing: a variant is one step of this stage's progress."""


def _logits(captioner: Captioner, pairs: Pairs, processes: Processes) -> str:
    """Return a hash of the logits of the tuning captions: two are equal if these are, bit for bit."""
    captioner.network.eval()

    @torch.inference_mode()
    def part(first: int) -> str:
        chosen = slice(first, first + _AT_ONCE)
        logits = captioner.logits(batch_of(pairs.features, chosen), pairs.captions[chosen])
        return digest(logits.float().cpu().numpy())

    return " ".join(shared_out(processes, part, range(0, len(pairs.captions), _AT_ONCE)))
