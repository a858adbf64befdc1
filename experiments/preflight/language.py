"""Whether captions are in the language that the profile says, and what can be measured of them."""

from collections.abc import Sequence

from experiments.captioning.scoring.language import ENGLISH, fits, scripts, unparted
from experiments.captioning.scoring.words import words
from experiments.preflight.findings import Findings

_SHOWN = 40
"""Characters of a caption that a sentence shows."""


def findings_of_language(language: str, captions: Sequence[str]) -> Findings:
    """Hold the script of captions against their language, and say if words cannot be told from each other."""
    shares = scripts(captions)
    known = sum(shares.values()) >= 0.5
    script = max(shares, key=lambda name: shares[name]) if known else "another script"
    remarks, problems = [], []
    if not fits(language, captions):
        sentence = (
            f"captions.language is {language!r}, but the captions are written in {script}: set it to their "
            "language, such as 'zh' or 'hi'."
        )
        # Unsaid, it is English, whose words then judge nothing.
        (remarks if language == ENGLISH else problems).append(sentence)
    if names := unparted(language, captions):
        japanese = {"Hiragana", "Katakana"} & {*names}
        remedy = "set captions.language = 'ja' and install sacrebleu[ja]" if japanese else "nothing here can"
        remarks.append(
            f"Captions in {' and '.join(names)} have no blanks between words, and their words cannot be told "
            f"apart ({remedy}): BLEU-4, CIDEr-D, ROUGE-L and all else that counts words are left out."
        )
    return Findings(remarks=tuple(remarks), problems=tuple(problems))


def findings_of_words(captions: Sequence[str]) -> Findings:
    """Count the captions that have no word: signs and emoji alone, which every measure passes over."""
    without = [caption for caption in captions if not words(caption)]
    if not without:
        return Findings()
    if len(without) == len(captions):
        return Findings(
            problems=(
                f"No caption has a word (the first is {_short(without[0])!r}), so that BLEU-4, CIDEr-D, "
                "ROUGE-L and all else that counts words would be 0: write captions in words.",
            )
        )
    remark = (
        f"Captions without a word: {len(without):,} of {len(captions):,}, such as {_short(without[0])!r}; "
        "nothing that is written scores against them."
    )
    return Findings(remarks=(remark,))


def _short(caption: str) -> str:
    return caption if len(caption) <= _SHOWN else f"{caption[:_SHOWN]}…"
