"""What the pages say of an audit, in worlds that are not the committed one, held against ``golden/audit``."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.audit.audit import audited
from experiments.audit.brief import REASONS
from experiments.audit.run import Run, there
from experiments.results.audit import Audit, Shared
from experiments.results.source import Source
from pipeline.errors import UserError
from reporting.check import disagreement
from reporting.checking.page import bare_numbers, origins, parse
from reporting.document import Document
from reporting.markdown import escape
from reporting.rendering import pandoc
from reporting.sentences import PAGE
from tests.support import audit_worlds as worlds
from tests.support.audit_worlds import SIZES, WRITTEN, assignment, offline, own
from tests.support.spoken import assert_golden, document

BLOCKS = ("audit", "checks", "published", "assets")


def failing() -> Run:
    """The assignment's models on its data, with whatever can go wrong."""
    written = [(after, after, references) for _, after, references in WRITTEN]
    return assignment(
        clip=0.60,
        cnn=worlds.trained("CNN", 0.1035),
        generate=worlds.generated(there(assignment().generate).source, written, ended=False),
        data_sets=worlds.data_sets(
            *there(assignment().generate).source, shared_images=7, shared_references=2
        ),
    )


WORLDS: dict[str, Any] = {
    "offline": offline,
    "assignment": assignment,
    "assignment_failing": failing,
    "nothing_from_outside": worlds.nothing_from_outside,
    "data_of_the_users_own": own,
}


@pytest.fixture(scope="module")
def audits() -> dict[str, Audit]:
    return {name: audited(world(), SIZES, tolerance=0.01) for name, world in WORLDS.items()}


def shown(audit: Audit) -> Document:
    return document({"audit": audit}, Path())


def lines(text: str) -> str:
    """A block as a reader reads it, a table's rows as lines with bars."""
    tree, warnings = pandoc.read(text)
    assert not warnings
    tables = [found for found in pandoc.walk(tree["blocks"]) if found["t"] == "Table"]
    cells = {id(node) for table in tables for node in pandoc.walk(table)} - {id(table) for table in tables}
    told = []
    for found in pandoc.walk(tree["blocks"]):
        if found["t"] == "Table":
            told += [" | ".join(row) for row in rows(found)]
        elif found["t"] in {"Para", "Plain"} and id(found) not in cells:
            told.append(pandoc.plain(found["c"]))
    return "\n".join(told).replace("\N{NO-BREAK SPACE}", " ").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def rows(table: Any) -> list[list[str]]:
    _, _, _, head, bodies, _ = table["c"]
    return [
        [pandoc.plain(cell[4]) for cell in row[1]]
        for row in (*head[1], *(row for body in bodies for row in body[3]))
    ]


@pytest.mark.parametrize("name", WORLDS)
def test_an_audit_is_told_as_it_is(name: str, audits: dict[str, Audit]) -> None:
    blocks = (f"[{block}]\n{lines(shown(audits[name]).block(block))}" for block in BLOCKS)
    assert_golden("\n\n".join(blocks) + "\n", "audit", name)


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("block", BLOCKS)
def test_every_number_of_an_audit_names_its_origin_and_is_what_stands_there(
    name: str, block: str, audits: dict[str, Audit]
) -> None:
    numbers = shown(audits[name]).numbers
    page = parse(pandoc.write(pandoc.read(shown(audits[name]).block(block))[0], "html5", "--wrap=none"))
    assert [bad for origin in origins(page) if (bad := disagreement(origin, numbers))] == []
    assert list(bare_numbers(page)) == []
    assert origins(page) or not audits[name].assets


@pytest.mark.parametrize("topics", [("classification",), ("tuning", "captions")])
def test_a_part_of_the_brief_that_was_not_audited_has_no_table_and_no_anchor(
    topics: tuple[str, ...], audits: dict[str, Audit]
) -> None:
    audit = audits["assignment"]
    claims = {name: claim for name, claim in audit.claims.items() if claim.topic in topics}
    nothing = dict.fromkeys(Shared.model_fields)
    half = audit.model_copy(
        update={"claims": claims, "published": {}, "shared": audit.shared.model_copy(update=nothing)}
    )
    page = shown(half)
    text = page.block("audit")
    there = re.findall(r"#(tbl-audit-\w+)", text)
    assert there == [f"tbl-audit-{topic}" for topic in topics] == list(page.anchors("audit"))
    assert not re.search("the brief worked with", lines(text))
    assert (page.block("published"), page.anchors("published")) == ("", ())


# The claims behind the tables


@pytest.mark.parametrize(
    ("name", "reason"), [(name, reason) for name, why in REASONS.items() for reason in why]
)
def test_every_reason_has_its_sentence(name: str, reason: str, audits: dict[str, Audit]) -> None:
    audit = audits["assignment"]
    altered = {"reason": reason, "verdict": REASONS[name][reason]}
    nothing = audit.shared.model_copy(update=dict.fromkeys(Shared.model_fields, False))
    claims = audit.claims | {name: audit.claims[name].model_copy(update=altered)}
    sentences = shown(audit.model_copy(update={"shared": nothing, "claims": claims})).sentences
    said, found = (say(f"brief_{name}") for say in (sentences.said, sentences.found))
    assert PAGE not in said, "the evidence of these claims stands beside them"
    for text in (said, found):
        assert not re.search(r"None|\s\s|\s[.,;:)]|\.\.", text), text
    assert re.fullmatch(r"[A-Z].*[.]", pandoc.plain(pandoc.read(said)[0]["blocks"]))
    assert found


def test_a_reason_without_a_wording_is_an_error_and_no_empty_cell(audits: dict[str, Audit]) -> None:
    audit = audits["offline"]
    claims = audit.claims | {"epochs": audit.claims["epochs"].model_copy(update={"reason": "whole"})}
    with pytest.raises(
        UserError,
        match=r"brief_epochs has no wording for what it says: add brief_epochs\.whole to reporting/wordings",
    ):
        shown(audit.model_copy(update={"claims": claims})).block("audit")


def test_the_inconsistency_of_the_brief_is_told_only_where_it_is_found(audits: dict[str, Audit]) -> None:
    text = lines(shown(audits["offline"]).block("audit"))
    share = "1.66 % of the language model (1.63 % with the adapter counted in)"
    assert f"2,064,384 parameters, {share}, 8.26 MB" in text
    fitting = replace(SIZES, named=2_000_000, gpt2=124_000_000)
    other = audited(offline(), fitting, tolerance=0.01)
    assert "agree with each other, but not with its recipe" not in lines(shown(other).block("audit"))


def test_what_results_say_is_text_and_no_markup(audits: dict[str, Audit]) -> None:
    hostile = "*M* {{< env HOME >}} | <b>`$x$"
    audit = audits["assignment"]
    ordering = audit.claims["ordering"].model_copy(update={"found_text": hostile})
    source = Source(name=hostile, revision=hostile, sha256=hostile, licence=hostile, url=hostile)
    asset = audit.assets["weights_3"].model_copy(update={"source": source, "hashed": hostile})
    altered = {
        "claims": audit.claims | {"ordering": ordering},
        "assets": audit.assets | {"weights_3": asset},
    }
    for block in ("audit", "assets"):
        text = shown(audit.model_copy(update=altered)).block(block)
        assert hostile not in text
        assert escape(hostile) in text
        kinds = {node["t"] for node in pandoc.walk(pandoc.read(text)[0]["blocks"])}
        assert not kinds & {"RawInline", "RawBlock", "Math", "Code", "Emph"}
