"""What all tests share: examples that come again, and surroundings that choose no profile and no date.

Property tests draw the same examples in every run: a failure is the code's, and anybody sees it again.
`pytest --hypothesis-profile explore` looks further: other examples each time, and twenty times as many.
"""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=2000, deadline=None)
settings.load_profile("repeatable")

# A shell has what it starts in the background ignore Ctrl-C, and so would the programs that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def surroundings() -> Iterator[None]:
    """No profile is active but the default, and pages are dated alike, in programs that tests start too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("QUARTO_PROFILE", raising=False)
        patch.delenv("VIRTUAL_ENV", raising=False)  # of another environment, which IPython would warn of
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        yield
