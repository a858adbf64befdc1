import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
START = "import sys; sys.path[:0] = [{root!r}, {folder!r}]\nimport torch\n"
SHIM = "from experiments.torchvision_shim import declare_missing_operators as declare\n"


def python(code: str, folder: Path) -> str:
    """Run code in a fresh interpreter that looks for torchvision in `folder` first."""
    start = START.format(root=str(ROOT), folder=str(folder))
    command = [sys.executable, "-W", "error", "-c", start + SHIM + code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
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
