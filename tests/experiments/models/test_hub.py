import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import IncompleteSnapshotError, LocalEntryNotFoundError
from pytest import MonkeyPatch as Patch

from experiments.models import hub
from experiments.models.hub import Repository, cached, commit, missing, reference, snapshot, usable
from tests.support.hub_cache import COMMIT, keep, lose
from tests.support.refusals import refusal


def lacks_weights(folder: Path) -> str | None:
    return None if any(file.is_file() for file in folder.glob("weights.*")) else "its weights"


REPOSITORY = Repository("org/name", COMMIT, lacks_weights, "do this")
KINDS = [REPOSITORY, replace(REPOSITORY, kind="dataset")]


def let_the_hub(monkeypatch: Patch, outcome: float | Exception, status: int = 200) -> None:
    """Let the hub answer a HEAD request with `status` after `outcome` seconds, or refuse it."""

    def head(address: str, timeout: float) -> SimpleNamespace:
        if isinstance(outcome, Exception):
            raise outcome
        time.sleep(outcome)
        return SimpleNamespace(status_code=status)

    monkeypatch.setattr(huggingface_hub, "get_session", lambda: SimpleNamespace(head=head))


def no_network(*_: object) -> Any:
    pytest.fail("the network was used")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: Patch) -> Path:
    """Make an empty folder the hub's cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def in_cache(cache: Path, *files: str, of: Repository = REPOSITORY) -> Path:
    """Keep a repository in the cache, whose files hold their names, and return the folder of its commit."""
    for file in files:
        (cache / f"of-{file}").write_text(file)
    return keep(cache, "org/name", {file: cache / f"of-{file}" for file in files}, f"{of.kind}s")


def test_any_answer_counts_and_an_error_silence_or_a_server_that_failed_are_named(monkeypatch: Patch):
    for status in (200, 302, 401, 404):
        let_the_hub(monkeypatch, 0, status)
        assert hub.unreachable(0.2) is None
    for outcome, failure in (
        (0, "status 503"),
        (ConnectionError("Name not known.\nTry again."), "Name not known. Try again"),
        (TimeoutError(), "TimeoutError"),
        (60.0, "nothing within 0 s"),
    ):
        let_the_hub(monkeypatch, outcome, 503)
        assert hub.unreachable(0.2) == f"https://huggingface.co did not answer ({failure})"


def test_a_branch_must_be_named_as_one_and_a_commit_in_full():
    assert reference(COMMIT, "key") == COMMIT
    assert reference("refs/heads/main", "key") == "main"
    assert reference("refs/convert/parquet", "key") == "refs/convert/parquet"
    for vague in ("main", COMMIT[:7], COMMIT.upper(), "v1.0", ""):
        sentence = refusal(reference, vague, "key")
        assert sentence.startswith(f"key is '{vague}': write all 40 ") and " refs/heads/" in sentence


@pytest.mark.parametrize("repository", KINDS)
def test_a_usable_folder_is_used_without_the_network(repository: Repository, cache: Path, monkeypatch: Patch):
    folder = in_cache(cache, "weights.safe", of=repository)
    monkeypatch.setattr(hub, "unreachable", no_network)
    assert snapshot(repository, [["*"]]) == folder
    assert missing(repository, no_network) is None
    assert [usable(other) for other in KINDS if other != repository] == [None]


@pytest.mark.parametrize("name", ["weights.safetensors", "config.json"])
def test_a_file_in_the_cache_that_is_not_the_hubs_is_refused(name: str, cache: Path):
    kept = in_cache(cache, "weights.safetensors", "config.json")
    assert snapshot(REPOSITORY, []) == kept
    blob = (kept / name).resolve()
    blob.write_bytes(b"x" + blob.read_bytes()[1:])
    sentence = refusal(snapshot, REPOSITORY, [])
    said = (
        f"{name} of org/name at revision {COMMIT} is damaged in the hub's cache: delete {blob} and run again."
    )
    assert sentence == said


def test_what_is_not_whole_in_the_cache_with_the_hub_silent_is_one_sentence(cache: Path, monkeypatch: Patch):
    let_the_hub(monkeypatch, ConnectionError("no route to host"))
    silent = "https://huggingface.co did not answer (no route to host)"
    for state in ("is not", "lacks its weights"):
        place = f"org/name at revision {COMMIT} {state} in the hub's cache ({cache})"
        assert refusal(snapshot, REPOSITORY, [["*"]]) == f"{place} and cannot be fetched: {silent}; do this."
        assert missing(REPOSITORY, lambda: None) is None, "it can be fetched"
        if state == "is not":
            in_cache(cache, "config.json")


@pytest.mark.parametrize("repository", KINDS)
def test_old_weights_are_fetched_for_want_of_new(repository: Repository, tmp_path: Path, monkeypatch: Patch):
    published = {"weights.old"}
    asked: list[list[str]] = []

    def download(name: str, revision: str, repo_type: str = "model", **options: Any) -> str:
        assert (name, repo_type, revision) == ("org/name", repository.kind, COMMIT)
        if options.get("local_files_only"):
            raise LocalEntryNotFoundError("not cached")
        asked.append(options["allow_patterns"])
        for file in published:
            if any(Path(file).match(pattern) for pattern in options["allow_patterns"]):
                (tmp_path / file).touch()
        return str(tmp_path)

    def want() -> Path:
        return snapshot(repository, [["*.safe"], ["*.old"]])

    let_the_hub(monkeypatch, 0)
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
    assert refusal(want) == f"org/name at revision {COMMIT} lacks its weights; do this."


def test_a_refusal_of_the_hub_is_one_sentence(monkeypatch: Patch):
    def download(*_: object, **options: object) -> str:
        if options.get("local_files_only"):
            raise LocalEntryNotFoundError("not cached")
        raise PermissionError("401: the repository is gated.\nRequest ID: 17")

    let_the_hub(monkeypatch, 0)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    sentence = refusal(snapshot, REPOSITORY, [["*"]])
    assert sentence.endswith("fetched: 401: the repository is gated. Request ID: 17; do this.")


def test_a_branch_leads_to_the_commit_that_the_cache_knows(cache: Path):
    folder = in_cache(cache, "weights.safe")
    branch = replace(REPOSITORY, revision="main")
    assert usable(branch) == folder
    (cache / "models--org--name" / "refs" / "main").unlink()
    assert usable(branch) is None, "nothing says which commit the branch is at"


def test_a_link_to_a_download_that_was_broken_off_is_not_used(cache: Path):
    folder = in_cache(cache, "weights.safe")
    lose(folder / "weights.safe", broken_off=True)
    assert cached(REPOSITORY) == folder
    assert usable(REPOSITORY) is None
    assert "lacks its weights" in str(missing(REPOSITORY, lambda: "the hub is off"))


def test_what_was_never_asked_for_may_be_missing_in_the_cache(cache: Path, monkeypatch: Patch):
    folder = in_cache(cache, "weights.safe")

    def download(*_: object, **__: object) -> str:
        raise IncompleteSnapshotError("weights.old is not there", str(folder))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert usable(REPOSITORY) == folder


def test_the_hub_says_which_commit_a_branch_is_at(monkeypatch: Patch):
    asked = []

    def repo_info(self: object, name: str, **options: object) -> SimpleNamespace:
        asked.append((name, options["revision"], options["repo_type"]))
        if options["revision"] == "none":
            raise LookupError("404: no such revision.")
        return SimpleNamespace(sha=COMMIT)

    monkeypatch.setattr(huggingface_hub.HfApi, "repo_info", repo_info)
    assert commit(REPOSITORY) == COMMIT
    assert asked == []
    assert commit(replace(REPOSITORY, revision="main", kind="dataset")) == COMMIT
    assert asked == [("org/name", "main", "dataset")]
    sentence = refusal(commit, replace(REPOSITORY, revision="none"))
    assert sentence == "org/name has no revision none: 404: no such revision; do this."
