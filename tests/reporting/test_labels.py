"""The words of `labels.toml` are read strictly: what is wrong with them is one sentence."""

from pathlib import Path

import pytest

from pipeline import options
from reporting.labels import LABELS, Languages
from tests.support.copies import ROOT
from tests.support.refusals import refusal

OWN = (ROOT / "reporting" / "labels.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'figure = "Figure"',
            'figure = "Figure"\nfigur = "F"',
            "en.figur is not a known key; allowed here: ",
        ),
        ('figure = "Figure"', "figure = 3", "en.figure is 3; input should be a valid string"),
        ('figure = "Figure"', 'figure = " "', "en.figure is "),
        (LABELS["en"].date, "{month.x} {day}", "a date is written of {month}, {day} and {year} alone"),
        (LABELS["en"].date, "{month[x]} {day}", "a date is written of"),
        (LABELS["en"].date, "{day:>99999999999}", "a date is written of"),
        (LABELS["en"].date, "{day} {", "a date is written of"),
        ("[en]", "[xx]", "/labels.toml: there is no section [en]"),
    ],
)
def test_what_is_wrong_with_the_labels_is_one_sentence(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in OWN
    file = tmp_path / "labels.toml"
    file.write_text(OWN.replace(old, new), encoding="utf-8")
    sentence = refusal(options.read, file, Languages)
    assert said in sentence
    assert len(sentence.splitlines()) == 1
