"""Property tests draw the same examples in every run: a failure is the code's, and anybody sees it again.

`pytest --hypothesis-profile explore` looks further: other examples each time, and twenty times as many.
"""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=2000, deadline=None)
settings.load_profile("repeatable")
