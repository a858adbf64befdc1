import threading
import time
from types import SimpleNamespace

import pytest

from experiments.datasets import hub
from experiments.datasets.hub import no_answer


def answering(monkeypatch: pytest.MonkeyPatch, status: int) -> list[tuple[str, float]]:
    asked: list[tuple[str, float]] = []

    def head(address: str, timeout: float) -> SimpleNamespace:
        asked.append((address, timeout))
        return SimpleNamespace(status_code=status)

    monkeypatch.setattr("huggingface_hub.get_session", lambda: SimpleNamespace(head=head))
    return asked


@pytest.mark.parametrize("status", [200, 302, 401, 404])
def test_any_answer_of_the_server_is_an_answer(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    asked = answering(monkeypatch, status)
    assert no_answer("https://hub.example/x") is None
    assert asked == [("https://hub.example/x", hub.PATIENCE / 2)]


def test_a_server_that_failed_has_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, 503)
    assert no_answer("https://hub.example/x") == "status 503"


@pytest.mark.parametrize(
    ("error", "said"),
    [(OSError("no route\nto host"), "no route to host"), (TimeoutError(), "TimeoutError")],
)
def test_a_lost_connection_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def head(address: str, timeout: float) -> None:
        raise error

    monkeypatch.setattr("huggingface_hub.get_session", lambda: SimpleNamespace(head=head))
    assert no_answer("https://hub.example/x") == said


def test_a_lookup_that_knows_no_limit_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def head(address: str, timeout: float) -> None:
        release.wait(30)
        raise OSError("too late")

    monkeypatch.setattr("huggingface_hub.get_session", lambda: SimpleNamespace(head=head))
    monkeypatch.setattr(hub, "PATIENCE", 0.2)
    start = time.perf_counter()
    assert no_answer("https://hub.example/x") == "nothing within 0 s"
    assert time.perf_counter() - start < 5
    release.set()
