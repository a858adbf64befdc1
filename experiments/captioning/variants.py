"""Stage `variants`: the same photos tuned on with other ranks, fewer targets, and without an adapter."""

import dataclasses
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from experiments.atomic import write_whole
from experiments.captioning import adapter, held_out, models
from experiments.captioning.captioner import Captioner
from experiments.captioning.context import CaptioningContext
from experiments.captioning.encoded import encoded
from experiments.captioning.lora import FOLDER
from experiments.captioning.tuning import Pairs, Recipe, Tuning, tune
from experiments.results.caption import Caption
from experiments.results.generate import Generated
from experiments.results.lora import Lora
from experiments.results.variants import TunedVariant, Variants
from experiments.sections.generation import GenerationSection
from experiments.sections.variants import VariantsSection


@dataclass(frozen=True)
class _Plan:
    """One way of tuning; without a rank the whole network is tuned."""

    key: str
    name: str
    rank: int | None
    targets: tuple[str, ...]


@dataclass(frozen=True)
class _Bench:
    """What every variant is tuned on, and what it captions."""

    section: VariantsSection
    lora: Lora
    generated: Generated
    context: CaptioningContext
    tuning: Pairs
    evaluation: Tensor
    held_out: held_out.HeldOut

    def captioner(self) -> Captioner:
        """Load the base anew: a variant changes the network that it is given."""
        return models.load(self.context.artefact("align"))

    def write(self, captioner: Captioner) -> list[Caption]:
        """Caption the evaluation photos as stage `generate` did."""
        limits = GenerationSection(max_new_tokens=self.generated.max_new_tokens, beams=self.generated.beams)
        return captioner.generate(self.evaluation, limits)


def variants(section: VariantsSection, inputs: Mapping[str, Any], context: CaptioningContext) -> Variants:
    """Tune every variant on the same photos in the same order, and write its captions.

    The rank of section `[lora]` is not tuned again: its adapter is used. A finished variant is kept in
    the scratch folder, so that a killed run goes on with the next one.
    """
    start = time.perf_counter()
    bench = _bench(section, inputs, context)
    plans, done = list(_plans(section, bench.lora)), []
    for number, plan in enumerate(plans):
        context.progress(number, len(plans), plan.name)
        done.append(_kept(bench, plan, context.scratch / f"{plan.key}.json"))
    context.progress(len(plans), len(plans), "")
    return Variants(variants=tuple(done), seconds=round(time.perf_counter() - start, 1))


def _bench(section: VariantsSection, inputs: Mapping[str, Any], context: CaptioningContext) -> _Bench:
    folder = context.artefact("align")
    captioner, photos = models.load(folder), context.photos()
    features = encoded(captioner, [photo.pixels for photo in photos.tuning], context.shared)
    return _Bench(
        section=section,
        lora=inputs["lora"],
        generated=inputs["generate"],
        context=context,
        tuning=Pairs(features, [photo.references[0] for photo in photos.tuning]),
        evaluation=encoded(captioner, [photo.pixels for photo in photos.evaluation], context.shared),
        held_out=held_out.held_out(captioner, models.read_section(folder), context),
    )


def _plans(section: VariantsSection, lora: Lora) -> Iterator[_Plan]:
    for rank in sorted({*section.ranks, lora.r}):
        yield _Plan(f"rank_{rank}", f"LoRA, r = {rank}", rank, lora.targets)
    yield _Plan("attention", f"LoRA, r = {lora.r}, attention only", lora.r, section.attention_targets)
    yield _Plan("full", "full fine-tuning", None, ())


def _kept(bench: _Bench, plan: _Plan, path: Path) -> TunedVariant:
    """Return the variant that an earlier run finished, or tune it now."""
    if path.is_file():
        return TunedVariant.model_validate_json(path.read_bytes())
    if plan.rank is None:
        variant = _full(bench, plan)
    elif (plan.rank, plan.targets) == (bench.lora.r, bench.lora.targets):
        variant = _tuned_before(bench, plan)
    else:
        variant = _adapted(bench, plan)
    write_whole(path, variant.model_dump_json().encode())
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
    tuning = tune(captioner, bench.tuning, _recipe(bench), progress=_quietly)
    saved = adapter.save(captioner, bench.context.scratch / plan.key)
    return _switched(bench, plan, captioner, tuning, saved)


def _tuned_before(bench: _Bench, plan: _Plan) -> TunedVariant:
    """Use the adapter that stage `lora` tuned."""
    lora = bench.lora
    captioner = adapter.with_saved_adapter(bench.captioner(), bench.context.artefact("lora") / FOLDER)
    tuning = Tuning(lora.loss, lora.seconds, lora.peak_bytes)
    return _switched(bench, plan, captioner, tuning, lora.adapter_bytes)


def _switched(
    bench: _Bench, plan: _Plan, captioner: Captioner, tuning: Tuning, saved_bytes: int
) -> TunedVariant:
    """Let an adapted captioner write with its adapter on and off."""
    captions, written = bench.write(captioner), held_out.captions_of(captioner, bench.held_out)
    with captioner.network.disable_adapter():
        written_off = held_out.captions_of(captioner, bench.held_out)
        logits = _logits(bench, captioner)
    return TunedVariant(
        **_common(plan, tuning, captions),
        kind="lora",
        trainable=sum(part.numel() for name, part in captioner.network.named_parameters() if "lora_" in name),
        saved_bytes=saved_bytes,
        held_out=written,
        held_out_off=written_off,
        off_is_base=torch.equal(logits, _logits(bench, bench.captioner())),
    )


def _full(bench: _Bench, plan: _Plan) -> TunedVariant:
    """Tune every parameter of the network that works on the frozen tower's features."""
    captioner = bench.captioner()
    for name, parameter in captioner.network.named_parameters():
        parameter.requires_grad_(not name.startswith(adapter.TOWER))
    tuned = [part for part in captioner.network.parameters() if part.requires_grad]
    recipe = dataclasses.replace(_recipe(bench), learning_rate=bench.section.full_learning_rate)
    tuning = tune(captioner, bench.tuning, recipe, progress=_quietly)
    return TunedVariant(
        **_common(plan, tuning, bench.write(captioner)),
        kind="full",
        trainable=sum(part.numel() for part in tuned),
        saved_bytes=sum(part.numel() * part.element_size() for part in tuned),
        held_out=held_out.captions_of(captioner, bench.held_out),
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


@torch.inference_mode()
def _logits(bench: _Bench, captioner: Captioner) -> Tensor:
    """Return the logits of the tuning captions."""
    captioner.network.eval()
    return captioner.logits(bench.tuning.features, bench.tuning.captions).cpu()
