"""The figures that a result is compared on, in words: a new one beside the older one."""

from collections.abc import Mapping


def figure(value: float) -> str:
    """Print a figure: a count as it is, anything else with four decimals."""
    return f"{value:d}" if isinstance(value, int) else f"{value:.4f}"


def beside(old: Mapping[str, float] | None, new: Mapping[str, float]) -> str:
    """Print new figures, each after the older one if there is one: ``top1 0.9201 -> 0.9188, photos 50``."""
    older = old or {}
    return ", ".join(
        f"{name} {figure(older[name])} -> {figure(value)}" if name in older else f"{name} {figure(value)}"
        for name, value in new.items()
    )
