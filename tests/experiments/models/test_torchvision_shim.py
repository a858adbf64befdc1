import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.copies import ROOT

START = """
import sys
sys.path[:0] = [{root!r}, {folder!r}]
sys.meta_path = [each for each in sys.meta_path if type(each).__name__ != "_Watch"]  # this environment's
import torch
"""
SHIM = "from experiments.models.torchvision_shim import declare_missing_operators as declare\n"


def python(code: str, folder: Path, start: str = START + SHIM, root: Path = ROOT) -> str:
    """Run code in a fresh interpreter that looks for torchvision in `folder` first."""
    start = start.format(root=str(root), folder=str(folder))
    command = [sys.executable, "-W", "error", "-c", start + code]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A torchvision whose compiled part cannot be loaded and whose Python part wants its operators."""
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "_C.so").write_bytes(b"wants CUDA")
    (package / "__init__.py").write_text(
        "from torch.library import register_fake\n"
        "register_fake('torchvision::nms')(lambda *_: None)\n"
        "register_fake('torchvision::qnms')(lambda *_: None)\n"
    )
    return tmp_path


def test_missing_operators_are_declared_once_and_the_import_then_works(broken: Path):
    code = "print(declare(), declare()); import torchvision; print(declare())"
    assert python(code, broken) == "('nms', 'qnms') ()\n()"


def test_an_operator_that_torch_already_has_is_left_alone(broken: Path):
    code = """
mine = torch.library.Library('torchvision', 'DEF')
mine.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
print(declare()); import torchvision
"""
    assert python(code, broken) == "('qnms',)"


def test_the_installed_torchvision_and_its_users_can_be_imported(tmp_path: Path):
    code = """
declared = declare()
import torchvision, timm, open_clip
print(bool(declared) != torchvision.extension._has_ops())
"""
    assert python(code, tmp_path) == "True"


def test_a_mended_environment_lets_programs_of_others_import_torchvision(broken: Path, tmp_path: Path):
    """What `make` does for accelerate's command line, in a folder of packages of its own."""
    packages = tmp_path / "packages"
    packages.mkdir()
    code = "from experiments.models.torchvision_shim import mend\n"
    assert python(f"{code}print(mend({str(packages)!r}))", broken) == "True"
    code = f"import site; site.addsitedir({str(packages)!r})\nprint('torch' in sys.modules)\n"
    code += "import torchvision; print('torch' in sys.modules)"
    start = START.replace("import torch\n", "")
    assert python(code, broken, start, root=tmp_path).split() == ["False", "True"]


def test_an_environment_that_needs_no_mending_is_left_alone(tmp_path: Path):
    code = f"""
from experiments.models import torchvision_shim
torchvision_shim._compiled_part_loads = lambda: True
print(torchvision_shim.mend({str(tmp_path)!r}))
"""
    assert python(code, tmp_path) == "False"
    assert not list(tmp_path.iterdir())


def test_the_shim_brings_nothing_along_when_python_starts() -> None:
    """It is loaded by every Python of a mended environment, whatever that is started for."""
    code = "import sys; before = {*sys.modules}; import torchvision_shim; print(*{*sys.modules} - before)"
    place = ROOT / "experiments" / "models"
    command = [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(place)!r}); {code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["torchvision_shim"]
