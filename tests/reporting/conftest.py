"""A project with small results of its own, for tests of the pages."""

from dataclasses import replace
from pathlib import Path

import pytest

from experiments.project import open_project
from pipeline.project import Project
from reporting.blocks import CLASSIFIERS
from tests.support.copies import copy_parts
from tests.support.results import classifier
from tests.support.stored import put


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A copy of the project, without results, with the smoke profile and the classifiers' stages."""
    copy_parts(tmp_path, "pipeline", "experiments", "profiles", "templates", "references.bib")
    project = open_project("smoke", tmp_path)
    return replace(project, stages={name: project.stages[name] for name in CLASSIFIERS})


@pytest.fixture
def filled(project: Project) -> Project:
    """The same with a fresh result for every classifier."""
    for stage, accuracy in (("zero_shot", 0.6), ("vit", 0.8), ("cnn", 0.9)):
        put(project, stage, classifier(stage, accuracy))
    return project
