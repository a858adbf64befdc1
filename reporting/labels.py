"""What pages say of themselves, such as "Table", in the languages of `labels.toml`."""

import datetime
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, RootModel, StringConstraints, field_validator, model_validator

from pipeline import options
from pipeline.frozen import Frozen

Word = Annotated[str, StringConstraints(pattern=r"\S")]


class Callouts(Frozen):
    """What each kind of callout is called."""

    note: Word
    tip: Word
    important: Word
    warning: Word
    caution: Word


class Labels(Frozen):
    """The words of one language; the months start with January."""

    figure: Word
    table: Word
    section: Word
    page: Word
    on_this_page: Word
    contents: Word
    formats: Word
    pages: Word
    skip: Word
    callouts: Callouts
    date: Word
    months: tuple[Word, ...] = Field(min_length=12, max_length=12)

    @field_validator("date")
    @classmethod
    def _is_filled(cls, date: str) -> str:
        if not re.fullmatch(r"(?:[^{}]|\{(?:month|day|year)\})*", date):
            raise ValueError("a date is written of {month}, {day} and {year} alone")
        return date

    def called(self, kind: str) -> str:
        """Return what a table (`tbl`), a figure (`fig`) or a section (`sec`) is called in a reference."""
        return {"tbl": self.table, "fig": self.figure, "sec": self.section}[kind]

    def day(self, date: datetime.date) -> str:
        """Return a date with the name of its month, as Quarto's `date-format: long` shows it."""
        return self.date.format(month=self.months[date.month - 1], day=date.day, year=date.year)


class Languages(RootModel[dict[str, Labels]]):
    """The words of each language; of English there must be some."""

    @model_validator(mode="after")
    def _has_english(self) -> Self:
        if "en" not in self.root:
            raise ValueError("there is no section [en]")
        return self


LABELS: Mapping[str, Labels] = options.read(Path(__file__).with_name("labels.toml"), Languages).root
"""By language, without its region."""


def labels_of(lang: str) -> Labels:
    """Return the words of a language such as `en-GB`."""
    return LABELS[lang.partition("-")[0]]
