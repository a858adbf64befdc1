import re
from dataclasses import replace

import pytest

from experiments.audit.assets import assets
from experiments.audit.run import there
from experiments.classification.bridge import ABOUT
from experiments.datasets.cifar10 import SOURCE as CIFAR10
from experiments.models import lite0
from experiments.results.data_sets import DataSource
from experiments.results.source import Source
from tests.support import audit_worlds as worlds
from tests.support.audit_worlds import assignment, offline, own


def test_the_offline_run_rests_on_packages_with_pinned_hashes() -> None:
    found = [*assets(offline()).values()]
    assert [asset.kind for asset in found] == ["data", "text", *["weights"] * 4]
    for name in (CIFAR10.name, *(source.name for source in there(offline().align).weights)):
        (asset,) = (asset for asset in found if asset.source.name == name)
        assert re.fullmatch("[0-9a-f]{64}", asset.source.sha256 or ""), name
        assert asset.source.revision
        assert asset.source.licence


def test_what_several_stages_use_is_one_asset_and_all_of_them_are_named() -> None:
    found = {asset.source: asset for asset in assets(offline()).values()}
    assert found[lite0.SOURCE].stages == ("align", "zero_shot")
    assert found[CIFAR10].stages == ("zero_shot", "vit", "cnn", "align", "lora", "generate")
    assert set(ABOUT.weights) < set(found)


def test_the_assignments_run_rests_on_hubs_whose_hashes_nothing_pins() -> None:
    images, photos, captioner, clip = assets(assignment()).values()
    assert images.source == CIFAR10
    assert (captioner.source.revision or "").startswith("dc68f91c06a1")
    assert captioner.source.licence == "apache-2.0"
    assert (photos.source.name.partition(",")[0], photos.source.revision) == ("lmms-lab/flickr30k", "main")
    assert photos.source.licence == "Flickr30k's own terms: research and education"
    assert clip.source == worlds.CLIP_B32
    assert captioner.hashed is photos.hashed is clip.hashed is None


def test_a_copy_of_published_weights_is_told_by_its_hash() -> None:
    run = assignment()
    copy = worlds.CLIP_B32.model_copy(update={"sha256": "ab" * 32})
    found = assets(replace(run, zero_shot=there(run.zero_shot).model_copy(update={"weights": (copy,)})))
    assert [*found.values()][-1].hashed == "the file"


def test_a_run_on_generated_data_with_random_weights_rests_on_nothing() -> None:
    assert assets(worlds.nothing_from_outside()) == {}


def test_a_users_own_data_are_assets_by_their_folders_name_and_the_manifest_of_their_files() -> None:
    for asset, folder, sha256, files in zip(
        assets(own()).values(),
        (
            "labelled images of the folder CIFAR-10",
            "photos of the folder flickr30k, captions from captions.csv",
        ),
        ("ab" * 32, "cd" * 32),
        ("60,000", "110"),
        strict=False,
    ):
        assert (asset.source.name, asset.source.sha256) == (folder, sha256)
        assert asset.hashed == f"the manifest of {files} files"
        assert asset.source.licence == "the user's own, not declared"


Named = tuple[str, str, int | None]
"""Kind and name of data, and the number of a user's own files."""
DRAWN = ("generated", "drawn shapes", None)


@pytest.mark.parametrize(
    ("images", "photos", "sources", "expected"),
    [
        (DRAWN, DRAWN, (), []),
        (
            ("torchvision", "FashionMNIST", None),
            DRAWN,
            (),
            ["FashionMNIST, labelled images (torchvision's download)"],
        ),
        (
            ("torchvision", "FashionMNIST", 9),
            ("flickr30k", "flickr30k", 3),
            (Source(name="the folder flickr30k"),),
            ["FashionMNIST, a copy that the profile calls so", "the folder flickr30k"],
        ),
        (DRAWN, ("flickr30k", "someone/else", None), (Source(name="someone/else"),), ["someone/else"]),
    ],
)
def test_each_kind_of_data_is_called_what_it_is(
    images: Named, photos: Named, sources: tuple[Source, ...], expected: list[str]
) -> None:
    kinds = {
        part: DataSource(kind=kind, name=name, sha256="ef" * 32 if files else None, files=files)
        for part, (kind, name, files) in {"images": images, "photos": photos}.items()
    }
    found = assets(offline(data_sets=worlds.data_sets(*sources, **kinds))).values()
    assert [asset.source.name for asset in found if asset.kind == "data"] == expected
