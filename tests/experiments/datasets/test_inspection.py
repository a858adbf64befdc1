from dataclasses import replace

import numpy as np

from experiments.classification.evaluation import predictions_of, score
from experiments.config.data_sets import DataSetsConfig, NamedData
from experiments.config.images import GeneratedConfig
from experiments.config.photos import GeneratedPhotos
from experiments.datasets.generated import generate
from experiments.datasets.generated_photos import generate_photos
from experiments.datasets.images import ClassifiedImages
from experiments.datasets.inspection import data_sets, repeated, shared
from experiments.datasets.photos import CaptionedPhotos, Photo, pictures_of
from experiments.datasets.pictures import Pictures
from experiments.results.data_sets import DataSets
from tests.support.contexts import context
from tests.support.imports import HEAVY, imported_at_once

SECTION = GeneratedConfig(kind="generated", seed=0, train=40, test=20, size=8)
IMAGES = generate(SECTION)
PHOTOS = generate_photos(GeneratedPhotos(kind="generated", seed=1, tuning=8, evaluation=6, size=8))
NAMES = DataSetsConfig(
    images=NamedData(kind="generated", name="shapes"), photos=NamedData(kind="folder", name="holiday")
)


def inspected(images: ClassifiedImages = IMAGES, photos: CaptionedPhotos = PHOTOS) -> DataSets:
    def manifest(name: str) -> tuple[str, int] | None:
        return ("0" * 64, 6) if name == "photos" else None

    lent = context(images=lambda: images, photos=lambda: photos, manifest=manifest)
    return data_sets(NAMES, {}, lent)


def test_data_sets_without_overlap_are_counted_and_a_users_own_known_by_the_hash_of_their_manifest() -> None:
    found = inspected()
    assert (found.train_images, found.test_images, found.evaluation_captions) == (40, 20, 12)
    assert (len(found.tuning_names), len(found.evaluation_names)) == (8, 6)
    assert found.photos_source == PHOTOS.source
    assert found.labels == tuple(IMAGES.test_labels)
    scores = score(predictions_of([np.full((20, 4), 0.25)]), IMAGES.test_labels, IMAGES.classes)
    assert found.labels_sha256 == scores["labels_sha256"], "classifiers give another"
    overlaps = (found.shared_images, found.shared_photos, found.repeated_tuning_photos)
    assert overlaps == (0, 0, 0)
    assert found.photos and found.images
    assert (found.photos.name, found.photos.sha256, found.photos.files) == ("holiday", "0" * 64, 6)
    assert (found.images.kind, found.images.sha256, found.images.files) == ("generated", None, None)
    assert DataSets.model_validate_json(found.model_dump_json()) == found


def test_a_half_that_a_profile_leaves_out_is_neither_loaded_nor_has_anything_to_count() -> None:
    one = context(photos=lambda: PHOTOS, manifest=lambda name: None)
    found = data_sets(NAMES.model_copy(update={"images": None}), {}, one)
    assert (found.images, found.classes, found.labels, found.test_images) == (None, (), (), 0)
    assert len(found.evaluation_names) == 6
    other = context(images=lambda: IMAGES, manifest=lambda name: None)
    found = data_sets(NAMES.model_copy(update={"photos": None}), {}, other)
    assert (found.photos, found.evaluation_names, found.shared_photos) == (None, (), 0)
    assert found.test_images == 20


def test_training_images_among_the_test_images_are_found_wherever_they_stand() -> None:
    planted = IMAGES.test_images.copy()
    planted[[2, 9, 17]] = IMAGES.train_images[[31, 0, 31]]
    assert inspected(images=replace(IMAGES, test_images=planted)).shared_images == 3
    planted[2, 7, 7, 2] ^= 1
    assert inspected(images=replace(IMAGES, test_images=planted)).shared_images == 2, "one value differs"


def test_photos_on_both_sides_and_photos_under_two_names_are_found() -> None:
    one, *others = PHOTOS.evaluation
    twin = replace(PHOTOS.tuning[0], name="a twin")
    photos = replace(
        PHOTOS,
        tuning=(*PHOTOS.tuning, twin),
        evaluation=(replace(one, picture=PHOTOS.tuning[3].pixels), *others, replace(others[0], name="again")),
    )
    found = inspected(photos=photos)
    assert (found.shared_photos, found.repeated_tuning_photos, found.repeated_evaluation_photos) == (1, 1, 1)


def test_a_tuning_caption_among_the_references_is_found_whatever_its_capitals_and_full_stop() -> None:
    one, *others = PHOTOS.evaluation
    known = PHOTOS.tuning[0].references[0]
    evaluation = (replace(one, references=(f"{known.upper()} .", "something else")), *others)
    before = inspected().shared_references
    tuned = {text for photo in PHOTOS.tuning for text in photo.references}
    own = sum(text in tuned for text in one.references)
    assert inspected(photos=replace(PHOTOS, evaluation=evaluation)).shared_references == before - own + 1


def test_photos_of_other_shapes_with_the_same_bytes_are_others() -> None:
    wide, tall = np.zeros((2, 8, 3), dtype=np.uint8), np.zeros((4, 4, 3), dtype=np.uint8)

    def pictures(*pixels: np.ndarray) -> Pictures:
        return pictures_of([Photo("photo", 0, each, ("text",), None) for each in pixels])

    assert shared(pictures(wide), pictures(tall)) == 0
    assert shared(pictures(wide, wide), pictures(wide, tall)) == 2
    assert repeated(pictures(wide, tall, wide, wide)) == 2


def test_the_inspection_imports_neither_torch_nor_scipy() -> None:
    reached = {name.partition(".")[0] for name in imported_at_once("experiments.datasets.inspection")}
    assert not reached & HEAVY


def test_what_lies_in_the_validation_part_is_counted_and_captioned_photos_there_are_named() -> None:
    kept = generate(SECTION.model_copy(update={"validation": 10}))
    assert (inspected(images=kept).train_images, inspected(images=kept).validation_images) == (30, 10)
    assert inspected(images=kept).shared_validation == 0
    planted = kept.validation_images.copy()
    planted[4], planted[6] = kept.train_images[7], kept.test_images[3]
    planted[1], planted[8] = PHOTOS.tuning[5].pixels, PHOTOS.evaluation[2].pixels
    found = inspected(images=replace(kept, validation_images=planted))
    assert (found.shared_validation, found.shared_images) == (1, 1)
    assert found.tuning_in_validation == (PHOTOS.tuning[5].name,)
    assert found.evaluation_in_validation == (PHOTOS.evaluation[2].name,)
