"""`python -m reporting`: what can be cited, and which tests there are."""

import re

import pytest

from pipeline.errors import UserError
from reporting import __main__ as command_line
from tests.support.commands import python
from tests.support.copies import ROOT


def said(*arguments: str) -> str:
    done = python(ROOT, "-m", "reporting", *arguments, "--profile", "offline")
    assert done.returncode == 0, done.stderr
    return done.stdout.replace("\N{NO-BREAK SPACE}", " ")


def test_numbers_lists_what_can_be_cited_with_todays_values() -> None:
    assert re.search(r'(?m)^n\("cnn\.top1"\) +\d\d %$', said("numbers", "cnn.top1"))
    assert 'n("examples.0.after")' in said("numbers", "EXAMPLES.0")


def test_claims_lists_each_test_by_the_name_that_binds_to_it_with_its_verdict() -> None:
    lines = said("claims").splitlines()
    assert any(
        re.match(r"vit > cnn +(so|the opposite|cannot be told), [\d.]+ % against", line) for line in lines
    )
    assert len(lines) > 40


def test_a_terminal_that_knows_ascii_alone_gets_question_marks_for_the_rest() -> None:
    done = python(ROOT, "-m", "reporting", "claims", "--profile", "offline", PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and "?%" in done.stdout, done.stderr


def test_a_word_that_nothing_holds_is_said_to_be_so() -> None:
    done = python(ROOT, "-m", "reporting", "numbers", "quux", "--profile", "offline")
    assert (done.returncode, done.stdout) == (2, "")
    assert "quux" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UserError("images.sha256 cannot be read."), "images.sha256 cannot be read."),
        (
            IsADirectoryError(21, "Is a directory", "x.toml"),
            "refuses to read or write x.toml (Is a directory)",
        ),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    error: Exception, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise error

    monkeypatch.setattr(command_line, "app", refuse)
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
