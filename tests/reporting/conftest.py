"""A project with small results of its own, for tests of the pages."""

from pathlib import Path

import pytest

from pipeline.project import Project
from tests.support.results import classifier, project_of_classifiers
from tests.support.stored import put


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A copy of the project, without results, with the smoke profile and the classifiers' stages."""
    return project_of_classifiers(tmp_path)


@pytest.fixture
def filled(project: Project) -> Project:
    """The same with a fresh result for every classifier."""
    for stage, accuracy in (("zero_shot", 0.6), ("vit", 0.8), ("cnn", 0.9)):
        put(project, stage, classifier(stage, accuracy))
    return project
