"""How every figure looks and is saved."""

import io
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from figures.readable import readable
from pipeline.files import write_if_other

PAGE_WIDTH = 6.3
"""Width of the text on an A4 page in inches, so that a figure's letters print at their stated size."""

INK, QUIET, FAINT = "#1f2328", "#59636e", "#d5dae0"
"""The colours of the page's text, of what stands back, and of lines."""

COLOURS = {
    "zero_shot": "#1b5e9b",
    "vit": "#d0651b",
    "cnn": "#4aa37c",
    "base": "#7d848c",
    "lora": "#5b2a86",
    "full": "#c2473a",
    "better": "#1b6fb2",
    "worse": "#c8501e",
    "unclear": "#7d848c",
}
"""One colour per classifier, per kind of tuning and per verdict, the same in every figure.

Who cannot tell red from green tells them apart, and so does grey, or else a figure gives each a mark of its
own.
"""

MARKS = {"zero_shot": "o", "vit": "s", "cnn": "D", "base": "D", "lora": "o", "full": "s"}
"""One mark each where there are points."""

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
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.facecolor": "none",
    "figure.facecolor": "none",  # the page shows through: in the dark, a stylesheet turns light into dark
    "grid.color": FAINT,
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
    """Return a name as it can be drawn, on one line of `most` characters: a longer one loses its middle."""
    name = readable(" ".join(name.split()))
    if len(name) <= most:
        return name
    start = (most - 1) * 2 // 3
    return f"{name[:start].rstrip()}…{name[len(name) - (most - 1 - start) :].lstrip()}"


def in_percent(axis: Axis) -> None:
    """Mark an axis of shares in percent, as the page writes them."""
    axis.set_major_formatter(PercentFormatter(1, decimals=0, symbol="\N{NO-BREAK SPACE}%"))


def legend(figure: Figure, columns: int) -> None:
    """Say above a figure what its marks mean, each once."""
    parts = [axes.get_legend_handles_labels() for axes in figure.axes]
    marks = {name: mark for handles, names in parts for mark, name in zip(handles, names, strict=True)}
    if marks:
        figure.legend(
            list(marks.values()), list(marks), loc="outside upper left", ncols=columns, frameon=False
        )


def new_figure(height: float) -> Figure:
    """Return an empty figure of the page's width and `height` inches, laid out without overlaps."""
    with styled():
        return Figure(figsize=(PAGE_WIDTH, height), layout="constrained")


def save(figure: Figure, path: Path) -> None:
    """Save a figure as an SVG whose bytes depend on the figure alone; one that is there already stays."""
    content = io.BytesIO()
    with styled():
        figure.savefig(content, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    write_if_other(path, content.getvalue())
