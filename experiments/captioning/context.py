"""What the runner lends to a captioning stage.

Apart from `experiments.context`, so that the classifiers' keys do not follow what only captioners need.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from experiments.context import Context
from experiments.datasets.photos import CaptionedPhotos
from experiments.results.attachment import Attachment


@dataclass(frozen=True)
class CaptioningContext(Context):
    """The surroundings of a captioning stage, whose artefacts other stages build on.

    `photos` loads the profile's captioned photos. `artefact` returns the scratch folder of one of the
    stage's inputs with what that stage left there (a model, an adapter); if it is gone, that stage is
    run again for it, and its result is left as it is. `attach` keeps a small file, such as a
    picture that the report shows, beside the stage's result. `manifest` returns, of the user's own files that
    a part of the profile names, the hash of their manifest and their number, None where it names none.
    """

    photos: Callable[[], CaptionedPhotos]
    artefact: Callable[[str], Path]
    attach: Callable[[str, bytes], Attachment]
    manifest: Callable[[str], tuple[str, int] | None]
