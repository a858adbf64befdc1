"""Making torchvision importable beside a torch build that its compiled part was not made for.

torchvision's Python part registers shape functions for two operators that its compiled part declares.
Where the compiled part cannot be loaded (a CUDA wheel of torchvision beside a CPU wheel of torch) the
import fails with "operator torchvision::nms does not exist", although transforms, datasets and models
need neither operator. Declaring the two schemas is enough; calling either still fails, as it should.

Run as ``python -m experiments.models.torchvision_shim``, it mends the environment that it runs in for
programs of others, such as ``accelerate launch``, which imports torchvision by way of timm: Python then
loads a copy of this module whenever it starts. So nothing is imported before it is needed: what else the
standard library would bring takes longer than all the rest of Python's start.
"""

import sys

_ARGUMENTS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
OPERATORS = ("nms", "qnms")

_declared: list[object] = []  # a declaration lasts only as long as its Library object


def declare_missing_operators() -> tuple[str, ...]:
    """Declare those of torchvision's two operators that are missing, and return their names.

    Call it before the first import of torchvision, timm or open_clip. It does nothing where
    torchvision is already imported, is not installed, or loads its own compiled part.
    """
    if "torchvision" in sys.modules or _compiled_part_loads():
        return ()
    import torch

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
    import importlib.util
    from pathlib import Path

    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return True
    import torch

    compiled = sorted(Path(spec.submodule_search_locations[0]).glob("_C.*"))
    try:
        for path in compiled:
            torch.ops.load_library(str(path))
    except OSError:
        return False
    return all(hasattr(torch.ops.torchvision, name) for name in OPERATORS)


class _Watch:
    """Declares the operators when somebody is about to import torchvision, and finds nothing itself."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if fullname == "torchvision":
            sys.meta_path.remove(self)
            declare_missing_operators()


def watch() -> None:
    """Declare what is missing as soon as torchvision is imported, and do nothing until then."""
    sys.meta_path.insert(0, _Watch())


def mend(environment: str) -> bool:
    """Let every Python of an environment `watch`, by its folder of packages; tell whether that was needed."""
    from pathlib import Path

    if _compiled_part_loads():
        return False
    copy = Path(environment) / "torchvision_shim.py"
    copy.write_bytes(Path(__file__).read_bytes())
    copy.with_suffix(".pth").write_text("import torchvision_shim; torchvision_shim.watch()\n")
    return True


if __name__ == "__main__":
    import sysconfig

    mend(sysconfig.get_paths()["purelib"])
