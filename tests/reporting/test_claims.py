"""What the report says in worlds other than the one that was measured.

Each world is computed from predictions and captions by the real `evidence`; what the page then says stands
in ``golden/worlds``.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest

from experiments.audit.brief import REASONS
from experiments.evidence.declared import MEASURES
from experiments.evidence.evidence import evidence
from experiments.results.audit import Anchor, Audit, Shared, Unit
from experiments.results.audit import Verdict as Audited
from experiments.results.evidence import Verdict
from experiments.statistics.intervals import wilson
from pipeline import options
from pipeline.errors import UserError
from reporting.blocks import CLASSIFIERS
from reporting.claims import Claim, Several, Wordings, wordings
from reporting.panel import headlines
from reporting.rendering import pandoc
from reporting.sentences import PAGE, claims_of
from tests.support.contexts import SILENT
from tests.support.copies import ROOT
from tests.support.declared import declaring
from tests.support.report_worlds import World, judged, results
from tests.support.spoken import SPOKEN, assert_golden, document, spoken

GROUNDING = ("right_class", "wrong_class", "right_colour", "wrong_colour")
ALIKE = {"rank_1": 0.9, "rank_8": 0.9, "rank_32": 0.9, "attention": 0.9, "full": 0.9}

USUAL = World()
WORLDS = {
    "as_usual": USUAL,
    "two_models_swapped": USUAL.altered(zero_shot=USUAL.vit, vit=USUAL.zero_shot),
    "zero_shot_best": USUAL.altered(zero_shot=0.95, ensemble=0.99),
    "one_model_at_chance": USUAL.altered(cnn=0.26, harder=1.0),
    "every_model_at_chance": USUAL.altered(zero_shot=0.25, ensemble=0.25, vit=0.24, cnn=0.26, harder=1.0),
    "a_model_worse_than_guessing": USUAL.altered(vit=0.1, harder=1.0),
    "two_models_indistinguishable": USUAL.altered(vit=0.9),
    "a_model_without_mistakes": USUAL.altered(cnn=1.0),
    "too_few_images_to_tell": USUAL.altered(images=40),
    "tuning_makes_it_worse": USUAL.altered(worse=True),
    "tuning_changes_nothing": USUAL.altered(
        style=dict.fromkeys(USUAL.style, 0.0), named=dict.fromkeys(USUAL.named, 0.9)
    ),
    "rank_buys_nothing": USUAL.altered(style=ALIKE),
    "the_returns_of_rank_diminish": USUAL.altered(style={"rank_8": 0.9}),
    "more_rank_does_harm": USUAL.altered(style={"rank_1": 0.9, "rank_8": 0.9, "rank_32": 0.3}),
    "rank_pays_until_it_harms": USUAL.altered(style={"rank_8": 0.9, "rank_32": 0.4}),
    "lora_forgets_more_than_full": USUAL.altered(named={"rank_32": 0.4, "full": 0.9}),
    "tuning_teaches_the_classes": USUAL.altered(named={"base": 0.6, "rank_32": 0.9}),
    "lora_is_large_slow_and_does_not_switch_off": USUAL.altered(
        trainable=130_000_000, seconds=100.0, off_is_base=False
    ),
    "photos_without_classes": USUAL.altered(classes=False),
}
TURNED: dict[str, Callable[[str], Verdict]] = {
    "every_test_higher": lambda key: "higher",
    "every_test_lower": lambda key: "lower",
    "no_test_tells": lambda key: "unclear",
    "tests_in_turn_one": lambda key: get_args(Verdict)[len(key) % 3],
    "tests_in_turn_two": lambda key: get_args(Verdict)[(len(key) + 1) % 3],
    "tests_in_turn_three": lambda key: get_args(Verdict)[sum(key.encode()) % 3],
}
"""Verdicts of every test, of which many cannot be at once in a run: its text must read well all the same."""
PUBLISHED = {
    "as_published": "agrees",
    "not_as_published": "differs",
    "published_but_not_to_be_told": "cannot_tell",
}


@pytest.fixture(scope="module")
def computed() -> dict[str, dict[str, Any]]:
    """The results of every world."""
    told = {name: results(world) for name, world in WORLDS.items()}
    return told | {name: told["as_usual"] | {"audit": audited(says)} for name, says in PUBLISHED.items()}


def audited(verdict: Any) -> Audit:
    """An audit of nothing but a published figure of the zero-shot model."""
    anchor = Anchor(
        id="vit_b_32_openai", model="CLIP ViT-B/32 of OpenAI", value=0.61, source="a published table",
        tolerance=0.01, comparable_with="zero_shot", measured=wilson(480, 800), templates=1, verdict=verdict,
        reason="very_weights",
    )  # fmt: skip
    nothing = Shared(captioner=False, targets=False, photos=False, zero_shot=False, images=False)
    return Audit(shared=nothing, claims={}, published={anchor.id: anchor}, checks={}, assets={})


@pytest.mark.parametrize("name", [*WORLDS, *PUBLISHED])
def test_a_world_is_told_as_it_is(name: str, computed: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    assert_golden(spoken(document(computed[name], tmp_path)), "worlds", name)


@pytest.mark.parametrize("name", TURNED)
def test_a_world_whose_tests_came_out_otherwise_is_told_as_it_is(
    name: str, computed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    values = judged(computed["as_usual"], TURNED[name])
    assert_golden(spoken(document(values, tmp_path)), "worlds", name)


@pytest.mark.parametrize("name", [*WORLDS, *PUBLISHED])
def test_every_claim_is_a_sentence_in_each_of_its_wordings_and_leads_to_its_evidence(
    name: str, computed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    sentences = document(computed[name], tmp_path).sentences
    for claim in sentences.claims.values():
        lists = any(isinstance(word, Several) and not word.words for word in claim.words.values())
        for outcome in () if lists else wordings()[claim.chosen[0]]:
            forced = replace(claim, outcome=outcome)
            said = replace(sentences, claims={claim.id: forced}).said(claim.id)
            assert f"]({PAGE}#{claim.anchor}){{.evidence" in said, (claim.id, outcome)
            assert_prose(said)


def drawn(values: dict[str, Any], seed: int) -> dict[str, Any]:
    """The same results with drawn verdicts; those of like tests are often alike."""
    random = Random(seed)
    verdicts = {family: random.choice([*get_args(Verdict), None]) for family in ("caption", "forgotten", "")}

    def verdict(key: str) -> Verdict:
        one = verdicts[key.partition("_")[0] if key.partition("_")[0] in verdicts else ""]
        return one or random.choice(get_args(Verdict))

    return judged(values, verdict)


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("name", ["as_usual", "photos_without_classes", "one_model_at_chance"])
def test_whatever_the_tests_find_the_text_has_two_numbers_a_sentence_at_most_and_no_gap(
    name: str, seed: int, computed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    told = document(drawn(computed[name], seed), tmp_path)
    for block in SPOKEN:
        for line in lines_of(told.block(block)):
            assert_prose(line)


def lines_of(block: str) -> Iterator[str]:
    """The paragraphs and the bullets of a block, without what stands in tables, figures and the panel."""
    text = re.sub(r"(?ms)^(:{3,}) \{.*?^\1$", "", block)
    for paragraph in re.split(r"\n\s*\n|\n(?=- )", text):
        if paragraph.strip():
            yield " ".join(paragraph.removeprefix("- ").split("\n")).strip()


def assert_prose(markdown: str) -> None:
    """Require that Markdown reads as sentences with two numbers each, and names of things, which are none."""
    mark = r"\[\[\d+\]\{[^}]*\}\]\([^)]*#claim-[^)]*\)\{[^}]*\}"
    text = re.sub(rf"{mark}| \[@[^\]]*\]", "", markdown)  # nor citations
    text = re.sub(r'\[(?:[^\]\\]|\\.)*\]\{data-from="[^"]*" data-as="(\S+)"\}', _kind, text)
    assert not re.search(
        r"None|  |\{\{| [.,;:)]|\(\)|\.\.|,,|^[a-z]|[.!?] [a-z]| (and|or|but|by|of)[.,]", text
    ), text
    assert text.endswith("."), text
    for sentence in re.split(r"(?<=\.) ", text):
        assert sentence.count("#") <= (5 if sentence.startswith("The recipe:") else 2), sentence


def _kind(span: re.Match[str]) -> str:
    return "Name" if span[1] in {"text", "called", "quoted", "joined"} else "#"


def varied(values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Results with every verdict of every test, and with an adapter as dear as full tuning or dearer."""
    evidence, variants = values["evidence"], values["ablations"].variants
    full = next(variant for variant in variants if variant.kind == "full")
    for verdict, broken in product(get_args(Verdict), ((), CLASSIFIERS)):
        tests = {key: test.model_copy(update={"verdict": verdict}) for key, test in evidence.tests.items()}
        yield values | {"evidence": evidence.model_copy(update={"tests": tests, "broken": broken})}
    for factor in (1, 2):
        cost = {
            name: factor * getattr(full, name) for name in ("saved_bytes", "seconds_per_step", "peak_bytes")
        }
        dear = tuple(each if each is full else each.model_copy(update=cost) for each in variants)
        yield values | {"ablations": values["ablations"].model_copy(update={"variants": dear})}
    yield values | {"lora": values["lora"].model_copy(update={"alpha": 1})}
    every = {"changed": len(values["captions"].records)}
    yield values | {"captions": values["captions"].model_copy(update=every)}
    for stage in ("ablations", "zero_shot"):
        yield {name: value for name, value in values.items() if name != stage}


def leant(values: dict[str, Any], better: bool) -> dict[str, Any]:
    """Results in which every measure of captions that has a better side went there, or none did."""
    tests = dict(values["evidence"].tests)
    for measure in values["captions"].measures:
        went = (measure.better == "higher") == better
        tests[f"caption_{measure.key}"] = tests[f"caption_{measure.key}"].model_copy(
            update={"verdict": "higher" if went else "lower"}
        )
    return values | {"evidence": values["evidence"].model_copy(update={"tests": tests})}


def test_every_wording_can_be_chosen_and_every_choice_has_a_wording(
    computed: dict[str, dict[str, Any]],
) -> None:
    worlds = [*computed.values(), *varied(computed["as_usual"])]
    worlds += [leant(computed["tuning_makes_it_worse"], better) for better in (True, False)]
    worlds += [
        drawn(computed[name], seed) for name in ("as_usual", "tuning_makes_it_worse") for seed in range(300)
    ]
    claims = [claim for values in worlds for claim in claims_of(values).values()]
    brief = {(f"brief_{name}", reason) for name, reasons in REASONS.items() for reason in reasons}
    parts = {
        "headings": {each.group for each in claims if not each.group.startswith("classes of ")},
        "taken_together_grounding": ("better", "both", "worse", "unclear"),
        "untold": ("sentence",),
        "turn": ("but", "too"),
        "faults": ("ended", "cut_off", "repeats", "rambles"),
        "grounding_better": GROUNDING,
        "grounding_worse": GROUNDING,
        "measure_is": set(MEASURES) - {"bleu", "cider_d", "rouge_l", "chrf", "distinct_1", "distinct_2"},
        "not_shared": {*Shared.model_fields, "unchecked_photos"},
        "found": {*get_args(Unit), "at_fault"} - {"text"},
        "found_in_words": {*get_args(Audited), "both_kinds", "base_alone", "base_changed"},
    }
    known = {claim.chosen for claim in claims} | brief
    known |= {(name, key) for name, keys in parts.items() for key in keys}
    assert {(name, key) for name, keys in wordings().items() for key in keys} == known


@pytest.mark.parametrize("text", ["x = 'y'", "[x]\nholds = 3", "[x]\nholds = ''", "[x.y]\nholds = 'z'"])
def test_what_is_no_wording_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "wordings.toml").write_text(text)
    with pytest.raises(UserError, match=rf"^{tmp_path.name}/wordings.toml: x.* is .*[^.]\.$"):
        options.read(tmp_path / "wordings.toml", Wordings)


MARK = re.compile(
    r'\[\[(\d+)\]\{data-from="rows\.(\w+)"[^}]*\}\]'
    rf'\({PAGE}#([\w-]+)\)\{{\.evidence data-card="([\w-]+)"\}}'
)
"""A mark: its number, its claim, the anchor that it leads to and the card that it opens."""


def test_every_mark_leads_to_the_row_of_its_number_and_opens_a_card_of_its_page(
    computed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    shown = document(computed["as_usual"], tmp_path)
    tree, _ = pandoc.read(shown.block("claims"))
    spans = [node for node in pandoc.walk(tree["blocks"]) if node["t"] == "Span"]
    anchors = {pandoc.attributes(node)[0]: pandoc.plain(node["c"][1]) for node in spans}
    anchors.pop("")
    assert list(anchors.values()) == [str(row) for row in range(1, len(anchors) + 1)]
    assert anchors.keys() == {claim.anchor for claim in shown.sentences.claims.values()}
    assert shown.block("cards") == ""
    marks = MARK.findall("".join(shown.block(name) for name in SPOKEN))
    assert len(marks) > 20
    for number, name, anchor, card in marks:
        assert anchors[anchor] == number == str(shown.rows[name])
        assert card == f"card-{anchor}"
    cards = re.findall(r"\{\.card #([\w-]+)\}", shown.block("cards"))
    assert sorted(cards) == sorted({card for *_, card in marks})


def test_a_card_says_what_its_claim_rests_on_and_whether_that_is_fresh(
    computed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    shown = document(computed["as_usual"], tmp_path)
    stale = shown.states["captions"].model_copy(update={"state": "stale"})
    shown = replace(shown, states={**shown.states, "captions": stale})
    for name in ("closer_in_style", "captions_changed"):
        shown.sentences.mark(name)
    tree, _ = pandoc.read(shown.block("cards"))
    tested, fact = (pandoc.plain(block) for block in tree["blocks"])
    for said in (
        "Difference −",
        "interval −",
        "corrected p <",
        "by jackknife",
        "n = 40",
        "generate, not committed, fresh",
    ):
        assert said in tested.replace("\N{NO-BREAK SPACE}", " "), tested
    assert "A fact of the run" in fact
    assert "captions, not committed, stale" in fact
    assert "Its row in the table of evidence" in fact


def test_without_a_table_of_evidence_nothing_is_marked(
    computed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    values = {stage: value for stage, value in computed["as_usual"].items() if stage != "evidence"}
    shown = document(values, tmp_path)
    assert "lora_share" in shown.sentences.claims
    assert "evidence" not in shown.sentences.said("lora_share")
    assert shown.block("cards") == shown.block("claims") == ""


def test_swapping_two_models_swaps_what_is_said_of_them(computed: dict[str, dict[str, Any]]) -> None:
    for first, second in (("as_usual", "two_models_swapped"), ("two_models_swapped", "as_usual")):
        said = [claims_of(computed[name])["zero_shot_beats_vit"].says for name in (first, second)]
        assert sorted(said) == ["fails", "holds"]


def test_a_broken_model_is_neither_ranked_nor_described(computed: dict[str, dict[str, Any]]) -> None:
    claims = claims_of(computed["one_model_at_chance"])
    assert claims["cnn_above_chance"].group == "broken"
    assert not [name for name in claims if name.startswith("cnn_") and name != "cnn_above_chance"]
    assert not [name for name in claims if name.endswith("_beats_cnn")]
    assert "zero_shot_beats_vit" in claims


def test_of_several_broken_models_the_page_says_once_what_is_true_of_all(
    computed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    sentences = document(computed["every_model_at_chance"], tmp_path).sentences
    told = sentences.told(*sentences.of("broken"))
    assert told.count("cannot be told from guessing") == 1
    assert sentences.claims["broken_alike_1"].tests == ("zero_shot_chance", "vit_chance", "cnn_chance")
    assert sentences.of("broken each") == [f"{stage}_above_chance" for stage in CLASSIFIERS]
    assert "broken_alike_1" not in claims_of(computed["one_model_at_chance"])


def test_two_networks_trained_once_each_are_compared_as_these_networks_and_never_as_methods(
    computed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    for world in ("as_usual", "two_models_swapped", "two_models_indistinguishable"):
        sentences = document(computed[world], tmp_path).sentences
        said = sentences.said("vit_beats_cnn", marked=False)
        assert re.search("hese two trained networks", said)
        assert "Each was trained once" in said
        assert "beats" not in said
        for name in ("zero_shot_beats_vit", "zero_shot_beats_cnn"):
            assert "as it was trained here" in sentences.said(name)


def test_a_claim_whose_test_is_not_there_yet_does_not_appear_and_the_page_lists_the_test(
    computed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    values = computed["as_usual"]
    section = declaring(values, 300)
    early = {**values, "evidence": evidence(section, {**values, "vit": None}, SILENT)}
    assert not [name for name in claims_of(early) if "vit" in name]
    assert "zero_shot_beats_cnn" in claims_of(early)
    text = document(early, tmp_path).block("claims")
    assert "Not there yet" in text
    assert "vit_cnn" in text.replace("\\", "")
    assert "Not there yet" not in document(values, tmp_path).block("claims")


def test_a_claim_names_the_results_that_it_rests_on(computed: dict[str, dict[str, Any]]) -> None:
    values = computed["as_usual"]
    claims = claims_of(values)
    assert claims["vit_beats_cnn"].stages(values["evidence"]) == ("vit", "cnn", "data_sets")
    assert claims["lora_share"].stages(values["evidence"]) == ("lora",)


def test_no_claim_is_made_of_a_result_that_is_missing(computed: dict[str, dict[str, Any]]) -> None:
    values = computed["as_usual"]
    without = {stage: value for stage, value in values.items() if stage != "vit"}
    assert not [name for name in claims_of(without) if "vit" in name]
    assert {"lora_share"} < set(claims_of({"lora": values["lora"], "ablations": values["ablations"]}))
    assert claims_of({}) == {}


def test_a_wording_that_cannot_be_is_refused() -> None:
    for claim, missing in (
        (Claim(id="lora_share", group="rank", says="unclear"), "lora_share.unclear"),
        (Claim(id="x", group="rank", says="fails"), "x.fails"),
        (Claim(id="x", wording="longer", outcome="y", group="rank", says="holds"), "longer.y"),
    ):
        with pytest.raises(UserError, match=f"{claim.id} has no wording for what it says: add {missing} to"):
            _ = claim.source


def test_wordings_without_headings_are_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reporting.claims.wordings", dict)
    with pytest.raises(UserError, match=r"wordings.toml: the table \[headings\] is missing"):
        Claim(id="x", group="rank", says="holds")


@pytest.mark.parametrize("wording", ["Half {{ of", "A word that {{ nobody }} gives."])
def test_a_wording_that_cannot_be_filled_is_named(
    wording: str, computed: dict[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentences = document(computed["as_usual"], tmp_path).sentences
    monkeypatch.setattr(Claim, "source", wording)
    with pytest.raises(UserError, match=r"^reporting/wordings.toml: lora_share\.holds cannot be filled: "):
        sentences.told("lora_share")


def test_a_group_that_no_claim_can_be_in_is_an_error_and_not_an_empty_list(
    computed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    sentences = document(computed["as_usual"], tmp_path).sentences
    assert sentences.of("broken", "against full") == sentences.of("against full") != []
    for group in ("rankings", "classes of lora", "Rank"):
        with pytest.raises(UserError, match=f"'{group}' is no group of claims .*; the groups are a"):
            sentences.of("rank", group)
        with pytest.raises(UserError, match=f"'{group}' is no group of claims"):
            Claim(id="x", group=group, says="holds")


def test_every_claim_that_a_template_names_is_one_in_some_world(computed: dict[str, dict[str, Any]]) -> None:
    claims = {name for values in computed.values() for name in claims_of(values)}
    texts = [path.read_text() for path in (ROOT / "templates").glob("*.j2")]
    calls = [
        call for text in texts for call in re.findall(r"claims\.(?:told|said|untold|mark)\(([^{}]*?)\)", text)
    ]
    plain = [re.sub(r"claims\.of\([^)]*\)?", "", call) for call in calls]
    named = {name for call in plain for name in re.findall(r'"(\w+[a-z])"', call)}
    assert {"agreement", "manner", "lora_kept"} <= named <= claims


@pytest.mark.parametrize(
    ("world", "block", "said"),
    [
        ("as_usual", "summary", "measure. But on photos kept from all tuning the right class is named less"),
        (
            "tuning_makes_it_worse",
            "summary",
            "measure. On photos kept from all tuning the right class is named less",
        ),
        ("as_usual", "why_lora", "It needs less memory as well"),
        ("lora_is_large_slow_and_does_not_switch_off", "why_lora", "But it needs less memory at its peak"),
        ("tuning_makes_it_worse", "why_lora", "But of these two trained captioners the fully tuned one"),
        ("lora_forgets_more_than_full", "why_lora", "Of these two trained captioners the fully tuned one"),
        ("as_usual", "how_behaviour_changes", "the captioner wrote “a photo of a"),
    ],
)
def test_a_sentence_says_but_only_where_it_turns_from_the_one_before(
    world: str, block: str, said: str, computed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    tree, _ = pandoc.read(document(computed[world], tmp_path).block(block))
    unmarked = {"Link": lambda link: [] if "evidence" in pandoc.attributes(link)[1] else [link]}
    assert said in pandoc.plain(pandoc.transform(tree["blocks"], unmarked))


@pytest.mark.parametrize(
    ("left_out", "kinds"),
    [
        ((), ["agreement", "held_out", "zero_shot", "trained"]),
        (("vit", "cnn"), ["agreement", "held_out", "zero_shot", "distance"]),
        (CLASSIFIERS, ["agreement", "held_out", "distance", "adapter"]),
        (
            ("lora", "captions", "ablations", "align", "variants", "generate"),
            ["zero_shot", "trained", "trained"],
        ),
        (("zero_shot", "ablations"), ["agreement", "trained", "trained", "distance"]),
        (("evidence",), []),
    ],
)
def test_the_panel_has_the_four_figures_that_matter_most_of_what_there_is(
    left_out: tuple[str, ...], kinds: list[str], computed: dict[str, dict[str, Any]]
) -> None:
    values = {stage: value for stage, value in computed["as_usual"].items() if stage not in left_out}
    found = headlines(values)
    assert [figure.of for figure in found] == kinds
    claims = claims_of(values)
    assert {figure.claim for figure in found} <= set(claims)
    if "trained" in kinds and not left_out:
        assert found[-1].now == ("said", "cnn.top1")


@pytest.mark.parametrize(
    "stage", ["lora", "ablations", "captions", "zero_shot", "cnn", "vit", "data_sets", "align"]
)
def test_a_missing_result_leaves_no_sentence_without_its_subject(
    stage: str, computed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    told = document({name: value for name, value in computed["as_usual"].items() if name != stage}, tmp_path)
    for block in SPOKEN:
        for line in lines_of(told.block(block)):
            assert_prose(line)
            assert not re.match(r"(But|And|Also|They|It(?! cannot be told whether)) ", line), line
