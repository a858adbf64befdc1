"""Stage `variants`: the same photos tuned on with other ranks, fewer targets, and without an adapter."""

import dataclasses
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from experiments.captioning import adapter
from experiments.captioning.captioners import saved as models
from experiments.captioning.captioners.captioner import Captioner
from experiments.captioning.inference import HeldOut, caption_held_out, encoded, held_out, write_captions
from experiments.captioning.tuning import Pairs, Recipe, Tuning, tune
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
class _Plan:
    """One way of tuning; without a rank the whole network is tuned."""

    key: str
    name: str
    rank: int | None
    targets: tuple[str, ...]


@dataclass(frozen=True)
class _Bench:
    """What every variant is tuned on, and what it captions; `base_logits` is a hash."""

    config: VariantsConfig
    lora: Lora
    generated: Generated
    context: Context
    tuning: Pairs
    evaluation: np.ndarray
    held_out: HeldOut
    base_logits: str

    def captioner(self) -> Captioner:
        """Load the base anew: a variant changes the network that it is given."""
        return models.load(self.context.artefact("align"), self.context.root)

    def write(self, captioner: Captioner) -> list[Caption]:
        """Caption the evaluation photos as stage `generate` did."""
        limits = GenerationConfig(max_new_tokens=self.generated.max_new_tokens, beams=self.generated.beams)
        return write_captions(captioner, self.evaluation, limits, self.context.processes)

    def caption_held_out(self, captioner: Captioner) -> tuple[str, ...]:
        """Caption the held-out photos."""
        return caption_held_out(captioner, self.held_out, self.context.processes)


def variants(config: VariantsConfig, inputs: Mapping[str, Any], context: Context) -> Variants:
    """Tune every variant on the same photos in the same order, and write its captions.

    The rank of section `[lora]` is not tuned again: its adapter is used. A finished variant is kept in
    the scratch folder, so that a killed run goes on with the next one.
    """
    start = time.perf_counter()
    bench = _bench(config, inputs, context)
    plans, done = list(_plans(config, bench.lora)), []
    for number, plan in enumerate(plans):
        context.progress(number, len(plans), plan.name)
        done.append(_finished(bench, plan, context.scratch / f"{plan.key}.json"))
    context.progress(len(plans), len(plans), "")
    return Variants(variants=tuple(done), seconds=round(time.perf_counter() - start, 1))


def _bench(config: VariantsConfig, inputs: Mapping[str, Any], context: Context) -> _Bench:
    folder = context.artefact("align")
    captioner, photos = models.load(folder, context.root), context.photos()
    tuning = Pairs(
        encoded(captioner, pictures_of(photos.tuning), context),
        [photo.references[0] for photo in photos.tuning],
    )
    return _Bench(
        config=config,
        lora=inputs["lora"],
        generated=inputs["generate"],
        context=context,
        tuning=tuning,
        evaluation=encoded(captioner, pictures_of(photos.evaluation), context),
        held_out=held_out(captioner, models.read_config(folder), context),
        base_logits=_logits(captioner, tuning, context.processes),
    )


def _plans(config: VariantsConfig, lora: Lora) -> Iterator[_Plan]:
    for rank in sorted({*config.ranks, lora.r}):
        yield _Plan(f"rank_{rank}", f"LoRA, r = {rank}", rank, lora.targets)
    yield _Plan("attention", f"LoRA, r = {lora.r}, attention only", lora.r, config.attention_targets)
    yield _Plan("full", "full fine-tuning", None, ())


def _finished(bench: _Bench, plan: _Plan, path: Path) -> TunedVariant:
    """Return the variant that an earlier run finished, or tune it now."""
    found = bench.context.processes.broadcast(kept(path))
    if found is not None:
        return TunedVariant.model_validate_json(found)
    if plan.rank is None:
        variant = _full(bench, plan)
    elif (plan.rank, plan.targets) == (bench.lora.r, bench.lora.targets):
        variant = _tuned_before(bench, plan)
    else:
        variant = _adapted(bench, plan)
    if is_main(bench.context.processes):
        keep(path, variant.model_dump_json().encode())
    return variant


def _adapted(bench: _Bench, plan: _Plan) -> TunedVariant:
    assert plan.rank is not None
    captioner = adapter.with_adapter(
        bench.captioner(),
        r=plan.rank,
        # The ratio stays, so that the ranks differ in capacity and not in step size.
        alpha=max(1, round(bench.lora.alpha * plan.rank / bench.lora.r)),
        dropout=bench.lora.dropout,
        targets=plan.targets,
        seed=bench.lora.seed,
    )
    tuning = tune(
        captioner, bench.tuning, _recipe(bench), progress=_quietly, processes=bench.context.processes
    )
    main = is_main(bench.context.processes)
    saved = adapter.save(captioner, bench.context.scratch / plan.key) if main else 0
    return _switched(bench, plan, captioner, tuning, saved)


def _tuned_before(bench: _Bench, plan: _Plan) -> TunedVariant:
    """Use the adapter that stage `lora` tuned."""
    lora = bench.lora
    captioner = adapter.with_saved_adapter(bench.captioner(), bench.context.artefact("lora") / ADAPTER)
    tuning = Tuning(lora.loss, lora.seconds, lora.peak_bytes)
    return _switched(bench, plan, captioner, tuning, lora.adapter_bytes)


def _switched(
    bench: _Bench, plan: _Plan, captioner: Captioner, tuning: Tuning, saved_bytes: int
) -> TunedVariant:
    """Let an adapted captioner write with its adapter on and off."""
    captions, named = bench.write(captioner), bench.caption_held_out(captioner)
    with captioner.network.disable_adapter():
        named_off = bench.caption_held_out(captioner)
        logits = _logits(captioner, bench.tuning, bench.context.processes)
    return TunedVariant(
        **_common(plan, tuning, captions),
        kind="lora",
        trainable=sum(part.numel() for name, part in captioner.network.named_parameters() if "lora_" in name),
        saved_bytes=saved_bytes,
        held_out=named,
        held_out_off=named_off,
        off_is_base=logits == bench.base_logits,
    )


def _full(bench: _Bench, plan: _Plan) -> TunedVariant:
    """Tune every parameter of the network that works on the frozen tower's features."""
    captioner = bench.captioner()
    for name, parameter in captioner.network.named_parameters():
        parameter.requires_grad_(not name.startswith(adapter.TOWER))
    tuned = [part for part in captioner.network.parameters() if part.requires_grad]
    recipe = dataclasses.replace(_recipe(bench), learning_rate=bench.config.full_learning_rate)
    tuning = tune(captioner, bench.tuning, recipe, progress=_quietly, processes=bench.context.processes)
    return TunedVariant(
        **_common(plan, tuning, bench.write(captioner)),
        kind="full",
        trainable=sum(part.numel() for part in tuned),
        saved_bytes=sum(part.numel() * part.element_size() for part in tuned),
        held_out=bench.caption_held_out(captioner),
        held_out_off=None,
        off_is_base=None,
    )


def _common(plan: _Plan, tuning: Tuning, captions: list[Caption]) -> dict[str, Any]:
    """Return the fields that every variant has alike."""
    return {
        "key": plan.key,
        "name": plan.name,
        "rank": plan.rank,
        "targets": plan.targets,
        "loss": tuple(round(loss, 4) for loss in tuning.loss),
        "seconds": round(tuning.seconds, 1),
        "peak_bytes": tuning.peak_bytes,
        "captions": tuple(captions),
    }


def _recipe(bench: _Bench) -> Recipe:
    lora = bench.lora
    return Recipe(lora.seed, lora.epochs, lora.batch_size, lora.learning_rate)


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
