"""What pages say of themselves, such as "Table", in the languages of `labels.toml`."""

import datetime
from collections.abc import Mapping
from pathlib import Path

from pydantic import RootModel

from pipeline import options
from pipeline.frozen import Frozen


class Labels(Frozen):
    """The words of one language; the months start with January."""

    figure: str
    table: str
    section: str
    page: str
    on_this_page: str
    contents: str
    formats: str
    pages: str
    skip: str
    callouts: Mapping[str, str]
    date: str
    months: tuple[str, ...]

    def called(self, kind: str) -> str:
        """Return what a table (`tbl`), a figure (`fig`) or a section (`sec`) is called in a reference."""
        return {"tbl": self.table, "fig": self.figure, "sec": self.section}[kind]

    def day(self, date: datetime.date) -> str:
        """Return a date with the name of its month, as Quarto's `date-format: long` shows it."""
        return self.date.format(month=self.months[date.month - 1], day=date.day, year=date.year)


class Languages(RootModel[dict[str, Labels]]):
    """The words of each language."""


LABELS: Mapping[str, Labels] = options.read(Path(__file__).with_name("labels.toml"), Languages).root
"""By language, without its region."""


def labels_of(lang: str) -> Labels:
    """Return the words of a language such as `en-GB`."""
    return LABELS[lang.partition("-")[0]]
