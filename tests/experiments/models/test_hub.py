import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest

from experiments.models import hub
from experiments.models.hub import (
    Repository,
    cached,
    commit,
    missing,
    reference,
    snapshot,
    unreachable,
    usable,
)
from pipeline.errors import UserError

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


REPOSITORY = Repository("org/name", COMMIT, lacks_weights, "do this")


def want() -> Path:
    return snapshot(REPOSITORY, [["*.safe"], ["*.old"]])


def test_any_answer_counts_and_an_error_or_silence_is_told(monkeypatch: pytest.MonkeyPatch):
    let_the_hub(monkeypatch, None)
    assert unreachable(0.2) is None
    let_the_hub(monkeypatch, ConnectionError("Name not known.\nand much more"))
    assert unreachable(0.2) == "https://huggingface.co did not answer (Name not known)"
    let_the_hub(monkeypatch, TimeoutError())
    assert unreachable(0.2) == "https://huggingface.co did not answer (TimeoutError)"
    let_the_hub(monkeypatch, 60.0)
    assert unreachable(0.2) == "https://huggingface.co did not answer (nothing within 0 s)"


@pytest.mark.parametrize(("status", "said"), [(302, None), (401, None), (404, None), (503, "status 503")])
def test_a_server_that_failed_has_not_answered_and_a_refusal_is_an_answer(
    monkeypatch: pytest.MonkeyPatch, status: int, said: str | None
):
    let_the_hub(monkeypatch, None, status)
    assert unreachable(0.2) == (said and f"https://huggingface.co did not answer ({said})")


def test_a_branch_must_be_named_as_one_and_a_commit_in_full():
    assert reference(COMMIT, "key") == COMMIT
    assert reference("refs/heads/main", "key") == "main"
    assert reference("refs/convert/parquet", "key") == "refs/convert/parquet"
    for vague in ("main", COMMIT[:7], COMMIT.upper(), "v1.0", ""):
        with pytest.raises(UserError, match=r"^key is '.*': write all 40 .* refs/heads/"):
            reference(vague, "key")


def test_a_usable_folder_in_the_cache_is_used_without_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    kept = cache(tmp_path, monkeypatch, "weights.safe")
    monkeypatch.setattr(hub, "unreachable", lambda: pytest.fail("the network was used"))
    assert want() == kept


def test_a_folder_in_the_cache_that_lacks_something_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    cache(tmp_path, monkeypatch, "config.json")
    let_the_hub(monkeypatch, ConnectionError("no route"))
    with pytest.raises(
        UserError, match=r"org/name at revision 0123\w+ lacks its weights in .* did not answer"
    ):
        want()


@pytest.mark.parametrize("outcome", [ConnectionError("no route to host"), 60.0])
def test_an_unreachable_hub_is_one_sentence_soon(
    outcome: float | Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "none"))
    monkeypatch.setattr(hub, "unreachable", lambda: unreachable(0.2))
    let_the_hub(monkeypatch, outcome)
    with pytest.raises(UserError) as caught:
        want()
    sentence = str(caught.value)
    assert all(part in sentence for part in ("org/name", COMMIT, str(tmp_path), "https://huggingface.co"))
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


def test_a_branch_leads_to_the_commit_that_the_cache_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    kept = cache(tmp_path, monkeypatch, "weights.safe")
    branch = replace(REPOSITORY, revision="main")
    assert usable(branch) is None  # nothing says which commit the branch is at
    refs = tmp_path / "models--org--name" / "refs"
    refs.mkdir()
    (refs / "main").write_text(COMMIT)
    assert usable(branch) == kept
    assert kept.name == COMMIT
    assert usable(replace(REPOSITORY, kind="dataset")) is None


@pytest.mark.parametrize("damage", ["a link to nowhere", "a file that is not whole"])
def test_a_damaged_cache_is_not_used(damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    kept = cache(tmp_path, monkeypatch)
    blobs = tmp_path / "models--org--name" / "blobs"
    blobs.mkdir()
    blob = blobs / ("ab12.incomplete" if "whole" in damage else "ab12")
    if "whole" in damage:
        blob.write_bytes(b"half of it")
    else:
        (kept / "weights.safe").symlink_to(blob)
    repository = replace(
        REPOSITORY, lacks=lambda folder: None if (folder / "weights.safe").is_file() else "its weights"
    )
    assert cached(repository) == kept
    assert usable(repository) is None
    assert "lacks its weights" in str(missing(repository, lambda: "the hub is off"))


def test_what_was_never_asked_for_may_be_missing_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    kept = cache(tmp_path, monkeypatch, "weights.safe")

    def download(*_: object, **__: object) -> str:
        raise huggingface_hub.errors.IncompleteSnapshotError("weights.old is not there", str(kept))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert usable(REPOSITORY) == kept


def test_nothing_is_missing_where_the_hub_answers_and_it_is_asked_only_if_need_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    kept = cache(tmp_path, monkeypatch)
    assert missing(REPOSITORY, lambda: None) is None
    (kept / "weights.safe").touch()
    assert missing(REPOSITORY, lambda: pytest.fail("the network was used")) is None


def test_a_name_that_no_repository_can_have_is_one_sentence():
    with pytest.raises(UserError, match=r"^'a/b/c' cannot name a repository on a hub: .*\.$"):
        missing(replace(REPOSITORY, name="a/b/c"), lambda: None)


def test_the_hub_says_which_commit_a_branch_is_at(monkeypatch: pytest.MonkeyPatch):
    asked = []

    def repo_info(self: object, name: str, **options: object) -> SimpleNamespace:
        asked.append((name, options["revision"], options["repo_type"]))
        return SimpleNamespace(sha=COMMIT)

    monkeypatch.setattr(huggingface_hub.HfApi, "repo_info", repo_info)
    assert commit(REPOSITORY) == COMMIT
    assert asked == []
    assert commit(replace(REPOSITORY, revision="main", kind="dataset")) == COMMIT
    assert asked == [("org/name", "main", "dataset")]


def test_a_branch_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch):
    def repo_info(*_: object, **__: object) -> None:
        raise LookupError("404: no such revision.\nRequest ID: 17")

    monkeypatch.setattr(huggingface_hub.HfApi, "repo_info", repo_info)
    with pytest.raises(UserError, match=r"^org/name has no revision none: 404: no such revision; do this\.$"):
        commit(replace(REPOSITORY, revision="none"))
