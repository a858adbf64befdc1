import json
from pathlib import Path

import pytest

from experiments import profile
from experiments.checking.counts import Counts
from experiments.checking.disk import bytes_of_results, findings_of_disk
from experiments.checking.memory import Peak, findings_of_memory, peaks
from experiments.checking.networks import NetworkSize, TowerSize, network_size, tower_size
from experiments.checking.shapes import shape_of
from experiments.classification.towers import open_clip_library
from experiments.sections.zero_shot import OpenClipTower

ROOT = Path(__file__).resolve().parents[3]
OFFLINE, ASSIGNMENT, SMOKE = (profile.load(name, ROOT) for name in ("offline", "assignment", "smoke"))
COUNTS = Counts(50_000, 10_000, 10, 32, False, 5_000, 10_000, 1_000, 50, 60)


def test_features_images_checkpoints_and_copies_are_counted_in_bytes() -> None:
    shape = shape_of(OFFLINE.captioner, ROOT)
    assert shape is not None
    needs = bytes_of_results(
        OFFLINE, COUNTS, shape, TowerSize(27, 1280), {"cnn": NetworkSize(1000, 1), "vit": NetworkSize(10, 1)}
    )
    assert needs["images made ready"] == 0, "CIFAR-10 has its own copy"
    assert needs["features for zero-shot"] == 15_000 * 1280 * 4
    assert needs["features for captions"] == 4 * (1110 * 4 * 576 + 10_000 * 4 * 1280)
    assert needs["checkpoints of the classifiers"] == 2 * 4 * (1000 * 2 + 10 * 3)
    assert needs["the aligned captioner"] == 134_515_008 * 4
    assert needs["its checkpoints"] == 2 * 3 * 134_515_008 * 4
    stored = bytes_of_results(OFFLINE, Counts(**{**vars(COUNTS), "stored": True}), None, None, {})
    assert stored == {"images made ready": 60_000 * (32 * 32 * 3 + 32), "checkpoints of the classifiers": 0}


def test_disk_is_a_problem_only_where_what_is_missing_does_not_fit() -> None:
    needs = {"features": 3_000_000_000}
    enough = findings_of_disk(needs, {"CIFAR-10": 10**9}, there=10**9, free=3 * 10**9)
    assert enough.problems == ()
    assert "needs about 4.0 GB in .cache (features 3.0 GB, downloading CIFAR-10 1.0 GB)" in enough.read[0]
    assert "1.0 GB are there; 3.0 GB are free" in enough.read[0]
    short = findings_of_disk(needs, {"CIFAR-10": 10**9}, there=10**9, free=2_500_000_000)
    assert "Make 500 MB more free" in short.problems[0]
    assert findings_of_disk(needs, {}, there=5 * 10**9, free=0).problems == ()


def test_the_highest_peak_is_told_and_a_problem_where_it_does_not_fit() -> None:
    found = [Peak("cnn", 2e9, "batches"), Peak("align", 5e9, "weights")]
    fits = findings_of_memory(found, 10**9, 6 * 10**9, "on this machine")
    assert "about 6.0 GB at its peak, in stage align (weights); 6.0 GB are available" in fits.read[0]
    assert findings_of_memory(found, 10**9, 6 * 10**9 - 1, "on this machine").problems
    assert findings_of_memory([], 0, 0, "").remarks


def test_peaks_are_near_those_that_were_measured() -> None:
    # On the offline profile, in bytes, libraries included.
    shape = shape_of(OFFLINE.captioner, ROOT)
    found = {peak.stage: peak.bytes + 0.7e9 for peak in peaks(OFFLINE, 18, shape, None, {})}
    for stage, measured in {"lora": 2.6e9, "variants": 4.4e9, "align": 5.2e9}.items():
        assert measured / 2 < found[stage] < 2 * measured


def test_peaks_grow_with_batches_and_models() -> None:
    shape = shape_of(OFFLINE.captioner, ROOT)
    small, large = (
        peaks(
            OFFLINE.model_copy(update={"lora": OFFLINE.lora.model_copy(update={"batch_size": size})}),
            18,
            shape,
            None,
            {},
        )
        for size in (10, 1000)
    )
    assert large[0].bytes > 5 * small[0].bytes
    network = {"cnn": NetworkSize(10**6, 10**6)}
    assert peaks(OFFLINE, 18, None, TowerSize(10**9, 1), network)[-1].bytes == 8e9
    assert peaks(OFFLINE, 18, None, None, network)[0].bytes == 500 * 2 * 10**6 + 16 * 10**6


def test_a_networks_size_is_that_of_what_is_built() -> None:
    small, large = (network_size(OFFLINE.cnn, side, 10) for side in (32, 64))
    assert small.parameters == large.parameters == 1_972_768
    assert 3.5 < large.bytes_per_image / small.bytes_per_image < 4.5
    assert network_size(OFFLINE.vit, 32, 10).parameters == 615_498


def test_a_towers_size_is_known_without_its_weights(tmp_path: Path) -> None:
    get_model_config = open_clip_library().get_model_config
    tower = OpenClipTower(kind="open_clip", model="ViT-B-32", pretrained="openai")
    assert tower_size(tower) == TowerSize(151_277_313, 512)
    unknown = tower.model_copy(update={"model": "hf-hub:a/b", "pretrained": None})
    assert tower_size(unknown) is None
    nowhere = tower.model_copy(update={"model": f"local-dir:{tmp_path}", "pretrained": None})
    assert tower_size(nowhere) is None
    copy = {"model_cfg": get_model_config("ViT-B-32")}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(copy))
    assert tower_size(nowhere) == TowerSize(151_277_313, 512)


@pytest.mark.parametrize("loaded", [OFFLINE, ASSIGNMENT, SMOKE], ids=["offline", "assignment", "smoke"])
def test_every_profile_that_comes_with_the_project_is_estimated(
    loaded: profile.Profile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    shape = shape_of(loaded.captioner, ROOT)
    tower = tower_size(loaded.zero_shot.tower)
    assert shape is not None
    assert all(size >= 0 for size in bytes_of_results(loaded, COUNTS, shape, tower, {}).values())
    assert {peak.stage for peak in peaks(loaded, 18, shape, tower, {})} >= {"lora", "variants", "zero_shot"}
