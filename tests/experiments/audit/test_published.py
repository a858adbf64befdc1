from dataclasses import replace

import pytest

from experiments.audit.published import PUBLISHED, anchors
from experiments.results.source import Source
from tests.support import audit_worlds as worlds
from tests.support.audit_worlds import assignment, offline, own


def test_a_run_without_published_weights_is_compared_with_none() -> None:
    found = anchors(offline(), 0.01)
    assert list(found) == list(PUBLISHED)
    assert {anchor.verdict for anchor in found.values()} == {"not_comparable"}
    assert all(anchor.measured is None and anchor.comparable_with is None for anchor in found.values())


def test_the_very_weights_are_compared_with_every_figure_published_for_them() -> None:
    found = anchors(assignment(clip=0.898), 0.01)
    compared = {name for name, anchor in found.items() if anchor.comparable_with == "zero_shot"}
    assert compared == {"clip_b32", "clip_b32_paper"}
    assert found["clip_b32"].verdict == "agrees"
    assert found["clip_b32"].templates == 18
    assert found["clip_b32_paper"].verdict == "cannot_tell"


@pytest.mark.parametrize(
    ("accuracy", "verdict"), [(0.898, "agrees"), (0.889, "cannot_tell"), (0.6, "differs")]
)
def test_the_verdict_on_an_anchor_follows_its_interval(accuracy: float, verdict: str) -> None:
    assert anchors(assignment(clip=accuracy), 0.01)["clip_b32"].verdict == verdict


def test_no_weights_are_compared_on_other_images_whatever_their_folder_is_called() -> None:
    for run in (own(), assignment(data_sets=worlds.data_sets(Source(name="x"), labels_sha256="0" * 64))):
        found = anchors(run, 0.01).values()
        assert {(anchor.verdict, anchor.reason) for anchor in found} == {("not_comparable", "other_images")}
        assert all(anchor.measured is None for anchor in found)


def test_every_tag_of_the_anchors_is_one_that_open_clip_knows() -> None:
    from experiments.models.libraries import open_clip_library

    known = {f"open_clip {model}, {tag}" for model, tag in open_clip_library().list_pretrained()}
    named = [published.weights for published in PUBLISHED.values() if published.weights]
    assert len(named) >= 9
    assert all(set(weights) & known for weights in named)


def test_the_figure_with_quick_gelu_is_the_one_that_this_projects_runs_repeat() -> None:
    run = assignment()
    laion = replace(
        run,
        zero_shot=run.zero_shot.model_copy(
            update={"weights": (Source(name="open_clip ViT-B-32, laion400m_e32"),)}
        ),
    )
    compared = [name for name, anchor in anchors(laion, 0.01).items() if anchor.measured]
    assert compared == ["laion400m_b32"]
