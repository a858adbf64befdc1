"""The engine: what is fresh, what runs, and what is kept of it."""

import time

STARTED = time.time_ns()
"""When this package was imported, before nearly all else of the project: a file that was written since may be
another than the one that Python has read."""
