"""How long a preview takes from a change to the page that is shown, beside a whole render.

Run as ``python -m benchmarks.preview`` in the project's folder. Each change is made in a copy of the project:
a paragraph at the end of a page or a template, a comment in a figure's code. Printed are the shortest of
several times, and their ratio to a render of all pages with the PDF.
"""

import http.client
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROUNDS = 3
CHANGES = {
    "report.qmd": "\n\nMore.\n",
    "templates/why_lora.md.j2": "\n\nMore.\n",
    "figures/accuracy.py": "# More.\n",
}
MADE = (".git", ".venv", ".cache", "_site", "_figures", "__pycache__", "smoke")


def main() -> None:
    """Print a line for the whole render and one for each kind of change."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "project"
        shutil.copytree(Path.cwd(), folder, ignore=shutil.ignore_patterns(*MADE))
        whole = rendered(folder)
        print(f"whole render: {whole:.1f} s", flush=True)
        command = [sys.executable, "-m", "reporting.preview"]
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            assert process.stdout is not None
            told = events(int(process.stdout.readline().split(":")[2].split("/")[0]))
            shown = next(version for version in told if version)
            for name, more in CHANGES.items():
                times = []
                for _ in range(ROUNDS):
                    time.sleep(whole / 2)  # as an author, who writes for a while
                    start = time.perf_counter()
                    with (folder / name).open("a", encoding="utf-8") as file:
                        file.write(more)
                    shown = next(version for version in told if version != shown)
                    times.append(time.perf_counter() - start)
                print(f"{name}: {min(times):.1f} s, {min(times) / whole:.2f} of a whole render", flush=True)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()


def rendered(folder: Path) -> float:
    """Return the seconds of a whole render, with its PDF."""
    command = [sys.executable, "-m", "reporting.render", "--renderer", "builtin"]
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start


def events(port: int) -> Iterator[str]:
    """Yield the version of the pages, as the script in a page is told of it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("GET", "/_preview/events")
    for line in connection.getresponse():
        if line.startswith(b"data: "):
            yield json.loads(line[6:])["version"]


if __name__ == "__main__":
    main()
