from experiments.datasets.problems import few_of_each_kind, refuse
from tests.support.refusals import refusal

EMPTY = [f"c:{line}: the caption of '{line}.jpg' is empty; write one." for line in range(2, 5002)]
COPIES = [f"The images 'a{number}' and 'b' and \"it's\" are the same." for number in range(2)]


def test_thousands_of_one_kind_are_told_by_the_first_few_and_their_number():
    assert few_of_each_kind([*EMPTY, *COPIES, "Alone."]) == [
        *EMPTY[:3], "And 4,997 more of the same kind.", *COPIES, "Alone."
    ]  # fmt: skip


def test_one_line_tells_of_every_kind_before_it_tells_more_of_one():
    assert refusal(refuse, [*EMPTY, *COPIES, "Alone."]) == " ".join(
        [*EMPTY[:2], *COPIES, "Alone.", "And 4,998 more."]
    )


def test_nothing_wrong_is_nothing_refused():
    refuse([])
