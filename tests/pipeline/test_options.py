"""A TOML file that cannot be read is one sentence that names it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import RootModel

from pipeline import options
from pipeline.frozen import Frozen
from tests.support.refusals import refusal


class Model(Frozen):
    number: int = 1


def linked(path: Path) -> None:
    path.symlink_to("/proc/self/mem")


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: path.write_text(f"number = {'[' * 5_000}"), "is nested too deep to be read: mend it"),
        (lambda path: path.write_text(f"number = {'[' * 400}{']' * 400}"), "is nested too deep to be read"),
        (lambda path: path.write_text(".".join("n" * 3_000) + " = 1"), "is nested too deep to be read"),
        (lambda path: path.write_text(f"[{'.'.join('n' * 300)}]\nx = 1"), "is nested too deep to be read"),
        (lambda path: path.write_text("number = {" * 3_000), "is nested too deep to be read"),
        (Path.mkdir, "cannot be read (Is a directory): allow it, or mend it."),
        (linked, "cannot be read (Input/output error)"),
        (lambda path: None, "cannot be read (No such file or directory)"),
        (lambda path: path.write_bytes(b"\xff"), "is not valid TOML"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_short_sentence(
    tmp_path: Path, write: Callable[[Path], object], said: str
) -> None:
    write(tmp_path / "mine.toml")
    sentence = refusal(options.read, tmp_path / "mine.toml", Model)
    assert f"{tmp_path.name}/mine.toml {said}" in sentence
    assert len(sentence) < 200 + len(str(tmp_path))


def test_a_byte_order_mark_before_a_profile_is_none_of_its_text(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("\ufeffnumber = 2\n", encoding="utf-8")
    assert options.read(path, Model).number == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[en]\nnumber = 1\nnumbr = 2", "en.numbr is not a known key; allowed here: number."),
        ('[en]\nnumber = "one"', 'en.number is "one"; '),
        ("en = 3", "en is 3; "),
    ],
)
def test_where_keys_are_the_files_own_a_wrong_one_below_them_is_told_with_those_allowed(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)
    assert f"x.toml: {said}" in refusal(options.read, path, RootModel[dict[str, Model]])
