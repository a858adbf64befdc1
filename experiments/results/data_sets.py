"""What the data sets hold, and what they hold twice."""

from experiments.results.source import Source
from pipeline.frozen import Frozen
from pipeline.result import Result


class DataSource(Frozen):
    """What kind of data a profile names, and by which name (never a path).

    For a user's own files, `sha256` is the hash of the manifest that stands beside the results, and `files`
    how many files it names; both are None for other data.
    """

    kind: str
    name: str
    sha256: str | None
    files: int | None


class DataSets(Result):
    """The labelled images and the captioned photos, with what of them overlaps.

    `images` and `photos` say what they are. `labels` holds the class index of every test image in test
    order, `labels_sha256` their hash, as in `Classification`. `shared_images` counts the test images that
    are pixel for pixel a training image. `photos_source` are the sources of photos and captions;
    `tuning_names` and `evaluation_names` are the names of the photos tuned and evaluated on.

    `shared_photos` counts the evaluation photos that are pixel for pixel a tuning photo,
    `repeated_tuning_photos` and `repeated_evaluation_photos` those that occur again under another name
    (all but the first of equals), `evaluation_captions` the captions of all evaluation photos, and
    `shared_references` those among them that are word for word a tuning caption.
    """

    images: DataSource
    photos: DataSource
    classes: tuple[str, ...]
    labels: tuple[int, ...]
    labels_sha256: str
    train_images: int
    test_images: int
    shared_images: int
    photos_source: tuple[Source, ...]
    tuning_names: tuple[str, ...]
    evaluation_names: tuple[str, ...]
    shared_photos: int
    repeated_tuning_photos: int
    repeated_evaluation_photos: int
    evaluation_captions: int
    shared_references: int

    def headline(self) -> dict[str, float]:
        """Return the figures that a fresh run is compared on, by name."""
        return {
            "shared images": self.shared_images,
            "shared photos": self.shared_photos,
            "shared captions": self.shared_references,
        }
