"""What the report claims of the classifiers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any, get_args

from experiments.evidence.order import by_accuracy, mistakes
from experiments.results import key_of
from experiments.results.classification import Classification
from experiments.results.evidence import Evidence
from experiments.results.zero_shot import ZeroShot
from reporting.audit_claims import published_claims
from reporting.blocks import CLASSIFIERS
from reporting.claims import Claim, Leaning, Several, Word, by_test, classes_of, leaning, sides, together


def classifier_claims(values: Mapping[str, Any]) -> Iterator[Claim]:
    """Yield the claims for which the results are there; a broken model is called so and not ranked.

    That two trained networks differ on these images says nothing of other trainings of them, or of how they
    are built: the sentences speak of these networks.
    """
    evidence: Evidence = values["evidence"]
    there = [stage for stage in CLASSIFIERS if stage in values]
    sound = [stage for stage in there if stage not in evidence.broken]
    yield from _chances(there, evidence)
    yield from _summary(values, there, sound)
    yield from _ranking(values, sound, evidence)
    for one, other in combinations(sound, 2):
        trained = not any(isinstance(values[stage], ZeroShot) for stage in (one, other))
        yield _pair(one, other, "trained_better" if trained else "beats", evidence)
    for stage in sound:
        if isinstance(values[stage], ZeroShot):
            yield from _prompts(stage, values[stage], evidence)
    if "audit" in values:
        yield from published_claims(values["audit"])
    for stage in sound:
        yield from _classes(stage, values[stage], evidence)
    yield from _shared({stage: values[stage] for stage in sound}, evidence)


def _summary(values: Mapping[str, Any], there: Sequence[str], sound: Sequence[str]) -> Iterator[Claim]:
    """Say how the best trained network does beside the pretrained model, of those better than chance."""
    evidence: Evidence = values["evidence"]
    pretrained = [stage for stage in sound if isinstance(values[stage], ZeroShot)]
    trained = [stage for stage in sound if stage not in pretrained]
    best = max(trained, key=lambda stage: values[stage].top1.value, default=None)
    about = partial(by_test, evidence, id="summary_classifiers", group="summary")
    if best is not None and pretrained:
        words: Mapping[str, Word] = {"data": _data(values), "best": ("called", f"{best}.model")}
        yield about(key_of.pair(pretrained[0], best), words=words)
    elif sound:
        alone = best or pretrained[0]
        words = {"data": _data(values), "name": ("called", f"{alone}.model")}
        yield about(key_of.chance(alone), wording="summary_alone", words=words)
    elif there:
        tests = tuple(map(key_of.chance, there))
        yield Claim(
            id="summary_classifiers", wording="summary_none", group="summary", says="unclear", tests=tests
        )


def _data(values: Mapping[str, Any]) -> Word:
    """Return what the test images are called: data that others know have a name."""
    images = values["data_sets"].images if "data_sets" in values else None
    known = images is not None and images.kind in ("cifar10", "torchvision")
    return ("text", "data_sets.images.name") if known else "the test images"


def _ranking(values: Mapping[str, Any], sound: Sequence[str], evidence: Evidence) -> Iterator[Claim]:
    """Say of the pretrained model beside all networks trained here at once."""
    for pretrained in (stage for stage in sound if isinstance(values[stage], ZeroShot)):
        pairs = {key_of.pair(pretrained, stage): stage for stage in sound if stage != pretrained}
        found: dict[str, Leaning] = {
            test: leaning(evidence, test, "higher") for test in pairs if test in evidence.tests
        }
        names: dict[str, Word] = {test: ("called", f"{pairs[test]}.model") for test in found}
        words: dict[str, Word] = {
            "pretrained": ("called", f"{pretrained}.model"),
            "accuracy": ("said", f"{pretrained}.top1"),
        }
        if found:
            claim = together(found, names, each="the ", id="ranking", group="ranking", words=words)
            yield replace(claim, good=None)


def _chances(stages: Sequence[str], evidence: Evidence) -> Iterator[Claim]:
    """Yield what each model is beside guessing; of broken ones that are so alike the page says it once."""
    claims = {stage: _chance(stage, evidence) for stage in stages}
    alike: dict[tuple[str, str], list[str]] = {}
    for stage, claim in claims.items():
        if claim.group == "broken" and claim.says != "holds":
            alike.setdefault(claim.chosen, []).append(stage)
    for number, shared in enumerate((each for each in alike.values() if len(each) > 1), start=1):
        first = claims[shared[0]]
        names = Several(tuple(("called", f"{stage}.model") for stage in shared), each="the ")
        tests = tuple(map(key_of.chance, shared))
        words = {**first.words, "names": names}
        about: dict[str, Any] = {"wording": "broken_alike", "words": words, "tests": tests}
        yield replace(first, id=f"broken_alike_{number}", **about)
        claims |= {stage: replace(claims[stage], group="broken each") for stage in shared}
    yield from claims.values()


def _chance(stage: str, evidence: Evidence) -> Claim:
    claim = by_test(
        evidence,
        key_of.chance(stage),
        id=f"{stage}_above_chance",
        wording="above_chance",
        group="broken" if stage in evidence.broken else "sound",
        words={"name": ("called", f"{stage}.model")},
    )
    few = claim.says == "unclear" and evidence.too_few_images(stage)
    return replace(claim, outcome="unclear_on_few_images") if few else claim


def _pair(one: str, other: str, wording: str, evidence: Evidence) -> Claim:
    key, words = key_of.pair(one, other), _two(one, other, "model")
    return by_test(evidence, key, id=f"{one}_beats_{other}", wording=wording, group="ranking", words=words)


def _prompts(stage: str, result: ZeroShot, evidence: Evidence) -> Iterator[Claim]:
    for position in range(1, len(result.prompt_sets)):
        key, sets = key_of.prompts(position), f"{stage}.prompt_sets"
        words = _two(f"{sets}.{position}", f"{sets}.0", "name")
        yield by_test(evidence, key, id=key, wording="prompts", group="prompts", words=words)


def _two(first: str, second: str, name: str) -> dict[str, Word]:
    """Return the names of what stands at two paths, under the field `name` of each."""
    how = "called" if name == "model" else "text"
    return {"first": (how, f"{first}.{name}"), "second": (how, f"{second}.{name}")}


def _classes(stage: str, result: Classification, evidence: Evidence) -> Iterator[Claim]:
    """Yield what is hardest, easiest and most often mistaken, as far as it was tested."""
    confusion, group = key_of.confusion(stage), classes_of(stage)
    if confusion not in evidence.tests:
        return
    if not evidence.tests[confusion].one:
        top1 = f"{stage}.top1"
        words: dict[str, Word] = {"name": ("called", f"{stage}.model")}
        about: dict[str, Any] = {"wording": "flawless", "group": "flawless", "words": words, "facts": (top1,)}
        yield Claim(id=f"{stage}_flawless", says="holds", **about)
        return
    for extreme in get_args(key_of.Extreme):
        at, following, *_ = by_accuracy(result, extreme)
        words = _two_classes(stage, at, following)
        yield _picked(key_of.extreme(stage, extreme), extreme, group, words, evidence)
    yield _picked(confusion, "confusion", group, _two_mistakes(stage, result), evidence)


def _two_classes(stage: str, at: int, following: int) -> dict[str, Word]:
    return {
        "class": ("text", f"{stage}.classes.{at}"),
        "next": ("text", f"{stage}.classes.{following}"),
    }


def _two_mistakes(stage: str, result: Classification) -> dict[str, Word]:
    words: dict[str, Word] = {}
    for prefix, (actual, called) in zip(("", "next_"), mistakes(result, 2), strict=True):
        words |= {
            f"{prefix}actual": ("text", f"{stage}.classes.{actual}"),
            f"{prefix}called": ("text", f"{stage}.classes.{called}"),
            f"{prefix}times": ("count", f"{stage}.confusion.{actual}.{called}"),
        }
    return words


def _shared(results: Mapping[str, Classification], evidence: Evidence) -> Iterator[Claim]:
    """Yield the hardest class and the most frequent mistake, each once for all classifiers that share it."""
    mistaken = [
        stage
        for stage in results
        if key_of.confusion(stage) in evidence.tests and evidence.tests[key_of.confusion(stage)].one
    ]
    for wording, key in (
        ("hardest_shared", lambda stage: key_of.extreme(stage, "hardest")),
        ("mistake_shared", key_of.confusion),
    ):
        alike: dict[tuple[Any, ...], list[str]] = {}
        for stage in mistaken:
            picked = _picked_by(wording, results[stage])
            alike.setdefault((picked, evidence.tests[key(stage)].verdict == "unclear"), []).append(stage)
        for number, ((picked, _), stages) in enumerate(alike.items(), start=1):
            names = Several(tuple(("called", f"{stage}.model") for stage in stages), each="the ")
            words: dict[str, Word] = {"names": names}
            words |= {
                name: ("text", f"{stages[0]}.classes.{at}")
                for name, at in zip(("class", "called"), picked, strict=False)
            }
            claim = _picked(key(stages[0]), wording, wording, words, evidence)
            yield replace(claim, id=f"{wording}_{number}", tests=tuple(map(key, stages)))


def _picked_by(wording: str, result: Classification) -> tuple[int, ...]:
    """Return the position of the hardest class, or those of the most frequent mistake's two classes."""
    if wording == "hardest_shared":
        return (by_accuracy(result, "hardest")[0],)
    return mistakes(result, 1)[0]


def _picked(key: str, wording: str, group: str, words: Mapping[str, Word], evidence: Evidence) -> Claim:
    """Return a claim on what was picked as an extreme, which can hold or be unclear, and cannot fail."""
    says = "unclear" if evidence.tests[key].verdict == "unclear" else "holds"
    both = {**sides(evidence, key), **words}
    return Claim(id=key, wording=wording, group=group, says=says, words=both, tests=(key,))
