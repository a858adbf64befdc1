"""Whether captions are in the language that the profile says, and what can be measured of them."""

from collections.abc import Sequence

from experiments.captioning.scoring.language import ENGLISH, fits, scripts, unparted
from experiments.preflight.findings import Findings


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
