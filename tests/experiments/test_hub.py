import time
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest

from experiments import hub
from experiments.errors import UserError
from experiments.hub import no_answer, snapshot

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Session:
    """A session whose HEAD requests are answered, refused, or left waiting."""

    def __init__(self, outcome: float | Exception | None, status: int = 200) -> None:
        self.outcome, self.status = outcome, status

    def head(self, address: str, timeout: float) -> SimpleNamespace:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        time.sleep(self.outcome or 0)
        return SimpleNamespace(status_code=self.status)


def let_the_hub(
    monkeypatch: pytest.MonkeyPatch, outcome: float | Exception | None, status: int = 200
) -> None:
    monkeypatch.setattr(huggingface_hub, "get_session", lambda: Session(outcome, status))
    monkeypatch.setattr(hub, "PATIENCE", 0.2)


def cache(folder: Path, monkeypatch: pytest.MonkeyPatch, *files: str) -> Path:
    """Lay out the hub's cache in `folder` with empty `files` of org/name, and make it the cache in use."""
    kept = folder / "models--org--name" / "snapshots" / COMMIT
    kept.mkdir(parents=True)
    for file in files:
        (kept / file).touch()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
    return kept


def lacks_weights(folder: Path) -> str | None:
    return None if any(folder.glob("weights.*")) else "its weights"


def want(revision: str = COMMIT) -> Path:
    return snapshot("org/name", revision, lacks_weights, [["*.safe"], ["*.old"]], "do this")


def test_any_answer_counts_and_an_error_or_silence_is_told(monkeypatch: pytest.MonkeyPatch):
    let_the_hub(monkeypatch, None)
    assert no_answer("https://hub", 0.2) is None
    let_the_hub(monkeypatch, ConnectionError("Name not known.\nand much more"))
    assert no_answer("https://hub", 0.2) == "Name not known"
    let_the_hub(monkeypatch, TimeoutError())
    assert no_answer("https://hub", 0.2) == "TimeoutError"
    let_the_hub(monkeypatch, 5.0)
    start = time.perf_counter()
    assert no_answer("https://hub", 0.2) == "nothing within 0 s"
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(("status", "said"), [(302, None), (401, None), (404, None), (503, "status 503")])
def test_a_server_that_failed_has_not_answered_and_a_refusal_is_an_answer(
    monkeypatch: pytest.MonkeyPatch, status: int, said: str | None
):
    let_the_hub(monkeypatch, None, status)
    assert no_answer("https://hub", 0.2) == said


def test_a_usable_folder_in_the_cache_is_used_without_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    kept = cache(tmp_path, monkeypatch, "weights.safe")
    monkeypatch.setattr(hub, "no_answer", lambda *_: pytest.fail("the network was used"))
    assert want() == kept


def test_a_folder_in_the_cache_that_lacks_something_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    cache(tmp_path, monkeypatch, "config.json")
    let_the_hub(monkeypatch, ConnectionError("no route"))
    with pytest.raises(UserError, match=r"org/name at revision 0123.* did not answer"):
        want()


@pytest.mark.parametrize("outcome", [ConnectionError("no route to host"), 5.0])
def test_an_unreachable_hub_is_one_sentence_soon(
    outcome: float | Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "none"))
    let_the_hub(monkeypatch, outcome)
    start = time.perf_counter()
    with pytest.raises(UserError) as caught:
        want()
    assert time.perf_counter() - start < 2
    sentence = str(caught.value)
    assert all(part in sentence for part in ("org/name", COMMIT, str(tmp_path), "huggingface.co/org/name"))
    assert sentence.endswith("; do this.")
    assert "\n" not in sentence


def test_old_weights_are_fetched_only_where_there_are_no_new_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    published = {"weights.old"}
    asked: list[list[str]] = []

    def download(name: str, revision: str, allow_patterns: list[str] | None = None, **options: object) -> str:
        if options.get("local_files_only"):
            raise huggingface_hub.errors.LocalEntryNotFoundError("not cached")
        assert allow_patterns is not None
        asked.append(allow_patterns)
        for file in published:
            if any(Path(file).match(pattern) for pattern in allow_patterns):
                (tmp_path / file).touch()
        return str(tmp_path)

    let_the_hub(monkeypatch, None)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert want() == tmp_path
    assert asked == [["*.safe"], ["*.old"]]
    (tmp_path / "weights.old").unlink()
    asked.clear()
    published.add("weights.safe")
    assert want() == tmp_path
    assert asked == [["*.safe"]]
    published.clear()
    (tmp_path / "weights.safe").unlink()
    with pytest.raises(UserError, match=r"org/name at revision \w+ lacks its weights; do this\."):
        want()


def test_a_refusal_of_the_hub_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def download(name: str, revision: str, **options: object) -> str:
        if options.get("local_files_only"):
            raise huggingface_hub.errors.LocalEntryNotFoundError("not cached")
        raise PermissionError("401: the repository is gated.\nRequest ID: 17")

    let_the_hub(monkeypatch, None)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    with pytest.raises(UserError, match=r"could not be fetched: 401: the repository is gated; do this\.$"):
        want()
