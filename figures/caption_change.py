"""What fine-tuning did to captions: to their agreement with the references, and to what they say."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.results.captions import Comparison, Measured
from experiments.results.evidence import Evidence
from figures.style import COLOURS, INK, QUIET, in_percent, legend, new_figure, shortened, styled, whiskers
from pipeline.result import Estimate
from reporting.caption_facts import Verdict, verdict
from reporting.numbers import measured

_TITLES = {"agreement": "agreement with the references", "grounding": "what the captions say of the photo"}
_NAMES = {
    "right_class": "names the right class",
    "wrong_class": "names a wrong class",
    "right_colour": "names a colour of the references",
    "wrong_colour": "names a colour of no reference",
}
_AFTER: dict[Verdict, dict[str, Any]] = {
    "better": {"marker": "o", "color": COLOURS["better"], "label": "after: better"},
    "worse": {"marker": "s", "color": COLOURS["worse"], "label": "after: worse"},
    "changed": {"marker": "o", "color": INK, "label": "after"},
    "unclear": {
        "marker": "D", "color": COLOURS["unclear"], "markerfacecolor": "none",
        "label": "after: not to be told from before",
    },
}  # fmt: skip
_BEFORE = {"marker": "o", "color": QUIET, "markerfacecolor": "none", "label": "before"}
_REFERENCE: dict[str, Any] = {
    "marker": "|", "markersize": 11, "color": INK, "linestyle": "none", "label": "a second reference"
}  # fmt: skip
_APART = 0.15
"""Before and after stand as far above and below the middle of their row."""


def draw(values: Mapping[str, Any]) -> Figure:
    """Draw a row per measure of both families, from before to after, each with its interval.

    Agreement is in units of what a second reference reaches, where all photos have one, and else of the
    largest value that is drawn of the measure; the figures stand beside each row.
    """
    captions: Comparison = values["captions"]
    evidence: Evidence = values["evidence"]
    families = {
        family: [each for each in captions.measures if each.family == family and _has_scale(each)]
        for family in _TITLES
    }
    families = {family: measures for family, measures in families.items() if measures}
    heights = [len(measures) + 0.3 for measures in families.values()]
    figure = new_figure(height=0.35 + 0.52 * len(families) + 0.31 * sum(heights))
    with styled():
        panels = figure.subplots(len(families), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axes, (family, measures) in zip(panels, families.items(), strict=True):
            _panel(axes, measures, [verdict(each, evidence) for each in measures])
            axes.set_title(_TITLES[family], loc="left", fontweight="bold")
            axes.set_xlabel("share of captions" if family == "grounding" else _scale_name(measures))
            if family == "agreement" and any(each.references is None for each in measures):
                axes.tick_params(axis="x", labelbottom=False)
        legend(figure, columns=2)
    return figure


def _has_scale(measure: Measured) -> bool:
    return measure.unit == "share" or _scale(measure) > 0


def _scale(measure: Measured) -> float:
    """Return the value of a measure that its row shows at its right end."""
    if measure.unit == "share":
        return 1.0
    return measure.references or 1.1 * max(measure.before.high, measure.after.high)


def _scale_name(measures: Sequence[Measured]) -> str:
    whole = all(measure.references for measure in measures)
    return "share of what a second reference reaches" if whole else "each on a scale of its own, from zero"


def _panel(axes: Axes, measures: Sequence[Measured], verdicts: Sequence[Verdict]) -> None:
    highest = 1.0
    for row, (measure, found) in enumerate(zip(measures, verdicts, strict=True)):
        scale, style = _scale(measure), _AFTER[found]
        ends = [estimate.value / scale for estimate in (measure.before, measure.after)]
        axes.plot(ends, [row - _APART, row + _APART], color=style["color"], linewidth=0.8, alpha=0.6)
        _point(axes, row - _APART, measure.before, scale, _BEFORE)
        _point(axes, row + _APART, measure.after, scale, style)
        highest = max(highest, measure.before.high / scale, measure.after.high / scale)
        if measure.unit == "share" and measure.references is not None:
            axes.plot(measure.references, row, **_REFERENCE)
        said = " → ".join(measured(each.value, measure.unit) for each in (measure.before, measure.after))
        axes.text(1.02, row, said, transform=axes.get_yaxis_transform(), va="center", fontsize=8)
    names = [_NAMES.get(measure.key, shortened(measure.name, 32)) for measure in measures]
    axes.set_yticks(range(len(measures)), names)
    axes.set_ylim(len(measures) - 0.45, -0.55)
    axes.set_xlim(-0.015, highest + 0.015)
    in_percent(axes.xaxis)
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)


def _point(axes: Axes, row: float, estimate: Estimate, scale: float, style: Mapping[str, Any]) -> None:
    errors = whiskers([estimate], scale)
    axes.errorbar(
        estimate.value / scale, row, xerr=errors, linewidth=1.2, markersize=5, linestyle="none", **style
    )
