import numpy as np

from experiments.config.images import GeneratedConfig
from experiments.datasets.generated import generate

SECTION = GeneratedConfig(kind="generated", seed=3, train=40, test=20, size=16)


def test_the_same_seed_draws_the_same_images_and_another_draws_others() -> None:
    first, again = generate(SECTION), generate(SECTION)
    other = generate(SECTION.model_copy(update={"seed": 4}))
    np.testing.assert_array_equal(first.train_images, again.train_images)
    np.testing.assert_array_equal(first.test_labels, again.test_labels)
    assert not np.array_equal(first.train_images, other.train_images)


def test_classes_are_balanced_and_images_have_the_asked_shape() -> None:
    images = generate(SECTION)
    assert images.train_images.shape == (40, 16, 16, 3)
    assert images.test_images.dtype == np.uint8
    assert np.bincount(images.test_labels).tolist() == [5, 5, 5, 5]


def test_no_test_image_is_a_training_image() -> None:
    images = generate(SECTION)
    train = {image.tobytes() for image in images.train_images}
    assert not any(image.tobytes() in train for image in images.test_images)
