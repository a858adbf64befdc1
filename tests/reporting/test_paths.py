"""What can be cited of a result: each path that is listed leads to the very value that it is listed with."""

import pytest

from experiments.statistics.intervals import wilson
from pipeline.result import Estimate, Result
from reporting.numbers import Numbers
from reporting.paths import leaves

HOSTILE = ('#read(" quarto.yml") $x$', "a]b", "back\\slash", "1", "0", "plain", "with space", "-3")


class Told(Result):
    """A result with a figure for each class."""

    classes: tuple[str, ...]
    per_class: tuple[Estimate, ...]

    def headline(self) -> dict[str, float]:
        return {}


@pytest.mark.parametrize("classes", [HOSTILE, tuple(reversed(HOSTILE)), ("2", "1", "0")])
def test_a_class_of_any_name_is_listed_by_a_path_that_leads_to_it(classes: tuple[str, ...]) -> None:
    estimates = tuple(wilson(at, 10) for at in range(len(classes)))
    result = Told(classes=classes, per_class=estimates)
    listed = [(path, value) for path, value in leaves(result, "cnn") if "per_class" in path]
    assert len(listed) == len(classes)
    numbers = Numbers({}, {"cnn": result})
    assert [numbers.at(path) for path, _ in listed] == [value for _, value in listed] == [*estimates]
