"""The profile's `[photos]`: which captioned photos a captioner is tuned and evaluated on."""

from typing import Annotated, Literal

from pydantic import Field

from experiments.config.fields import Place, Positive, Seed, Text
from pipeline.frozen import Frozen


class Cifar10Captions(Frozen):
    """Photos of CIFAR-10 with the captions in a CSV file, a path from the project's folder.

    Its training photos are for tuning, its test photos for evaluation.
    """

    kind: Literal["cifar10_captions"]
    captions: Place


class Flickr30k(Frozen):
    """The first photos of Flickr30k, streamed from a hub's parquet files.

    `repository` is a data set on the Hugging Face hub at a pinned `revision`, or a folder with such files, a
    path from the project's folder. Its first `tuning` photos,
    with the first caption of each, are for tuning; the next `evaluation` photos, with all captions of
    each, for evaluation.
    """

    kind: Literal["flickr30k"]
    repository: Place
    revision: Text
    split: Text
    tuning: Positive
    evaluation: Annotated[int, Field(ge=2, le=1_000_000)]


class PhotoFolder(Frozen):
    """Captioned photos of your own: a folder with pictures and a file with their captions.

    Both are paths from the project's folder. `captions` is a table whose first line names the columns of
    images and captions (CSV or TSV: Flickr8k, ``metadata.csv``), Flickr8k's ``name.jpg#0<tab>caption``,
    Flickr30k's ``results.csv``, or JSON as COCO, Karpathy's splits or ``metadata.jsonl`` have it; its content
    tells which. Of what has both photo and captions, in an order drawn with `seed`, the first `tuning`, with
    the first caption of each, are for tuning, the next `evaluation`, with all captions of each, for
    evaluation; where the file tells splits, those of training and of testing.
    """

    kind: Literal["folder"]
    folder: Place
    captions: Place
    tuning: Positive
    evaluation: Annotated[int, Field(ge=2, le=1_000_000)]
    seed: Seed


class GeneratedPhotos(Frozen):
    """Coloured shapes with captions that follow from how they were drawn: for a run that takes seconds."""

    kind: Literal["generated"]
    seed: Seed
    tuning: Positive
    evaluation: Annotated[int, Field(ge=2, le=1_000_000)]
    size: Annotated[int, Field(ge=8, le=512)]


AnyPhotos = Cifar10Captions | Flickr30k | PhotoFolder | GeneratedPhotos
PhotosConfig = Annotated[AnyPhotos, Field(discriminator="kind")]
