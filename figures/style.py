"""How every figure looks and is saved."""

import io
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import PercentFormatter

from figures.readable import readable
from pipeline.files import write_if_other
from pipeline.result import Estimate

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


@contextmanager
def styled() -> Iterator[None]:
    """Lend a context in which axes are added and drawn on, and no `matplotlibrc` of a user's counts."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def shortened(name: str, most: int) -> str:
    """Return a name as it can be drawn, on one line of `most` characters: a longer one loses its middle."""
    name = readable(" ".join(name.split()))
    if len(name) <= most:
        return name
    start = (most - 1) * 2 // 3
    return f"{name[:start].rstrip()}…{name[len(name) - (most - 1 - start) :].lstrip()}"


def whiskers(estimates: Sequence[Estimate], scale: float = 1) -> list[list[float]]:
    """Return how far intervals reach below and above their values, as error bars take it.

    A value that was altered by hand can lie outside of its interval: it is shown, with a remark that says so.
    """
    return [
        [max(each.value - each.low, 0) / scale for each in estimates],
        [max(each.high - each.value, 0) / scale for each in estimates],
    ]


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


def save(figure: Figure, path: Path) -> str:
    """Save a figure as an SVG whose bytes depend on the figure alone; one that is there already stays.

    Letters that the style's font lacks are drawn in another font of this machine; of those that none has,
    which come out as boxes, all are returned.
    """
    content = io.BytesIO()
    with styled(), warnings.catch_warnings():
        without_font = _give_fonts(figure)
        warnings.filterwarnings("ignore", "Glyph .* missing")  # whoever draws says so, once for all figures
        figure.savefig(content, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    write_if_other(path, content.getvalue())
    return without_font


def _give_fonts(figure: Figure) -> str:
    """Let each text of a figure be set in fonts that have its letters; return those that no font has."""
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    wanted = {letter for text in texts for letter in text.get_text() if _is_seen(letter)}
    lacking = "".join(sorted(letter for letter in wanted if not _has(_own_font(), letter)))
    names, without_font = fonts_with(lacking)
    for text in texts:
        if set(text.get_text()) & set(lacking):
            text.set_fontfamily([*text.get_fontfamily(), *names])
    return without_font


def _is_seen(letter: str) -> bool:
    return unicodedata.category(letter) not in {"Cc", "Cf", "Zl", "Zp", "Zs"}


def _own_font() -> str:
    return font_manager.findfont(_STYLE["font.family"])


@cache
def fonts_with(letters: str) -> tuple[tuple[str, ...], str]:
    """Return fonts of this machine that have these letters between them, and the letters that none has."""
    found: list[str] = []
    plain = [
        font for font in font_manager.fontManager.ttflist if (font.style, font.weight) == ("normal", 400)
    ]
    for font in sorted(plain, key=lambda font: (not font.name.startswith("Noto Sans"), font.name)):
        if not letters:
            break
        left = "".join(letter for letter in letters if not _has(font.fname, letter))
        if left != letters and "LastResort" not in font.name.replace(" ", ""):  # which has boxes for all
            found.append(font.name)
            letters = left
    return tuple(found), letters


def _has(file: str, letter: str) -> bool:
    return font_manager.get_font(file).get_char_index(ord(letter)) != 0
