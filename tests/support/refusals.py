"""What is said where something is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.errors import UserError


def refusal(call: Callable[..., object], *arguments: Any, **options: Any) -> str:
    """Return the one line with which this call is refused."""
    with pytest.raises(UserError) as refused:
        call(*arguments, **options)
    sentence = str(refused.value)
    assert len(sentence.splitlines()) == 1, sentence
    return sentence
