"""Whether a caption names the right class, and the words by which it may."""

import re
from collections.abc import Iterable, Iterator

from experiments.captioning.scoring.words import ngrams, words

NOUNS: dict[str, tuple[str, ...]] = {
    "airplane": ("aeroplane", "plane", "aircraft", "jet", "airliner", "jetliner", "biplane", "seaplane"),
    "automobile": ("car", "sedan", "convertible", "hatchback", "coupe", "limousine", "suv", "jeep",
                   "minivan"),
    "bird": ("chick", "chicken", "crow", "duck", "eagle", "emu", "finch", "goose", "geese", "hawk", "hen",
             "heron", "hummingbird", "ostrich", "owl", "parrot", "peacock", "pelican", "penguin", "pigeon",
             "robin", "rooster", "seagull", "songbird", "sparrow", "swan", "turkey", "woodpecker"),
    "cat": ("kitten", "kitty", "kitties", "tomcat", "tabby", "tabbies", "feline"),
    "deer": ("stag", "fawn", "elk", "moose", "reindeer", "caribou"),
    "dog": ("doggy", "doggies", "puppy", "puppies", "pup", "hound", "poodle", "terrier", "spaniel",
            "retriever", "bulldog", "dachshund", "chihuahua", "beagle", "dalmatian", "collie", "canine"),
    "frog": ("toad", "bullfrog", "treefrog"),
    "horse": ("pony", "ponies", "foal", "mare", "stallion", "colt"),
    "ship": ("boat", "vessel", "ferry", "ferries", "yacht", "sailboat", "motorboat", "speedboat", "steamship",
             "warship", "freighter", "tugboat"),
    "truck": ("lorry", "lorries", "firetruck"),
}  # fmt: skip
"""Other words for the classes of CIFAR-10, beside each class's own name.

A word stands here if everyday English uses it for the class and hardly for anything else: synonyms, the
young, and kinds. Left out are words of two trades, such as *crane*, *tanker*, *van* or *liner*,
and *doe*, whose plural is a verb."""


_OR = re.compile(r"\s*[,;/]\s*|\s+-\s+")
"""What stands between two names of one class: "tench, Tinca tinca", "T-shirt/top", "7 - seven"."""
_JOINT = re.compile(r"(?<=[a-z])(?=[A-Z])")


def names_class(caption: str, label: str) -> bool:
    """Tell whether `caption` names the class `label`: by its name, another word for it, or a plural.

    Whole words count: "car" is not in "carpet", but "car" is in "car-shaped". A label that is none of
    CIFAR-10's classes counts by its own name alone; one that gives several names counts by each, and one such
    as "AnnualCrop" as two words too.
    """
    tokens = [word.removesuffix("'s").removesuffix("’s") for word in words(caption)]
    return any(form in ngrams(tokens, len(form)) for form in _forms(label))


def misnames_class(caption: str, label: str, labels: Iterable[str]) -> bool:
    """Tell whether `caption` names a class of `labels` that `label` is not, and not `label` itself.

    A caption of a horse that also mentions a dog is not held to be wrong.
    """
    others = (other for other in labels if other != label)
    return not names_class(caption, label) and any(names_class(caption, other) for other in others)


def _forms(label: str) -> set[tuple[str, ...]]:
    """Return the word sequences that name a class, in the singular and the regular plural."""
    names = map(words, _names(label))
    return {(*name[:-1], last) for name in names if name for last in (name[-1], _plural(name[-1]))}


def _names(label: str) -> Iterator[str]:
    yield label
    yield _JOINT.sub(" ", label)
    yield from NOUNS.get(label.lower(), ())
    # A single letter is no name: "a" would stand in every caption.
    yield from (name for name in _OR.split(label) if len(name) > 1 or name.isdigit())


def _plural(noun: str) -> str:
    return noun + ("es" if noun.endswith(("s", "x", "z", "ch", "sh")) else "s")
