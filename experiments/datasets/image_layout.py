"""Which folders are classes and which are parts, such as train and test: by their names and what they hold.

Whoever takes parts for classes trains a network to tell the training set from the test set, with a splendid
accuracy; so what can be read in two ways is asked about.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

Classes = Mapping[str, Sequence[str]]
"""The pictures of each class, deeper folders included, by the name of its folder."""

_ROLES = {
    "train": re.compile(
        "train(ing|val)?s?(set|data|images?|imgs?)?|trainings(daten|satz|menge|bilder)|entrenamiento|entrainement"
        r"|apprentissage|treinamento|treino|addestramento|trenovani|koulutus|traning|egitim|oefenen"
        r"|обуч(ение|ающ\w+)|тренировочн\w+"
    ),
    "test": re.compile(
        "(tests?|testing|eval(uation)?|holdout)(set|data|images?|imgs?)?|test(daten|satz|menge|bilder)|pruebas?"
        "|teste[nr]?|prova|verifica|testovani|testi|toets"
        r"|тест(ов\w+)?"
    ),
    "validation": re.compile(
        "(val(id)?|validation|dev)(set|data|images?|imgs?)?|validierungs(daten|satz|menge|bilder)"
        r"|valida(cion|cao|zione)|валидаци\w+"
    ),
}
"""Words for parts, without accents, in the languages that part words by blanks."""
_FILLERS = {"set", "data", "dataset", "image", "images", "imgs", "split", "part"}
"""Words beside that of a part that mean nothing: `training_set`, `test images`."""
_UNSPACED = {
    "train": "训练|訓練|学習|훈련|학습",
    "test": "测试|測試|テスト|評価|테스트|평가",
    "validation": "验证|驗證|検証|검증",
}
"""The words for parts in Chinese, Japanese and Korean, which stand among others without blanks."""
_UNSPACED_FILLERS = (
    "용|셋|세트|데이터|이미지|用|的|集|数据|數據|資料|データ|セット|图片|图像|圖片|圖像|画像|样本|樣本"
)
_OTHERS = ("test", "tests", "testing", "eval", "evaluation", "val", "valid", "validation", "dev", "holdout")
_PAIRS = [
    *((train, part) for train in ("train", "training", "trainval") for part in _OTHERS),
    ("trn", "tst"),
    ("gallery", "query"),
    ("seen", "unseen"),
    *(
        (train, part)
        for train in _UNSPACED["train"].split("|")
        for role in ("test", "validation")
        for part in _UNSPACED[role].split("|")
    ),
]
"""The words for training, each with one for another part."""
_ROLES_UNSPACED = {
    role: re.compile(rf"(?P<other>\w*?)(?:{words})(?:{_UNSPACED_FILLERS})*")
    for role, words in _UNSPACED.items()
}


@dataclass(frozen=True)
class Layout:
    """The classes of each part by the part's path, first training, then test; of one, ``""``, if undivided.

    `places` are the folders that hold the classes' folders. `question` asks, in a phrase, what cannot be
    told; then there are no parts.
    """

    parts: Mapping[str, Classes]
    places: tuple[str, ...]
    question: str = ""


def layout_of(pictures: Sequence[str], name: str) -> Layout:
    """Find parts and classes among pictures, named by their paths in a folder that is called `name`."""
    place = _unwrapped(pictures, "", name)
    top = _folders(pictures, place)
    parts = _parts(place, top)
    if parts is not None:
        train, test = parts
        return Layout({part: _folders(pictures, part) for part in (train, test)}, (train[:-1], test[:-1]))
    question = _question(place, top)
    return Layout({} if question else {"": top}, (place[:-1],), question)


def _folders(pictures: Iterable[str], place: str) -> dict[str, list[str]]:
    """Return the pictures in each folder of a place, ``""`` or a path that ends in a slash, by its name."""
    found: dict[str, list[str]] = {}
    for file in pictures:
        if file.startswith(place):
            folder, slash, _ = file[len(place) :].partition("/")
            if slash:
                found.setdefault(folder, []).append(file)
    return found


def _unwrapped(pictures: Sequence[str], place: str, name: str) -> str:
    """Return where the folders are that say something: one alone in another of its name is a wrapping."""
    while True:
        folders = _folders(pictures, place)
        if len(folders) != 1 or _loose(pictures, place):
            return place
        (inner,) = folders
        below = f"{place}{inner}/"
        is_wrapping = _plain(inner) == _plain(name) or _parts(below, _folders(pictures, below))
        if not is_wrapping or not _folders(pictures, below):
            return place
        place, name = below, inner


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()


def _loose(pictures: Sequence[str], place: str) -> list[str]:
    """Return the pictures that stand in a place itself."""
    return [file for file in pictures if file.startswith(place) and "/" not in file[len(place) :]]


def _role(name: str) -> tuple[str, frozenset[str]] | None:
    """Return what a folder is by its name, and the other words in that; None if it names no part.

    So `seg_train` and `seg_test` belong together, and a `train_station` stands alone.
    """
    joined = re.sub(r"[\W_\d]", "", unicodedata.normalize("NFKC", name)).casefold()
    for role, pattern in _ROLES_UNSPACED.items():
        if match := pattern.fullmatch(joined):
            return role, frozenset({match["other"]} - {""})
    words = re.findall(r"[^\W\d_]+", _without_accents(name).casefold())
    for word in words:
        for role, pattern in _ROLES.items():
            if pattern.fullmatch(word):
                return role, frozenset(words) - {word} - _FILLERS
    return None


def _without_accents(name: str) -> str:
    apart = unicodedata.normalize("NFKD", name)
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _parts(place: str, top: Classes) -> tuple[str, str] | None:
    """Return the paths of the training and the test part, if there is one of each with folders for classes.

    A validation part is the test part where no other has classes.
    """
    by_role: dict[tuple[str, frozenset[str]], list[str]] = {}
    for name in top:
        if role := _role(name):
            part = _unwrapped(top[name], f"{place}{name}/", name)
            if _folders(top[name], part):
                by_role.setdefault(role, []).append(part)
    found = [
        (train, by_role.get(("test", other)) or by_role.get(("validation", other), []))
        for (role, other), train in by_role.items()
        if role == "train"
    ]
    match [pair for pair in found if pair[1]]:
        case [([train], [test])]:
            return train, test
        case _:
            return None


def _question(place: str, top: Classes) -> str:
    """Return what must be asked about folders that would be classes, nothing if they surely are."""
    inner = {name: {*_folders(files, f"{place}{name}/")} for name, files in top.items()}
    if len(top) == 1 and any(inner.values()):
        (name,) = top
        return (
            f"all images lie in the folder {place + name!r}: if the folders in that are the classes, let "
            "images.folder name it"
        )
    if question := _question_of_names(top):
        return question
    for name, files in top.items():
        below = f"{place}{name}/"
        if _parts(below, _folders(files, below)) is not None:
            return (
                f"{place + name!r} holds parts of the data, and there are folders beside it: let "
                "images.folder name it, or take away what is beside it"
            )
    for name, folders in inner.items():
        if len(shared := folders & {*top} - {name}) > 1:
            return (
                f"{name!r} holds folders that are called like those beside it ({_listed(shared)}): take it "
                "away, or put what is beside it into train/ and call it test"
            )
    several = sorted(name for name, folders in inner.items() if len(folders) > 1)
    for one, other in combinations(several, 2):
        if len(shared := inner[one] & inner[other]) > 1:
            return (
                f"{one!r} and {other!r} hold folders of the same names ({_listed(shared)}): if those are the "
                "classes, call the outer ones train and test; if not, take the pictures out of them"
            )
    return ""


def _question_of_names(top: Classes) -> str:
    """Return what must be asked where names are those of parts."""
    like_parts = [name for name in top if (role := _role(name)) and not role[1]]
    # A train is a thing that can be seen, the other parts hardly are.
    if len(like_parts) > 1 or any(_plain(name) != "train" for name in like_parts):
        return (
            f"folders look like parts of the data, not like classes ({_listed(like_parts)}): put a folder "
            "for each class into train/ and into test/, or let images.folder name the one that has such; a "
            "class that is called so needs another name"
        )
    if pairs := _divided(top):
        return (
            f"folders look like parts of the same data ({_listed(pairs)}), not like classes: put a folder "
            "for each class into train/ and into test/; classes that are called so need other names"
        )
    return ""


def _divided(names: Iterable[str]) -> set[str]:
    """Return the names that differ by the word for the part alone: `cats_train` and `cats_test`, `trainA`."""
    plain = {_plain(name): name for name in names}
    parts: dict[frozenset[str], dict[str, set[str]]] = {}
    for name in plain.values():
        if role := _role(name):
            parts.setdefault(role[1], {}).setdefault(role[0], set()).add(name)
    found = {name for roles in parts.values() if len(roles) > 1 for each in roles.values() for name in each}
    for name, shown in plain.items():
        for train, part in _PAIRS:
            other = plain.get(name.replace(train, part), shown)
            if other != shown:
                found |= {shown, other}
    return found


def _listed(names: Iterable[str]) -> str:
    shown = sorted(names)
    return ", ".join([*map(repr, shown[:3]), *(["…"] if len(shown) > 3 else [])])
