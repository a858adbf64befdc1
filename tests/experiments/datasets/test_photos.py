import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from experiments.datasets.photos import Photo, draw_others, rest
from experiments.datasets.pictures import Pictures


def photo(pixels: np.ndarray) -> Photo:
    return Photo(name="photo", index=0, picture=pixels, references=("text",), label=None)


def pool(values: list[int]) -> np.ndarray:
    """Images of 2 x 2 pixels that differ in the last byte only, so that equal values are copies."""
    images = np.zeros((len(values), 2, 2, 3), dtype=np.uint8)
    images[:, -1, -1, -1] = values
    return images


def pictures(images: np.ndarray) -> Pictures:
    return Pictures(images.__getitem__, len(images))


# Few values, so that the pool holds copies and photos are often found in it.
VALUES = st.lists(st.integers(0, 12), max_size=40)


@given(VALUES, VALUES, st.integers(0, 50), st.integers(0, 2**32))
def test_what_is_drawn_is_never_excluded_sorted_without_repeats_of_the_right_count_and_repeatable(
    images: list[int], excluded: list[int], count: int, seed: int
) -> None:
    photos, pictured = [photo(pixels) for pixels in pool(excluded)], pictures(pool(images))
    allowed = [position for position, value in enumerate(images) if value not in excluded]
    positions, drawn = rest(pictured, photos), draw_others(pictured, photos, count, seed)
    assert positions.tolist() == allowed
    assert set(drawn.tolist()) <= set(allowed)
    assert drawn.tolist() == sorted(set(drawn.tolist()))
    assert len(drawn) == min(count, len(allowed))
    assert drawn.dtype == positions.dtype == np.int64
    np.testing.assert_array_equal(drawn, draw_others(pictured, photos, count, seed))


def test_another_seed_draws_other_images() -> None:
    images = pictures(pool(list(range(200))))
    assert draw_others(images, [], 20, seed=0).tolist() != draw_others(images, [], 20, seed=1).tolist()


def test_the_same_bytes_in_another_shape_are_another_image() -> None:
    images = np.zeros((1, 2, 8, 3), dtype=np.uint8)
    assert rest(pictures(images), [photo(np.zeros((4, 4, 3), dtype=np.uint8))]).tolist() == [0]


def test_a_photo_that_is_a_view_with_gaps_is_still_recognised() -> None:
    wide = np.random.default_rng(0).integers(0, 256, (1, 4, 8, 3), dtype=np.uint8)
    images = wide[:, :, ::2]
    assert rest(pictures(images), [photo(images[0].copy())]).tolist() == []
    assert rest(pictures(images.copy()), [photo(images[0])]).tolist() == []
