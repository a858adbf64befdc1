import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from experiments.checking import rehearsal
from experiments.checking.check import check
from experiments.checking.rehearsal import rehearse_classifier
from experiments.classification.cnn import cnn
from experiments.datasets.images import ClassifiedImages
from experiments.sections.cnn import CnnSection
from tests.experiments.checking.small import IMAGES, draw_classes, project

SECTION = CnnSection(
    seed=0, precision="fp32", epochs=3, batch_size=8, learning_rate=0.1, weight_decay=0, label_smoothing=0,
    translate=0, widths=(8,),
)  # fmt: skip


def test_a_folder_whose_first_images_are_all_of_one_class_is_rehearsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    draw_classes(tmp_path / "animals", count=4 * rehearsal.PICTURES + 4)
    checked = check(project(tmp_path, IMAGES), Console(file=io.StringIO()), rehearse=True)
    assert checked.findings.problems == ()
    assert all(each.seconds for each in checked.times)


@pytest.mark.parametrize("tested", [2, 7])
def test_fewer_images_than_classes_are_enough_for_a_rehearsal(
    tested: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "PIXELS", tested * 16**2)
    random = np.random.default_rng(0)
    images = ClassifiedImages(
        train_images=random.integers(0, 256, (40, 16, 16, 3), dtype=np.uint8),
        train_labels=np.arange(40) % 20,
        test_images=random.integers(0, 256, (20, 16, 16, 3), dtype=np.uint8),
        test_labels=np.arange(20),
        classes=tuple(f"class {index}" for index in range(20)),
    )
    pace = rehearse_classifier(cnn, SECTION, images)
    assert pace.train > 0
    assert pace.test > 0
