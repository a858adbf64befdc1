import re
from dataclasses import replace

import pytest

from experiments.audit.assets import assets
from experiments.audit.run import there
from experiments.results.audit import Asset
from experiments.results.data_sets import DataSource
from tests.support import audit_worlds as worlds
from tests.support.audit_worlds import assignment, offline, own


def test_the_offline_run_rests_on_packages_with_pinned_hashes() -> None:
    from experiments.captioning.captioners.prefix import PrefixCaptioner

    run = offline(align=worlds.aligned(PrefixCaptioner.model, PrefixCaptioner.weights))
    found = assets(run)
    assert list(found) == ["cifar10", "photos", "lite0", "smollm2", "minilm", "class_names"]
    assert found["lite0"].stages == ("align", "zero_shot")
    for name in ("cifar10", "lite0", "smollm2", "minilm"):
        assert re.fullmatch("[0-9a-f]{64}", found[name].sha256 or ""), name
        assert found[name].version
        assert found[name].licence


def test_the_assignments_run_rests_on_hubs_whose_hashes_nothing_pins() -> None:
    found = assets(assignment())
    assert list(found) == ["cifar10", "photos", "captioner", "zero_shot"]
    assert (found["captioner"].version, found["captioner"].licence) == ("dc68f91c06a1", "apache-2.0")
    assert (found["photos"].source, found["photos"].version) == ("hub lmms-lab/flickr30k", "main")
    assert found["zero_shot"].source.startswith("open_clip ViT-B-32, openai")
    assert found["captioner"].sha256 is found["photos"].sha256 is None


def test_published_weights_are_told_by_their_commit_or_by_the_hash_of_the_copy_that_was_used() -> None:
    run = assignment()

    def found(bracket: str) -> Asset:
        named = there(run.zero_shot).model_copy(update={"weights": f"open_clip ViT-B-32, openai ({bracket})"})
        return assets(replace(run, zero_shot=named))["zero_shot"]

    fetched = found("timm/vit_base_patch32_clip_224.openai at revision 0123abc")
    assert fetched.source == "open_clip ViT-B-32, openai, as open_clip fetches them"
    assert (fetched.version, fetched.sha256) == ("0123abc", None)
    copied = found("local copy my (ViT).pt, sha256 0123456789abcdef")
    assert copied.source == "open_clip ViT-B-32, openai, a copy of them"
    assert (copied.sha256, copied.hashed) == ("0123456789abcdef", "the weights, its first digits")


def test_a_run_on_generated_data_with_random_weights_rests_on_nothing() -> None:
    assert assets(worlds.nothing_from_outside()) == {}


def test_a_users_own_data_are_assets_by_their_folders_name_and_the_manifest_of_their_files() -> None:
    found = assets(own())
    assert list(found) == ["images", "photos", "captioner", "zero_shot"]
    for name, folder, sha256, files in (
        ("images", "CIFAR-10", "ab" * 32, "60,000"),
        ("photos", "flickr30k", "cd" * 32, "110"),
    ):
        asset = found[name]
        assert (asset.source, asset.sha256) == (f"the folder {folder}", sha256)
        assert asset.hashed == f"the manifest of {files} files"
        assert asset.licence == "the user's own, not declared"
        assert "of the user's own" in asset.what


Named = tuple[str, str, int | None]
"""Kind and name of data, and the number of a user's own files."""


def sourced(images: Named, photos: Named) -> list[tuple[str, str]]:
    """What and where from, of the assets that data are."""
    kinds = {
        part: DataSource(kind=kind, name=name, sha256="ef" * 32 if files else None, files=files)
        for part, (kind, name, files) in {"images": images, "photos": photos}.items()
    }
    found = assets(offline(data_sets=worlds.data_sets("x", **kinds)))
    data = {"cifar10", "images", "photos"}
    return [(asset.what, asset.source) for name, asset in found.items() if name in data]


DRAWN = ("generated", "drawn shapes", None)


def test_each_kind_of_data_is_called_what_it_is() -> None:
    assert sourced(DRAWN, DRAWN) == []
    assert sourced(("torchvision", "FashionMNIST", None), DRAWN) == [
        ("FashionMNIST, labelled images", "torchvision's download")
    ]
    assert sourced(("torchvision", "FashionMNIST", 9), ("flickr30k", "flickr30k", 3)) == [
        ("FashionMNIST, a copy that the profile calls so", "the folder FashionMNIST"),
        ("Flickr30k, a copy that the profile calls so", "the folder flickr30k"),
    ]
    assert sourced(DRAWN, ("flickr30k", "someone/flickr30k-like", None)) == [
        ("Captioned photos", "hub someone/flickr30k-like")
    ]
    assert [what for what, _ in sourced(DRAWN, ("cifar10_captions", "captions", None))] == [
        "CIFAR-10, photos in ten classes", "Captions of CIFAR-10 photos",
    ]  # fmt: skip


def test_models_on_the_users_machine_are_assets_whose_licence_is_what_they_declare() -> None:
    captioner = "local folder my model, sha256 0123456789abcdef (239,195,904 parameters), licence apache-2.0"
    tower = "local checkpoint clip.pt (sha256 fedcba9876543210), origin not declared"
    run = offline(
        align=worlds.aligned("my model", captioner),
        zero_shot=worlds.zero_shot(0.5, "Dual encoder ViT-B-32", tower, is_clip=False),
    )
    found = assets(run)
    assert (found["captioner"].source, found["captioner"].sha256) == (
        "on the user's machine, my model",
        "0123456789abcdef",
    )
    assert (found["captioner"].licence, found["zero_shot"].licence) == ("apache-2.0", "not declared")
    assert found["zero_shot"].source == "on the user's machine, clip.pt"


@pytest.mark.parametrize("world", [offline, assignment, own])
def test_no_asset_is_named_by_the_address_of_a_registry(world: type) -> None:
    assert not any("://" in asset.source for asset in assets(world()).values())
