"""Captions outside English and Latin script, by examples worked by hand."""

import unicodedata
from typing import Any

import numpy as np
import pytest

from experiments.captioning.ablations import ablations
from experiments.captioning.compare import sides
from experiments.captioning.scoring import language
from experiments.captioning.scoring.health import cut_off, rambles, repeats
from experiments.captioning.scoring.measures import kinds
from experiments.captioning.scoring.metrics import bleu, bleu_counts, rouge_l, sentence_score
from experiments.captioning.scoring.words import words
from experiments.config.comparison import AblationsConfig
from experiments.preflight.language import findings_of_language
from experiments.results.ablations import Variant
from experiments.results.generate import CaptionedRecord, Generated
from experiments.results.variants import Variants
from pipeline.result import Attachment
from tests.support.contexts import SILENT
from tests.support.results import aligned

HINDI = "एक कुत्ता घास के मैदान में दौड़ता है।"
CHINESE = "一只棕色的狗在草地上奔跑。"
JAPANESE = "茶色の犬が芝生を走っている。"
THAI = "สุนัขสีน้ำตาลวิ่งบนสนามหญ้า"
FRENCH = "Un éléphant brun court près de la forêt."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HINDI, ["एक", "कुत्ता", "घास", "के", "मैदान", "में", "दौड़ता", "है"]),
        ("一只狗。", ["一", "只", "狗"]),
        ("a 3.5 m boat, don't!", ["a", "3", "5", "m", "boat", "don't"]),
        ("cafe\u0301", ["caf\u00e9"]),
        ("Кот спит", ["кот", "спит"]),
        ("الكلبُ يجري", ["الكلبُ", "يجري"]),
        ("iPhone在桌上", ["iphone", "在", "桌", "上"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("the 90's, foo_bar", ["the", "90's", "foo", "bar"]),
    ],
)
def test_words_are_those_of_the_script(text: str, expected: list[str]) -> None:
    assert list(words(text)) == [unicodedata.normalize("NFC", word) for word in expected]


def test_an_accent_is_the_same_letter_composed_or_not() -> None:
    apart = unicodedata.normalize("NFD", FRENCH)
    assert apart != FRENCH
    assert bleu(bleu_counts([apart], [[FRENCH]])) == pytest.approx(100)
    assert rouge_l(apart, [FRENCH]) == sentence_score(apart, [FRENCH]) == pytest.approx(100)


def test_chinese_bleu_is_sacrebleus_own_over_characters() -> None:
    from sacrebleu.metrics.bleu import BLEU

    written, references = "一只狗在草地上奔跑", [["一只棕色的狗在草地上奔跑"]]
    expected = BLEU(tokenize="zh").corpus_score([written], references).score
    assert bleu(bleu_counts([written], references)) == pytest.approx(expected)
    assert 0 < expected < 100


def generated(before: str, after: str, reference: str) -> Generated:
    record = CaptionedRecord(
        name="x", index=0, label="dog", references=(reference, reference), before=before, after=after,
        before_ended=True, after_ended=True, picture=Attachment(file="x.png", sha256="0" * 64),
    )  # fmt: skip
    return Generated(
        source=(), classes=("dog",), tuning_captions=(reference,), records=(record,) * 2, max_new_tokens=9,
        beams=1, seconds=1.0,
    )  # fmt: skip


def measured(text: str, code: str = "en") -> set[str]:
    found = generated(text, text, text)
    for side in sides(found, code):
        for kind in kinds(found, code):
            assert np.isfinite(kind.measure(side)(np.arange(2)))
    return {kind.key for kind in kinds(found, code)}


@pytest.mark.parametrize("text", [THAI, JAPANESE])
def test_what_counts_words_is_left_out_where_they_cannot_be_told_apart(text: str) -> None:
    assert measured(text) == {"chrf", "ended", "cut_off", "rambles"}
    (judged, _) = sides(generated(text, text, text))[0].judged
    assert (judged.score, judged.right_class, judged.repeats) == (pytest.approx(100), None, False)


def test_a_tokeniser_of_the_language_tells_japanese_words_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    tokeniser: Any = lambda code: (lambda text: text.replace("犬", " 犬 ")) if code == "ja" else None  # noqa: E731
    monkeypatch.setattr(language, "tokeniser", tokeniser)
    parted = language.spaced(generated(JAPANESE, JAPANESE, JAPANESE), "ja")
    assert words(parted.records[0].before) == ("茶色の", "犬", "が芝生を走っている")
    assert language.unparted("ja", [JAPANESE]) == ()
    assert {"bleu", "distance"} <= {kind.key for kind in kinds(parted, "ja")}


def test_ways_of_tuning_are_measured_in_the_captions_language(monkeypatch: pytest.MonkeyPatch) -> None:
    def base(text: str, code: str) -> Variant:
        inputs = {
            "align": aligned(),
            "generate": generated(text, text, text),
            "variants": Variants(variants=(), seconds=1.0),
        }
        return ablations(AblationsConfig(seed=0, resamples=100, language=code), inputs, SILENT).variants[0]

    english = base("a red dog", "en")
    assert english.right_colour and english.right_colour.value == 1 and english.length.value == 3
    french = base("une orange et un dog", "fr")
    assert french.right_colour is None and french.right_class and french.right_class.value == 1
    assert base(JAPANESE, "ja").right_class is None
    tokeniser: Any = lambda code: (lambda text: text.replace("犬", " 犬 ")) if code == "ja" else None  # noqa: E731
    monkeypatch.setattr(language, "tokeniser", tokeniser)
    assert base(JAPANESE, "ja").length.value == 3


def test_english_words_tell_only_of_english() -> None:
    orange = "une orange sur la table"
    assert "right_colour" in measured("a red cat on a mat", "en")
    assert "right_colour" not in measured(orange, "fr")
    assert "right_colour" not in measured(HINDI)
    assert cut_off("que voit on", ended=True) and not cut_off("que voit on", ended=True, english=False)
    three = "la mère de la fille de la voisine"
    assert repeats(three) and not repeats(three, english=False)
    assert repeats("un chien un chien", english=False) and repeats("chien chien chien", english=False)
    assert not repeats("慢慢走", english=False)
    assert rambles("狗在跑。猫在睡。") and not rambles(CHINESE) and not rambles(HINDI)


@pytest.mark.parametrize(
    ("code", "text", "remarks", "problems"),
    [
        ("en", "a brown dog", 0, 0),
        ("fr", FRENCH, 0, 0),
        ("hi", HINDI, 0, 0),
        ("zh", CHINESE, 0, 0),
        ("en", HINDI, 1, 0),
        ("zh", "a brown dog", 0, 1),
        ("th", THAI, 1, 0),
        ("ja", JAPANESE, 1, 0),
        ("en", JAPANESE, 2, 0),
        ("en", "", 0, 0),
    ],
)
def test_check_holds_the_script_against_the_language(
    code: str, text: str, remarks: int, problems: int
) -> None:
    found = findings_of_language(code, [text])
    assert (len(found.remarks), len(found.problems)) == (remarks, problems)


OTHERS = {
    "Amharic": "\u12cd\u123b \u1260\u1233\u122d \u120b\u12ed \u12ed\u122e\u1323\u120d",
    "Georgian": "\u10eb\u10d0\u10e6\u10da\u10d8 \u10d3\u10d0\u10e0\u10d1\u10d8\u10e1",
    "Malayalam": "\u0d28\u0d3e\u0d2f \u0d2a\u0d41\u0d32\u0d4d\u0d32\u0d3f\u0d7d",
    "Armenian with a foreign word": "\u0577\u0578\u0582\u0576\u0568 \u0567 GPT",
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_script_that_is_in_no_list_is_not_judged_by_english_words(name: str) -> None:
    text = OTHERS[name]
    assert not language.is_english("en", [text])
    (remark,) = findings_of_language("en", [text]).remarks
    assert "the captions are written in another script" in remark
    assert findings_of_language("zh", [text]).problems
    assert not findings_of_language("am", [text]).remarks


def test_captions_without_a_letter_are_in_any_language() -> None:
    for code in ("en", "zh", "am"):
        assert language.fits(code, ["1 2 3", "\U0001f415"])
