"""How every figure looks and is saved."""

import io
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.figure import Figure

from pipeline.files import write_if_other

PAGE_WIDTH = 6.3
"""Width of the text on an A4 page in inches, so that a figure's letters print at their stated size."""

COLOURS = {
    "zero_shot": "#3b6ea5",
    "vit": "#c8702a",
    "cnn": "#4f8a4c",
    "base": "#555555",
    "lora": "#7a4f9a",
    "full": "#b03a3a",
}
"""One colour per classifier and per kind of tuning, the same in every figure; told apart in grey as well."""

_OTHER_SCRIPTS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Source Han Sans SC", "WenQuanYi Zen Hei",
    "Droid Sans Fallback", "PingFang SC", "Hiragino Sans", "Apple SD Gothic Neo", "Microsoft YaHei",
    "Malgun Gothic", "Noto Sans Thai", "Noto Sans Devanagari", "Nirmala UI", "Arial Unicode MS",
)  # fmt: skip
"""Fonts for letters that matplotlib's own font lacks, of which any machine has some or none."""

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "svg.hashsalt": "figures",  # otherwise the identifiers in an SVG differ from run to run
}


def styled() -> AbstractContextManager[None]:
    """Return the context in which axes are added and drawn on."""
    there = {font.name for font in font_manager.fontManager.ttflist}
    fonts: Any = [_STYLE["font.family"], *(name for name in _OTHER_SCRIPTS if name in there)]
    return mpl.rc_context({**_STYLE, "font.family": fonts})


def shortened(name: str, most: int) -> str:
    """Return a name on one line, in `most` characters at most: a longer one loses its middle."""
    name = " ".join(name.split())
    if len(name) <= most:
        return name
    start = (most - 1) * 2 // 3
    return f"{name[:start].rstrip()}…{name[len(name) - (most - 1 - start) :].lstrip()}"


def new_figure(height: float) -> Figure:
    """Return an empty figure of the page's width and `height` inches, laid out without overlaps."""
    with styled():
        return Figure(figsize=(PAGE_WIDTH, height), layout="constrained")


def save(figure: Figure, path: Path) -> None:
    """Save a figure as an SVG whose bytes depend on the figure alone; one that is there already stays."""
    content = io.BytesIO()
    with styled():
        figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    write_if_other(path, content.getvalue())
