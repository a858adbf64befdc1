"""Making torchvision importable beside a torch build that its compiled part was not made for.

torchvision's Python part registers shape functions for two operators that its compiled part declares.
Where the compiled part cannot be loaded (a CUDA wheel of torchvision beside a CPU wheel of torch) the
import fails with "operator torchvision::nms does not exist", although transforms, datasets and models
need neither operator. Declaring the two schemas is enough; calling either still fails, as it should.
"""

import importlib.util
import sys
from pathlib import Path

import torch

_ARGUMENTS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
OPERATORS = ("nms", "qnms")

_declared: list[torch.library.Library] = []  # a declaration lasts only as long as its Library object


def declare_missing_operators() -> tuple[str, ...]:
    """Declare those of torchvision's two operators that are missing, and return their names.

    Call it before the first import of torchvision, timm or open_clip. It does nothing where
    torchvision is already imported, is not installed, or loads its own compiled part.
    """
    if "torchvision" in sys.modules or _compiled_part_loads():
        return ()
    missing = tuple(name for name in OPERATORS if not hasattr(torch.ops.torchvision, name))
    if missing:
        library = torch.library.Library(
            "torchvision", "DEF" if len(missing) == len(OPERATORS) else "FRAGMENT"
        )
        for name in missing:
            library.define(name + _ARGUMENTS)
        _declared.append(library)
    return missing


def _compiled_part_loads() -> bool:
    """Load torchvision's compiled part as torchvision itself will; True if there is nothing to mend."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return True
    compiled = sorted(Path(spec.submodule_search_locations[0]).glob("_C.*"))
    try:
        for path in compiled:
            torch.ops.load_library(str(path))
    except OSError:
        return False
    return all(hasattr(torch.ops.torchvision, name) for name in OPERATORS)
