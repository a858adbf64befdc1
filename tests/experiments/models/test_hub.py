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
from pipeline.errors import UserError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


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
    """Lay out a repository in the cache with empty files, and return their folder."""
    folder = cache / f"{of.kind}s--org--name" / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).touch()
    return folder


@pytest.mark.parametrize(
    ("outcome", "status", "failure"),
    [
        (0, 200, None),
        (0, 302, None),
        (0, 401, None),
        (0, 404, None),
        (0, 503, "status 503"),
        (ConnectionError("Name not known.\nTry again."), 0, "Name not known. Try again"),
        (TimeoutError(), 0, "TimeoutError"),
        (60.0, 0, "nothing within 0 s"),
    ],
)
def test_any_answer_counts_and_an_error_silence_or_a_server_that_failed_are_named(
    outcome: float | Exception, status: int, failure: str | None, monkeypatch: Patch
):
    let_the_hub(monkeypatch, outcome, status)
    expected = failure and f"https://huggingface.co did not answer ({failure})"
    assert hub.unreachable(0.2) == expected


def test_a_branch_must_be_named_as_one_and_a_commit_in_full():
    assert reference(COMMIT, "key") == COMMIT
    assert reference("refs/heads/main", "key") == "main"
    assert reference("refs/convert/parquet", "key") == "refs/convert/parquet"
    for vague in ("main", COMMIT[:7], COMMIT.upper(), "v1.0", ""):
        with pytest.raises(UserError, match=r"^key is '.*': write all 40 .* refs/heads/"):
            reference(vague, "key")


@pytest.mark.parametrize("repository", KINDS)
def test_a_usable_folder_in_the_cache_is_used_without_the_network(
    repository: Repository, cache: Path, monkeypatch: Patch
):
    folder = in_cache(cache, "weights.safe", of=repository)
    monkeypatch.setattr(hub, "unreachable", no_network)
    assert snapshot(repository, [["*"]]) == folder
    assert missing(repository, no_network) is None
    assert [usable(other) for other in KINDS if other != repository] == [None]


@pytest.mark.parametrize("files", [(), ("config.json",)])
def test_what_is_not_whole_in_the_cache_of_an_unreachable_hub_is_one_sentence(
    files: tuple[str, ...], cache: Path, monkeypatch: Patch
):
    state = "is not"
    if files:
        in_cache(cache, *files)
        state = "lacks its weights"
    let_the_hub(monkeypatch, ConnectionError("no route to host"))
    with pytest.raises(UserError) as caught:
        snapshot(REPOSITORY, [["*"]])
    assert str(caught.value) == (
        f"org/name at revision {COMMIT} {state} in the hub's cache ({cache}) and cannot be fetched: "
        "https://huggingface.co did not answer (no route to host); do this."
    )
    assert missing(REPOSITORY, lambda: None) is None, "it can be fetched"


@pytest.mark.parametrize("repository", KINDS)
def test_old_weights_are_fetched_only_where_there_are_no_new_ones_and_data_sets_as_such(
    repository: Repository, tmp_path: Path, monkeypatch: Patch
):
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
    with pytest.raises(UserError, match=r"org/name at revision \w+ lacks its weights; do this\."):
        want()


def test_a_refusal_of_the_hub_is_one_sentence(monkeypatch: Patch):
    def download(*_: object, **options: object) -> str:
        if options.get("local_files_only"):
            raise LocalEntryNotFoundError("not cached")
        raise PermissionError("401: the repository is gated.\nRequest ID: 17")

    let_the_hub(monkeypatch, 0)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    with pytest.raises(UserError, match=r"fetched: 401: the repository is gated. Request ID: 17; do this\.$"):
        snapshot(REPOSITORY, [["*"]])


def test_a_branch_leads_to_the_commit_that_the_cache_knows(cache: Path):
    folder = in_cache(cache, "weights.safe")
    branch = replace(REPOSITORY, revision="main")
    assert usable(branch) is None  # nothing says which commit the branch is at
    refs = cache / "models--org--name" / "refs"
    refs.mkdir()
    (refs / "main").write_text(COMMIT)
    assert usable(branch) == folder


def test_a_link_to_a_download_that_was_broken_off_is_not_used(cache: Path):
    folder = in_cache(cache)
    blobs = cache / "models--org--name" / "blobs"
    blobs.mkdir()
    (blobs / "ab12.incomplete").write_bytes(b"half of it")
    (folder / "weights.safe").symlink_to(blobs / "ab12")
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
    with pytest.raises(UserError, match=r"^org/name has no revision none: 404: no such revision; do this\.$"):
        commit(replace(REPOSITORY, revision="none"))
