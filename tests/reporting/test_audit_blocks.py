"""What the pages say of an audit, in worlds that are not the committed one.

What stands in ``golden/audit`` is to be read by eye. Run with GOLDEN=write to accept a change.
"""

import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from experiments.audit.audit import audited
from experiments.audit.run import Run
from experiments.project import open_project
from experiments.results.audit import Audit, Shared
from pipeline.envelope import Envelope, Ingredients, Provenance
from pipeline.freshness import Freshness
from reporting.document import Document
from reporting.markdown import escape
from reporting.numbers import Numbers, formatted
from reporting.rendering import pandoc
from tests.support import audit_worlds as worlds
from tests.support.audit_worlds import SIZES, WRITTEN, assignment, offline, own
from tests.support.copies import ROOT

GOLDEN = Path(__file__).parent / "golden" / "audit"
BLOCKS = ("audit", "checks", "published", "assets")
SPAN = re.compile(r'\[((?:[^\[\]\\]|\\.)*)\]\{data-from="[^"]+" data-as="[^"]+"\}')


def failing() -> Run:
    """The assignment's models on its data, with whatever can go wrong."""
    written = [(after, after, references) for _, after, references in WRITTEN]
    return assignment(
        clip=0.60,
        cnn=worlds.trained("CNN", 0.1035),
        generate=worlds.generated(assignment().generate.source, written, ended=False),
        data_sets=worlds.data_sets(assignment().generate.source, shared_images=7, shared_references=2),
    )


def nothing_from_outside() -> Run:
    source = "Coloured shapes drawn from seed 1, captions from how they were drawn"
    return offline(
        data_sets=worlds.data_sets(source, labels_sha256="0" * 64),
        zero_shot=worlds.zero_shot(0.25, "Random dual encoder", "random, seed 0", is_clip=False),
        align=worlds.aligned("Random encoder-decoder", "random, seed 0 (75,072 parameters)"),
        generate=worlds.generated(source),
    )


WORLDS: dict[str, Any] = {
    "offline": offline,
    "assignment": assignment,
    "assignment_failing": failing,
    "nothing_from_outside": nothing_from_outside,
    "data_of_the_users_own": own,
}


@pytest.fixture(scope="module")
def audits() -> dict[str, Audit]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("experiments.audit.assets.metadata.version", lambda package: "3.3.0")
        return {name: audited(world(), SIZES, tolerance=0.01) for name, world in WORLDS.items()}


def document(audit: Audit) -> Document:
    envelope = Envelope[Any](
        stage="audit", profile="smoke", key="f" * 64, value=audit,
        provenance=Provenance(
            ingredients=Ingredients(config={}, inputs={}, data=None, code={}), commit=None, modified=False,
            started="2026-01-02T03:04:05+00:00", seconds=1.0, seed=None, device="a processor", threads=2,
            python="3.11.7", versions={},
        ),
    )  # fmt: skip
    states = {"audit": Freshness(state="fresh", why=(), key="")}
    return Document(project=open_project("smoke", ROOT), states=states, envelopes={"audit": envelope})


def lines(text: str) -> str:
    """A block as a reader reads it, a table's rows as lines with bars."""
    tree, warnings = pandoc.read(text)
    assert not warnings
    told = []
    for found in pandoc.walk(tree["blocks"]):
        if found["t"] == "Table":
            told += [" | ".join(row) for row in rows(found)]
        elif found["t"] in {"Para", "Plain"} and not _in_table(found, tree):
            told.append(pandoc.plain(found["c"]))
    return "\n".join(told).replace("\N{NO-BREAK SPACE}", " ").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def rows(table: Any) -> list[list[str]]:
    _, _, _, head, bodies, _ = table["c"]
    return [
        [pandoc.plain(cell[4]) for cell in row[1]]
        for row in (*head[1], *(row for body in bodies for row in body[3]))
    ]


def _in_table(block: Any, tree: Any) -> bool:
    inside = (
        node for table in pandoc.walk(tree["blocks"]) if table["t"] == "Table" for node in pandoc.walk(table)
    )
    return any(node is block for node in inside)


@pytest.mark.parametrize("name", WORLDS)
def test_an_audit_is_told_as_it_is(name: str, audits: dict[str, Audit]) -> None:
    shown = document(audits[name])
    text = "\n\n".join(f"[{block}]\n{lines(shown.block(block))}" for block in BLOCKS) + "\n"
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


class Spans(HTMLParser):
    """Collects origin, format and text of every span that names its origin."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[list[str]] = []
        self.open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.open = tag == "span" and "data-from" in named
        if self.open:
            self.found.append([named["data-from"] or "", named["data-as"] or "", ""])

    def handle_endtag(self, tag: str) -> None:
        self.open = False

    def handle_data(self, data: str) -> None:
        if self.open:
            self.found[-1][2] += data


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("block", BLOCKS)
def test_every_digit_of_an_audit_stands_in_a_span_that_agrees_with_its_origin(
    name: str, block: str, audits: dict[str, Audit]
) -> None:
    shown = document(audits[name])
    text = shown.block(block)
    parser, numbers = Spans(), Numbers(shown.envelopes)
    parser.feed(pandoc.write(pandoc.read(text)[0], "html5", "--wrap=none"))
    for origin, how, printed in parser.found:
        assert formatted(numbers.at(origin), how) == printed, origin
    assert parser.found or not audits[name].assets
    rest = re.sub(r"\{#tbl-[\w-]+\}", "", SPAN.sub("", text))
    assert not re.search(r"\d", rest), rest


SENTENCES = [
    *(
        (name, reason)
        for name in ("tuning_photos", "lora_rank", "lora_alpha", "epochs", "learning_rate")
        for reason in ("same_setting", "other_setting")
    ),
    *(("data_set", reason) for reason in ("same_data", "other_data", "unchecked_copy")),
    *(("lora_targets", reason) for reason in ("same_setting", "other_setting", "other_layers")),
    *(("layer_kinds", reason) for reason in ("both_kinds", "attention_alone")),
    *(("training_time", reason) for reason in ("other_machine", "other_tuning_and_machine")),
    *(
        (name, reason)
        for name in ("lora_trainable", "lora_share", "adapter_size")
        for reason in ("named_targets", "c_attn_alone", "neither")
    ),
    *(("base_parameters", reason) for reason in ("whole", "language_model_alone", "neither")),
    *(("examples", reason) for reason in ("each_once", "repeated")),
    *(("caption_quality", reason) for reason in ("faulty", "sound")),
    *(("visible_difference", reason) for reason in ("other_tuning", "all_changed", "some_unchanged")),
    *(
        ("closer_to_style", f"{prefix}{reason}")
        for prefix in ("", "other_tuning_")
        for reason in ("closer", "further", "unclear")
    ),
    *(
        ("no_forgetting", reason)
        for reason in ("base_alone", "base_changed", "lost_when_on", "gained_when_on", "unclear_when_on")
    ),
    *(("test_images", reason) for reason in ("same_images", "other_images", "other_number")),
    *(
        ("clip_accuracy", reason)
        for reason in ("other_model", "within_tolerance", "outside_tolerance", "at_the_edge")
    ),
    *(("zero_shot_speed", reason) for reason in ("other_machine", "other_model_and_machine")),
    *((name, "unknown_network") for name in ("vit_accuracy", "cnn_accuracy")),
    *(("trained_for_it", reason) for reason in ("at_chance", "above_chance", "below_chance")),
    *(("ordering", reason) for reason in ("other_model", "same_order", "other_order", "unsettled")),
]
"""Every claim with every reason that the audit can give for its verdict."""


@pytest.mark.parametrize(("name", "reason"), SENTENCES)
def test_every_reason_has_its_sentence(name: str, reason: str, audits: dict[str, Audit]) -> None:
    audit = audits["assignment"]
    claim = audit.claims[name].model_copy(update={"reason": reason})
    nothing = audit.shared.model_copy(update=dict.fromkeys(Shared.model_fields, False))
    altered = audit.model_copy(update={"shared": nothing, "claims": {**audit.claims, name: claim}})
    text = document(altered).block("audit")
    tree, _ = pandoc.read(text)
    told = [row for node in pandoc.walk(tree["blocks"]) if node["t"] == "Table" for row in rows(node)]
    sentence = next(row[4] for row in told if row[0] == claim.what)
    assert re.fullmatch(r"[A-Z].*[.]", sentence), sentence
    assert not re.search(r"None|\s\s|\s[.,;:)]|\.\.", sentence), sentence


@pytest.mark.parametrize("name", WORLDS)
def test_every_reason_that_occurs_is_among_those_whose_sentences_are_tested(
    name: str, audits: dict[str, Audit]
) -> None:
    found = {(claim.id, claim.reason) for claim in audits[name].claims.values()}
    assert found <= set(SENTENCES)


def test_the_inconsistency_of_the_brief_is_told_only_where_it_is_found(audits: dict[str, Audit]) -> None:
    text = lines(document(audits["offline"]).block("audit"))
    share = "1.66 % of the language model (1.63 % with the adapter counted in)"
    assert f"2,064,384 parameters, {share}, 8.26 MB" in text
    fitting = replace(SIZES, named=2_000_000, gpt2=124_000_000)
    other = audited(offline(), fitting, tolerance=0.01)
    assert "agree with each other, but not with its recipe" not in lines(document(other).block("audit"))


def test_what_results_say_is_text_and_no_markup(audits: dict[str, Audit]) -> None:
    hostile = "*M* {{< env HOME >}} | <b>`$x$"
    audit = audits["assignment"]
    ordering = audit.claims["ordering"].model_copy(update={"found_text": hostile})
    asset = audit.assets["captioner"].model_copy(update={"what": hostile, "version": hostile})
    shown = document(
        audit.model_copy(
            update={
                "claims": {**audit.claims, "ordering": ordering},
                "assets": {**audit.assets, "captioner": asset},
            }
        )
    )
    for block in ("audit", "assets"):
        text = shown.block(block)
        assert hostile not in text
        assert escape(hostile) in text
        kinds = {node["t"] for node in pandoc.walk(pandoc.read(text)[0]["blocks"])}
        assert not kinds & {"RawInline", "RawBlock", "Math", "Code", "Emph"}
