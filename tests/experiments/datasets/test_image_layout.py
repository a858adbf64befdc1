import unicodedata
from collections.abc import Sequence

import pytest

from experiments.datasets.image_layout import layout_of


def files(*places: str) -> list[str]:
    """Return two pictures in each of these folders."""
    return sorted(
        f"{place}/{number}.jpg" if place else f"{number}.jpg" for place in places for number in "12"
    )


PARTS = {
    "Train Test": ("Train", "Test"),
    "Training Testing": ("Training", "Testing"),
    "training_set test_set": ("training_set", "test_set"),
    "TRAIN VAL": ("TRAIN", "VAL"),
    "train valid": ("train", "valid"),
    "train dev": ("train", "dev"),
    "trainset testset": ("trainset", "testset"),
    "seg_train seg_test": ("seg_train", "seg_test"),
    "train2017 val2017": ("train2017", "val2017"),
    "Train images Test images": ("Train images", "Test images"),
    "Chinese": ("训练集", "测试集"),
    "Chinese, as in Taiwan": ("訓練資料", "驗證資料"),
    "Chinese of some kind": ("花卉_训练数据集", "花卉_测试数据集"),
    "Chinese with numbers": ("1.训练集 图片", "2.测试集 图片"),
    "Japanese": ("訓練用データ", "テスト用データ"),
    "Japanese, as macOS writes it": tuple(
        unicodedata.normalize("NFD", f"{part}データ") for part in ("学習", "評価")
    ),
    "Korean": ("훈련용 데이터", "테스트셋"),
    "German": ("Trainingsdaten", "Testdaten"),
    "Spanish": ("entrenamiento", "pruebas"),
    "French, as macOS writes it": (unicodedata.normalize("NFD", "entraînement"), "test"),
    "Portuguese": ("treinamento", "validação"),
    "Russian": ("обучающие снимки", "тестовые снимки"),
    "wide letters": ("ＴＲＡＩＮ", "ＴＥＳＴ"),
    "pets-training pets-evaluation": ("pets-training", "pets-evaluation"),
}


@pytest.mark.parametrize("case", PARTS)
def test_parts_are_known_by_their_names_in_any_case(case: str) -> None:
    train, test = PARTS[case]
    layout = layout_of(files(f"{train}/cat", f"{train}/dog", f"{test}/cat", f"{test}/dog"), "pets")
    assert list(layout.parts) == [f"{train}/", f"{test}/"]
    assert [list(classes) for classes in layout.parts.values()] == [["cat", "dog"], ["cat", "dog"]]
    assert layout.question == ""


TAKEN = {
    "an extra level of the same name": (("pets/cat", "pets/dog"), {"": ["cat", "dog"]}),
    "an extra level in another case": (("Pets/Train/a", "Pets/Train/b", "Pets/Test/a", "Pets/Test/b"), {
        "Pets/Train/": ["a", "b"], "Pets/Test/": ["a", "b"]
    }),
    "two extra levels": (("pets/pets/cat", "pets/pets/dog"), {"": ["cat", "dog"]}),
    "an extra level of another name round parts": (("archive/train/a", "archive/test/a"), {
        "archive/train/": ["a"], "archive/test/": ["a"]
    }),
    "an extra level in each part": (("seg_train/seg_train/a", "seg_test/seg_test/a"), {
        "seg_train/seg_train/": ["a"], "seg_test/seg_test/": ["a"]
    }),
    "a test and a validation part": (("train/a", "test/a", "val/a"), {"train/": ["a"], "test/": ["a"]}),
    "a flat test part beside a validation part": (("train/a", "valid/a", "test"), {
        "train/": ["a"], "valid/": ["a"]
    }),
    "a class that is a train": (("train", "bus", "car"), {"": ["bus", "car", "train"]}),
    "classes with a part's word in their names": (("train station", "bullet train", "test tube"), {
        "": ["bullet train", "test tube", "train station"]
    }),
    "classes with deeper folders": (("cat/siamese", "cat/persian", "dog/poodle", "dog"), {
        "": ["cat", "dog"]
    }),
    "classes with a part's word in Chinese in their names": (("测试仪", "训练场", "压力测试"), {
        "": ["压力测试", "测试仪", "训练场"]
    }),
    "each class with one folder in it": (("cat/images", "dog/images"), {"": ["cat", "dog"]}),
}  # fmt: skip


@pytest.mark.parametrize("case", TAKEN)
def test_what_can_be_read_in_one_way_alone_is_read_so(case: str) -> None:
    places, parts = TAKEN[case]
    layout = layout_of(files(*places), "pets")
    assert layout.question == ""
    assert {part: sorted(classes) for part, classes in layout.parts.items()} == parts


ASKED = {
    "flat parts": (("train", "test"), "('test', 'train'): put a folder for each class into"),
    "flat parts in Chinese": (("训练集", "测试集"), "('测试集', '训练集'): put a folder for each class into"),
    "flat parts in Japanese": (("訓練", "テスト"), "('テスト', '訓練'): put a folder for each class into"),
    "flat parts in Russian": (("обучение", "тест"), "('обучение', 'тест'): put a folder for each class into"),
    "flat parts of one name in Chinese": (
        ("花卉训练集", "花卉测试集"),
        "('花卉测试集', '花卉训练集'), not like",
    ),
    "a flat test part": (("train/cat", "train/dog", "Test"), "('Test', 'train'): put a folder"),
    "a validation and a test part": (("val/cat", "test/cat"), "look like parts of the data"),
    "a part alone among classes": (("cat", "dog", "test"), "('test'): put a folder"),
    "a part that holds the classes beside it": (("cat", "dog", "test/cat", "test/dog"), "('test'): put"),
    "two training parts": (("train/a", "Training/a", "test/a"), "look like parts of the data"),
    "a training part alone": (("train/cat", "train/dog"), "all images lie in the folder 'train'"),
    "an extra level of another name": (("archive/cat", "archive/dog"), "all images lie in the folder 'arch"),
    "parts of unknown names": (
        ("Uczenie/a", "Uczenie/b", "Sprawdzian/a", "Sprawdzian/b"),
        "'Sprawdzian' and 'Uczenie' hold folders of the same names ('a', 'b')",
    ),
    "folds": (("fold1/a", "fold1/b", "fold2/a", "fold2/b", "fold3/a"), "'fold1' and 'fold2' hold folders"),
    "parts in each class": (("cat/train", "cat/test", "dog/train", "dog/test"), "'cat' and 'dog' hold"),
    "pictures and masks": (("cat/images", "cat/masks", "dog/images", "dog/masks"), "'cat' and 'dog' hold"),
    "a copy of all": (("cat", "dog", "all/cat", "all/dog"), "'all' holds folders that are called like"),
    "flat parts of each class": (
        ("cats_train", "cats_test", "dogs_train", "dogs_test"),
        "parts of the same data ('cats_test', 'cats_train', 'dogs_test', …)",
    ),
    "flat parts of one name": (
        ("pets-Train", "pets-val"),
        "parts of the same data ('pets-Train', 'pets-val')",
    ),
    "flat parts of each class by other words": (
        ("cats_train", "cats_eval", "dogs_training", "dogs_validation"),
        "parts of the same data ('cats_eval', 'cats_train', 'dogs_training', …)",
    ),
    "a flat part held out": (("cat_train", "cat_holdout", "dog"), "data ('cat_holdout', 'cat_train')"),
    "flat parts of each class in capitals": (
        ("catsTraining", "catsEval"),
        "data ('catsEval', 'catsTraining')",
    ),
    "flat parts of each class in French": (
        ("chats_entraînement", "chats_test"),
        "parts of the same data ('chats_entraînement', 'chats_test')",
    ),
    "flat parts of each class in Spanish": (
        ("gatos_entrenamiento", "gatos_prueba"),
        "parts of the same data ('gatos_entrenamiento', 'gatos_prueba')",
    ),
    "flat parts of each class in German": (
        ("Hunde Trainingsdaten", "Hunde Testdaten"),
        "parts of the same data ('Hunde Testdaten', 'Hunde Trainingsdaten')",
    ),
    "flat parts of each class in Italian": (
        ("gatti_addestramento", "gatti_verifica"),
        "parts of the same data ('gatti_addestramento', 'gatti_verifica')",
    ),
    "flat parts of each class in Czech": (
        ("ko\u010dky_tr\u00e9nov\u00e1n\u00ed", "ko\u010dky_testov\u00e1n\u00ed"),
        "parts of the same data (",
    ),
    "flat parts in short words": (
        ("cats-trn", "cats-tst"),
        "parts of the same data ('cats-trn', 'cats-tst')",
    ),
    "flat parts in the plural": (("cats_trainval", "cats_tests"), "data ('cats_tests', 'cats_trainval')"),
    "what is asked and where it is sought": (
        ("gallery", "query"),
        "parts of the same data ('gallery', 'query')",
    ),
    "flat parts of each class in Russian": (
        ("кошки_обучение", "кошки_тест"),
        "parts of the same data ('кошки_обучение', 'кошки_тест')",
    ),
    "parts beside another folder": (
        ("data/train/a", "data/train/b", "data/test/a", "data/test/b", "docs"),
        "'data' holds parts of the data, and there are folders beside it",
    ),
    "parts of two domains": (
        ("trainA", "trainB", "testA", "testB"),
        "parts of the same data ('testA', 'testB',",
    ),
    "a part of a number": (("train1/a", "train2/a"), "look like parts of the data"),
}


@pytest.mark.parametrize("case", ASKED)
def test_what_can_be_read_in_two_ways_is_asked_about_in_one_sentence(case: str) -> None:
    places, sentence = ASKED[case]
    layout = layout_of(files(*places), "pets")
    assert sentence in layout.question
    assert layout.parts == {}


def test_pictures_beside_the_classes_change_nothing() -> None:
    def classes(*loose: str) -> Sequence[str]:
        return sorted(layout_of(files("cat", "dog", *loose), "pets").parts[""])

    assert classes("") == classes() == ["cat", "dog"]


def test_many_classes_are_told_in_no_time() -> None:
    layout = layout_of(files(*(f"class {number}" for number in range(2000))), "pets")
    assert len(layout.parts[""]) == 2000
