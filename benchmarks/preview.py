"""How long a preview takes from a change to the page that is shown, beside a whole render.

Each change is made in a copy of the project: a paragraph at the end of a page or a template, a comment in a
figure's code.
"""

import http.client
import json
import signal
import subprocess
import time
from collections.abc import Iterator

from benchmarks.pairs import Command, python, taken
from benchmarks.rendering import BUILTIN, copy
from benchmarks.table import Found, Spread

ROUNDS = 5
TEMPLATE = "templates/why_lora.md.j2"
CHANGES = {
    TEMPLATE: "\n\nMore.\n",
    "report.qmd": "\n\nMore.\n",
    "figures/accuracy.py": "# More.\n",
}


def template() -> Found:
    """Compare the time until a template's change is shown with a whole render; tell other changes beside."""
    with copy() as folder:
        whole = [taken(Command(python(*BUILTIN), folder)).wall for _ in range(ROUNDS + 1)][1:]
        process = subprocess.Popen(
            python("-m", "reporting.preview"), cwd=folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        times: dict[str, list[float]] = {name: [] for name in CHANGES}
        try:
            assert process.stdout is not None
            told = events(int(process.stdout.readline().split(":")[2].split("/")[0]))
            shown = next(version for version in told if version)
            for name, more in [*CHANGES.items()] * (ROUNDS + 1):
                time.sleep(max(whole) / 2)  # as an author, who writes for a while
                start = time.perf_counter()
                with (folder / name).open("a", encoding="utf-8") as file:
                    file.write(more)
                shown = next(version for version in told if version != shown)
                times[name].append(time.perf_counter() - start)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()
    spreads = {name: Spread.of(each[1:]) for name, each in times.items()}
    others = "; ".join(
        f"{name} {spread.median:.1f} s" for name, spread in spreads.items() if name != TEMPLATE
    )
    return Found(ours=spreads[TEMPLATE], theirs=Spread.of(whole), unit="s", remark=f"other changes: {others}")


def events(port: int) -> Iterator[str]:
    """Yield the version of the pages, as the script in a page is told of it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("GET", "/_preview/events")
    for line in connection.getresponse():
        if line.startswith(b"data: "):
            yield json.loads(line[6:])["version"]
