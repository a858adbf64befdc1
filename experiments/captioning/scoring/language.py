"""What can be measured of captions by the language and the script that they are written in."""

from collections.abc import Callable, Sequence
from functools import cache

import regex

from experiments.captioning.scoring.words import JOINER
from experiments.results.generate import CaptionedRecord, Generated

ENGLISH = "en"
SCRIPTS = ("Latin", "Han", "Hiragana", "Katakana", "Hangul", "Thai", "Lao", "Khmer", "Myanmar", "Cyrillic",
           "Greek", "Arabic", "Hebrew", "Devanagari", "Bengali", "Tamil", "Telugu", "Tibetan")  # fmt: skip
_EXPECTED = {
    "en": {"Latin"},
    "zh": {"Han"},
    "ja": {"Hiragana", "Katakana", "Han"},
    "ko": {"Hangul", "Han"},
}
"""The scripts of the languages that are told from others by them."""
_UNPARTED = {"Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan"}
"""Scripts without blanks between words, which only a dictionary knows."""
_FEW = 0.1
"""The share of letters below which a script is that of names and foreign words."""


def scripts(texts: Sequence[str]) -> dict[str, float]:
    """Return the share of the letters of texts that is written in each of `SCRIPTS`, if it is any."""
    text = "".join(texts)
    letters = max(len(regex.findall(r"\p{L}", text)), 1)
    counts = {name: len(regex.findall(rf"(?V1)[\p{{Script={name}}}&&\p{{L}}]", text)) for name in SCRIPTS}
    return {name: count / letters for name, count in counts.items() if count}


def fits(language: str, texts: Sequence[str]) -> bool:
    """Tell whether texts are in the script of a language, where that is known and they have letters."""
    expected, found = _EXPECTED.get(language), scripts(texts)
    if expected is None or not any(regex.search(r"\p{L}", text) for text in texts):
        return True
    return sum(found.get(name, 0.0) for name in expected) >= 0.5


def is_english(language: str, texts: Sequence[str]) -> bool:
    """Tell whether texts are to be judged by English words: said to be English, and not in another script."""
    return language == ENGLISH and fits(language, texts)


def unparted(language: str, texts: Sequence[str]) -> tuple[str, ...]:
    """Return the scripts of texts whose words cannot be told from each other here; none if they can."""
    if tokeniser(language) is not None:
        return ()
    return tuple(name for name, share in scripts(texts).items() if name in _UNPARTED and share >= _FEW)


@cache
def tokeniser(language: str) -> Callable[[str], str] | None:
    """Return sacrebleu's tokeniser of Japanese or Korean where its packages are installed, else None."""
    try:
        if language == "ja":
            from sacrebleu.tokenizers.tokenizer_ja_mecab import TokenizerJaMecab

            return TokenizerJaMecab()
        if language == "ko":
            from sacrebleu.tokenizers.tokenizer_ko_mecab import TokenizerKoMecab

            return TokenizerKoMecab()
    except (ImportError, RuntimeError):  # what sacrebleu raises without a package, or its dictionary
        return None
    return None


def spaced(generated: Generated, language: str) -> Generated:
    """Return captions whose words `words` knows, by a tokeniser of the language where there is one.

    All else, and captions in other languages, is as it was.
    """
    part = tokeniser(language)
    if part is None:
        return generated

    def apart(text: str) -> str:
        return " ".join(JOINER.join(word) for word in part(text).split())

    def of(record: CaptionedRecord) -> CaptionedRecord:
        texts = {
            "before": apart(record.before),
            "after": apart(record.after),
            "references": tuple(map(apart, record.references)),
            "label": record.label and apart(record.label),
        }
        return record.model_copy(update=texts)

    return generated.model_copy(
        update={
            "records": tuple(map(of, generated.records)),
            "classes": tuple(map(apart, generated.classes)),
            "tuning_captions": tuple(map(apart, generated.tuning_captions)),
        }
    )


def expected_texts(generated: Generated) -> list[str]:
    """Return the texts that people wrote: by these the language is judged, whatever a model writes."""
    return [text for record in generated.records for text in record.references]
