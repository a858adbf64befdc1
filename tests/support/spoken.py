"""What a page says of results that were never on disk."""

import io
import os
import re
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

from experiments.project import open_project
from experiments.stages import STAGES
from pipeline.envelope import Envelope, Ingredients, Provenance
from pipeline.freshness import Freshness
from reporting.document import Document
from reporting.markdown import escape
from reporting.rendering import pandoc
from reporting.rendering.source import INLINE
from tests.support.copies import ROOT

SPOKEN = (
    "summary", "task", "caption_metrics", "observations", "why_lora", "how_behaviour_changes", "limits",
    "ablations",
)  # fmt: skip
"""The blocks whose sentences are claims."""

ON_PAPER = '::: {.content-visible when-format="typst"}'
"""What opens the end of the report's page, which is in the PDF alone."""

_GOLDEN = ROOT / "tests" / "reporting" / "golden"


def document(values: dict[str, Any], folder: Path) -> Document:
    """A document of results that were never on disk."""
    project = replace(open_project("smoke", ROOT), results=folder)
    provenance = Provenance(
        ingredients=Ingredients(config={}, inputs={}, data={}, code={}), commit=None, modified=False,
        started="2026-01-02T03:04:05+00:00", seconds=1.0, seed=0, device="a processor", threads=2,
        python="3.11.7", versions={},
    )  # fmt: skip
    envelopes = {
        stage: Envelope[Any](
            stage=stage,
            profile="smoke",
            key="f" * 64,
            provenance=provenance,
            artefacts={},
            value=value,
        )
        for stage, value in values.items()
    }
    states = {
        stage: Freshness(state="fresh" if stage in values else "missing", why=(), key="") for stage in STAGES
    }
    return Document(project=project, states=states, envelopes=envelopes)


def spoken(document: Document) -> str:
    """What a reader reads: sentences of all blocks of claims, and the panel; no marks, tables, callouts."""
    whole = "\n\n".join(rf"\[{escape(name)}\]" + f"\n\n{document.block(name)}" for name in SPOKEN)
    tree, warnings = pandoc.read(whole)
    assert warnings == []
    blocks = [block for block in tree["blocks"] if block["t"] != "Div" or "panel" in block["c"][0][1]]
    unmarked = {"Link": lambda link: [] if "evidence" in pandoc.attributes(link)[1] else [link]}
    blocks = pandoc.transform(blocks, unmarked)
    text = pandoc.write(tree | {"blocks": blocks}, "plain", "--wrap=none")
    return text.replace("\N{NO-BREAK SPACE}", " ")


def page(document: Document, name: str) -> str:
    """The Markdown of a page on the screen with what it includes, its code replaced by what it prints."""
    names: dict[str, Any] = {"report": document}

    def printed(cell: re.Match[str]) -> str:
        with redirect_stdout(io.StringIO()) as output:
            exec(cell[1].replace("report = open_document();", ""), names)
        return output.getvalue()

    text = (ROOT / name).read_text(encoding="utf-8").partition(ON_PAPER)[0]
    text = re.sub(r"\{\{< include (\S+) >\}\}", lambda found: (ROOT / found[1]).read_text(), text)
    text = re.sub(r"(?ms)^```\{python\}\n(.*?)^```$", printed, text)
    return INLINE.sub(lambda code: str(eval(code[1], names)), text)


def assert_golden(text: str, kind: str, name: str) -> None:
    """Hold a text against ``golden/<kind>/<name>.txt``, to be read by eye; GOLDEN=write accepts a change."""
    path = _GOLDEN / kind / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
