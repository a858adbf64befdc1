"""In which order a classifier's classes and mistakes come: one order for what is tested and what is said."""

from experiments.results.classification import Classification


def by_accuracy(result: Classification, *, lowest: bool) -> list[int]:
    """Return the classes by rising accuracy if the `lowest` comes first, else by falling."""
    sign = 1 if lowest else -1
    return sorted(range(len(result.classes)), key=lambda at: sign * result.per_class[at].value)


def mistakes(result: Classification) -> list[tuple[int, int]]:
    """Return every pair of a true and another, predicted class by falling number of images."""
    classes = range(len(result.classes))
    pairs = [(true, called) for true in classes for called in classes if true != called]
    return sorted(pairs, key=lambda pair: -result.confusion[pair[0]][pair[1]])
