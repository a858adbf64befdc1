"""The results in the repository, whatever the profile that they were made with says by now."""

import json
from functools import cache
from typing import Any

from experiments.project import open_project
from experiments.stages import STAGES
from pipeline import store
from pipeline.envelope import Envelope
from pipeline.frozen import Frozen
from tests.support.contexts import SILENT
from tests.support.copies import ROOT

PROJECT = open_project("offline", ROOT)


@cache
def committed(stage: str) -> Envelope[Any]:
    return store.read(PROJECT, stage)


def recomputed(stage: str, compute: Any, config: type[Frozen]) -> Any:
    """Compute the result of a stage again, from the committed ones and the options recorded in its own."""
    options = committed(stage).provenance.ingredients.config
    inputs = {name: committed(name).value for name in STAGES[stage].inputs}
    return compute(config.model_validate_json(json.dumps(options)), inputs, SILENT)
