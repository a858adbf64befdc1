"""The profile section on how captions are written."""

from experiments.frozen import Frozen
from experiments.sections.fields import Positive


class GenerationSection(Frozen):
    """Beam search with `beams` beams (1 is greedy); a caption is cut off after `max_new_tokens` tokens."""

    max_new_tokens: Positive
    beams: Positive
