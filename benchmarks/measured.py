"""What a command takes, run as ``python -m benchmarks.measured FILE MODULE ARGUMENT …``.

The module runs as by ``python -m``. Afterwards FILE says, as JSON, the most memory that the process held
(proc(5), VmHWM) and, where it computed on a GPU, the most that its tensors took there. Processes that it
starts are not counted.
"""

import json
import re
import runpy
import sys
from pathlib import Path


def main(report: Path, module: str, *arguments: str) -> None:
    """Run the module and write the file, however it ends."""
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        report.write_text(json.dumps({"memory": resident_peak(), "gpu_memory": gpu_peak()}))


def resident_peak() -> int | None:
    """Return the most resident memory of this process in bytes, None where the system does not tell."""
    try:
        told = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(told[1]) * 1024 if told else None


def gpu_peak() -> int | None:
    """Return the most memory of this process's tensors on the GPU in bytes, None where it has used none."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    return torch.cuda.max_memory_allocated() or None


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
