from pathlib import Path

import pytest

from experiments.config.fields import resolve_path
from pipeline.errors import UserError

ROOT = Path("/projects/report")


def test_a_path_begins_at_the_projects_folder_unless_it_is_absolute() -> None:
    assert resolve_path(ROOT, "data/photos") == ROOT / "data" / "photos"
    assert resolve_path(ROOT, "/photos") == Path("/photos")


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert resolve_path(ROOT, "~/photos") == Path("/home/somebody/photos")
    assert resolve_path(ROOT, "photos/~") == ROOT / "photos" / "~"


def test_the_home_of_an_unknown_user_is_a_sentence() -> None:
    with pytest.raises(UserError, match="'~nobody-of-that-name/photos' begins with the home folder"):
        resolve_path(ROOT, "~nobody-of-that-name/photos")
