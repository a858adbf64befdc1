from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from experiments.captioning.captioners.encoder_decoder import EncoderDecoderCaptioner
from experiments.captioning.inference import encoded
from experiments.config.photos import GeneratedPhotos
from experiments.datasets.generated_photos import generate_photos
from experiments.datasets.photos import pictures_of
from experiments.models import feature_store
from pipeline import keys
from pipeline.closure import Code
from tests.support.captioners import random_captioner
from tests.support.contexts import context
from tests.support.copies import copy_parts

SECTION = GeneratedPhotos(kind="generated", seed=1, tuning=3, evaluation=2, size=16)
CHANGED = "\n\nEncoderDecoderCaptioner.encode = lambda self, photos: torch.zeros(len(photos), 2, 2)\n"


def test_an_encoder_whose_code_was_changed_has_features_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, captioner = copy_parts(tmp_path, "experiments"), random_captioner()
    photos = pictures_of(generate_photos(SECTION).tuning)
    asked: list[int] = []
    before = EncoderDecoderCaptioner.encode

    def features() -> np.ndarray:
        code = Code(root)
        lent = context(root / ".cache", code_of=lambda module: keys.code_digest(code, module))
        return encoded(captioner, photos, lent)

    def counted(self: EncoderDecoderCaptioner, batch: Sequence[np.ndarray]) -> torch.Tensor:
        asked.append(len(batch))
        return before(self, batch)

    monkeypatch.setattr(EncoderDecoderCaptioner, "encode", counted)
    assert features().any()
    unrelated = root / "experiments" / "captioning" / "scoring" / "metrics.py"
    unrelated.write_text(unrelated.read_text() + "\n\nADDED = 1\n")
    assert features().any()
    assert asked == [3]
    with monkeypatch.context() as other:
        other.setattr(feature_store.metadata, "version", lambda library: f"another {library}")
        assert features().any()
        assert asked == [3, 3], "what another version of a library computed is not taken for this one's"
    path = root / "experiments" / "captioning" / "captioners" / "encoder_decoder.py"
    path.write_text(path.read_text() + CHANGED)
    monkeypatch.setattr(EncoderDecoderCaptioner, "encode", lambda self, batch: torch.zeros(len(batch), 2, 2))
    assert not features().any()


@pytest.mark.parametrize(
    ("ending", "altered"),
    [
        (".json", lambda content: content.replace(b'"seconds"', b'"second"')),
        (".json", lambda content: content[:-2] + (b"8}" if content.endswith(b"9}") else b"9}")),
        (".json", lambda content: b"[" * 100_000),
        (".json", lambda content: b""),
        (".npy", lambda content: content[:-1]),
        (".npy", lambda content: content[:-1] + bytes([content[-1] ^ 1])),
    ],
)
def test_kept_features_of_which_a_byte_was_altered_are_computed_again(
    ending: str, altered: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    captioner, lent = random_captioner(), context(tmp_path)
    photos = pictures_of(generate_photos(SECTION).tuning)
    first = encoded(captioner, photos, lent).copy()
    (file,) = tmp_path.rglob(f"*{ending}")
    content = file.read_bytes()
    assert altered(content) != content
    file.write_bytes(altered(content))
    made = file.stat().st_mtime_ns
    assert (encoded(captioner, photos, lent) == first).all()
    assert file.stat().st_mtime_ns > made and file.read_bytes() != altered(content)
