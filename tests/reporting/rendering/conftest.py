"""A small project in a temporary folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.pages import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("QUARTO_PROFILE", raising=False)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    return Project(tmp_path)


@pytest.fixture
def make_project(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Project]:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    return Project
