"""What a stage is lent by this project."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from experiments.lending import lend
from experiments.models import precision
from experiments.project import open_project
from pipeline import keys
from pipeline.closure import Code
from pipeline.runner import Call
from tests.support.contexts import silently
from tests.support.copies import ROOT
from tests.support.toy import STAGES


def call(folder: Path, **altered: Any) -> Call:
    project = replace(open_project("smoke", ROOT), cache=folder)
    parts = keys.ingredients(project, "data_sets")
    return Call(project, STAGES["first"], silently, Console(quiet=True), None, parts, Code(folder), **altered)


def test_what_is_made_again_is_made_at_the_precision_of_the_stored_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "chosen", lambda choice: f"chosen for {choice}")
    assert lend(call(tmp_path)).precision("auto") == "chosen for auto"
    assert lend(call(tmp_path, precision="fp32")).precision("auto") == "fp32"
