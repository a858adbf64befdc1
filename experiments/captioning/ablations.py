"""Stage `ablations`: what rank, targets and full fine-tuning change, all else being equal."""

import dataclasses
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from experiments.atomic import write_whole
from experiments.captioning import adapter, compare, held_out, models
from experiments.captioning.captioner import Captioner
from experiments.captioning.context import CaptioningContext
from experiments.captioning.encoded import encoded
from experiments.captioning.lora import FOLDER
from experiments.captioning.measures import Side, estimated, kinds
from experiments.captioning.tuning import Pairs, Recipe, Tuning, tune
from experiments.results.ablations import Ablations, Variant
from experiments.results.align import Aligned
from experiments.results.estimate import Estimate
from experiments.results.generate import Caption, Generated
from experiments.results.lora import Lora
from experiments.sections.ablations import AblationsSection
from experiments.sections.generation import GenerationSection
from experiments.statistics.intervals import wilson
from experiments.statistics.paired import bootstrapped


@dataclass(frozen=True)
class _Plan:
    """One way of tuning; without a rank the whole network is tuned."""

    key: str
    name: str
    rank: int | None
    targets: tuple[str, ...]


@dataclass(frozen=True)
class _Bench:
    """What every variant is tuned and measured on."""

    section: AblationsSection
    aligned: Aligned
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


@dataclass(frozen=True)
class _Outcome:
    """A tuned variant before it is measured; `off_is_base` is None where no adapter can be switched off."""

    captions: list[Caption]
    right: np.ndarray
    right_off: np.ndarray | None
    off_is_base: bool | None
    trainable: int
    saved_bytes: int
    tuning: Tuning


class _Kept(Variant):
    """A finished variant as it is kept for a run that goes on after a kill."""

    off_is_base: bool | None


def ablations(section: AblationsSection, inputs: Mapping[str, Any], context: CaptioningContext) -> Ablations:
    """Tune every variant on the same photos in the same order, and measure all of them alike.

    The rank of section `[lora]` is not tuned again: its adapter is measured. A finished variant is kept in
    the scratch folder, so that a killed run goes on with the next one.
    """
    start = time.perf_counter()
    bench = _bench(section, inputs, context)
    plans, done = list(_plans(section, bench.lora)), [_base(bench)]
    for number, plan in enumerate(plans):
        context.progress(number, len(plans), plan.name)
        done.append(_kept(bench, plan, context.scratch / f"{plan.key}.json"))
    context.progress(len(plans), len(plans), "")
    return Ablations(
        variants=tuple(Variant(**kept.model_dump(exclude={"off_is_base"})) for kept in done),
        held_out_classes=bench.held_out.classes,
        off_is_base=all(kept.off_is_base for kept in done if kept.off_is_base is not None),
        seconds=round(time.perf_counter() - start, 1),
    )


def _bench(section: AblationsSection, inputs: Mapping[str, Any], context: CaptioningContext) -> _Bench:
    folder = context.artefact("align")
    captioner, photos = models.load(folder), context.photos()
    features = encoded(captioner, [photo.pixels for photo in photos.tuning], context.shared)
    return _Bench(
        section=section,
        aligned=inputs["align"],
        lora=inputs["lora"],
        generated=inputs["generate"],
        context=context,
        tuning=Pairs(features, [photo.references[0] for photo in photos.tuning]),
        evaluation=encoded(captioner, [photo.pixels for photo in photos.evaluation], context.shared),
        held_out=held_out.held_out(captioner, models.read_section(folder), context),
    )


def _plans(section: AblationsSection, lora: Lora) -> Iterator[_Plan]:
    for rank in sorted({*section.ranks, lora.r}):
        yield _Plan(f"rank_{rank}", f"LoRA, r = {rank}", rank, lora.targets)
    yield _Plan("attention", f"LoRA, r = {lora.r}, attention only", lora.r, section.attention_targets)
    yield _Plan("full", "full fine-tuning", None, ())


def _base(bench: _Bench) -> _Kept:
    """Describe the base by what stages `align` and `generate` found already."""
    outcome = _Outcome(
        captions=[record.before for record in bench.generated.records],
        right=np.array(bench.aligned.held_out_right),
        right_off=None,
        off_is_base=None,
        trainable=0,
        saved_bytes=0,
        tuning=Tuning(loss=(), seconds=0.0, peak_bytes=None),
    )
    return _described(bench, _Plan("base", "base, not tuned", None, ()), outcome)


def _kept(bench: _Bench, plan: _Plan, path: Path) -> _Kept:
    """Return the variant that an earlier run finished, or tune and measure it now."""
    if path.is_file():
        return _Kept.model_validate_json(path.read_bytes())
    if plan.rank is None:
        outcome = _full(bench)
    elif (plan.rank, plan.targets) == (bench.lora.r, bench.lora.targets):
        outcome = _tuned_before(bench)
    else:
        outcome = _adapted(bench, plan)
    described = _described(bench, plan, outcome)
    write_whole(path, described.model_dump_json().encode())
    return described


def _adapted(bench: _Bench, plan: _Plan) -> _Outcome:
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
    trainable, _ = adapter.counts(captioner.network)
    tuning = tune(captioner, bench.tuning, _recipe(bench), progress=_quietly)
    saved = adapter.save(captioner, bench.context.scratch / plan.key)
    return _switched(bench, captioner, trainable, saved, tuning)


def _tuned_before(bench: _Bench) -> _Outcome:
    """Measure the adapter that stage `lora` tuned."""
    lora = bench.lora
    captioner = adapter.with_saved_adapter(bench.captioner(), bench.context.artefact("lora") / FOLDER)
    tuning = Tuning(lora.loss, lora.seconds, lora.peak_bytes)
    return _switched(bench, captioner, lora.trainable, lora.adapter_bytes, tuning)


def _switched(bench: _Bench, captioner: Captioner, trainable: int, saved: int, tuning: Tuning) -> _Outcome:
    """Measure an adapted captioner with its adapter on and off."""
    captions, right = bench.write(captioner), held_out.right_class(captioner, bench.held_out)
    with captioner.network.disable_adapter():
        right_off = held_out.right_class(captioner, bench.held_out)
        logits = _logits(bench, captioner)
    return _Outcome(
        captions=captions,
        right=right,
        right_off=right_off,
        off_is_base=torch.equal(logits, _logits(bench, bench.captioner())),
        trainable=trainable,
        saved_bytes=saved,
        tuning=tuning,
    )


def _full(bench: _Bench) -> _Outcome:
    """Tune every parameter of the network that works on the frozen tower's features."""
    captioner = bench.captioner()
    for name, parameter in captioner.network.named_parameters():
        parameter.requires_grad_(not name.startswith(adapter.TOWER))
    tuned = [part for part in captioner.network.parameters() if part.requires_grad]
    recipe = dataclasses.replace(_recipe(bench), learning_rate=bench.section.full_learning_rate)
    return _Outcome(
        tuning=tune(captioner, bench.tuning, recipe, progress=_quietly),
        captions=bench.write(captioner),
        right=held_out.right_class(captioner, bench.held_out),
        right_off=None,
        off_is_base=None,
        trainable=sum(part.numel() for part in tuned),
        saved_bytes=sum(part.numel() * part.element_size() for part in tuned),
    )


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


def _described(bench: _Bench, plan: _Plan, outcome: _Outcome) -> _Kept:
    generated, random = bench.generated, np.random.default_rng((bench.section.seed, plan.rank or 0))
    found = _figures(bench, compare.side(outcome.captions, generated), random)
    base = np.array(bench.aligned.held_out_right, dtype=float)
    changes = outcome.right.astype(float) - base
    kind = "base" if not outcome.trainable else "full" if plan.rank is None else "lora"
    return _Kept(
        key=plan.key,
        name=plan.name,
        kind=kind,
        rank=plan.rank,
        targets=plan.targets,
        trainable=outcome.trainable,
        saved_bytes=outcome.saved_bytes,
        seconds=round(outcome.tuning.seconds, 1),
        peak_bytes=outcome.tuning.peak_bytes,
        last_loss=round(outcome.tuning.loss[-1], 4) if outcome.tuning.loss else None,
        length=found["length"],
        distance=found["distance"],
        right_class=found.get("right_class"),
        right_colour=found["right_colour"],
        ended=found["ended"],
        held_out=_share(outcome.right),
        held_out_off=None if outcome.right_off is None else _share(outcome.right_off),
        forgotten=None
        if kind == "base"
        else bootstrapped(
            lambda at: float(changes[at].mean()), len(changes), bench.section.resamples, random
        ),
        off_is_base=outcome.off_is_base,
    )


def _figures(bench: _Bench, side: Side, random: np.random.Generator) -> dict[str, Estimate]:
    """Estimate those measures of the captions that the variants are compared on."""
    with_classes = side.judged[0].right_class is not None
    wanted = {"length", "distance", "right_class", "right_colour", "ended"}
    return {
        kind.key: estimated(kind, kind.measure(side), len(side.captions), bench.section.resamples, random)
        for kind in kinds(with_classes, bench.generated.tuning_captions)
        if kind.key in wanted
    }


def _share(right: np.ndarray) -> Estimate:
    return wilson(int(right.sum()), len(right))
