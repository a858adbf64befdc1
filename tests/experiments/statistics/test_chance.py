from experiments.statistics.chance import chance


def test_guessing_is_naming_the_most_frequent_class() -> None:
    assert chance([5, 5, 5, 5]) == 0.25
    assert chance([7, 3]) == 0.7
