"""The preview without Quarto, run as a user runs it: each kind of input that changes comes to the page."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from experiments.project import open_project
from reporting.document import templates_in
from reporting.preview_render import read_ahead
from reporting.watching import stamps
from tests.support.copies import copy_parts
from tests.support.results import classifier
from tests.support.stored import put

PATIENCE = 600
"""Seconds; on a machine with nothing else to do it takes some two."""
PAGE = """---
title: A page
---

First words.

```{python}
#| output: asis
from reporting.document import open_document; report = open_document(); report.show("accuracy")
report.show("model_comparison")
```
"""
PARTS = ("pipeline", "experiments", "figures", "profiles", "reporting", "templates", "references.bib")


class Preview:
    """A preview that runs, and what a browser would get of it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.said = (folder.parent / "said").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reporting.preview", "--port", str(port)],
            cwd=folder, env=os.environ | {"QUARTO_PROFILE": "smoke", "REPORT_COMPUTE": "1"},
            stdout=subprocess.PIPE, stderr=self.said, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        address = self.process.stdout.readline()
        self.port = int(address.split(":")[2].split("/")[0])
        self.told = self.events()

    def get(self, path: str) -> str:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request("GET", path)
            return connection.getresponse().read().decode()

    def events(self) -> Generator[dict[str, str], None, None]:
        """What the page's script is told, one after the other."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request("GET", "/_preview/events")
            with connection.getresponse() as answer:
                for line in answer:
                    if line.startswith(b"data: "):
                        yield json.loads(line[6:])

    def until(self, is_so: Callable[[dict[str, str]], object]) -> dict[str, str]:
        """Listen until what is told is so."""
        return next(told for told in self.told if is_so(told))

    def after(self, file: str, old: str, new: str) -> str:
        """Change an input and return the page that is shown next."""
        version = self.change(file, old, new)
        told = self.until(lambda told: told["version"] != version)
        assert not told["problem"]
        return self.get("/report.html")

    def change(self, file: str, old: str, new: str) -> str:
        """Change an input and return which pages were shown before."""
        version = self.get("/report.html").partition('data-version="')[2].partition('"')[0]
        path = self.folder / file
        content = path.read_text()
        assert old in content
        path.write_text(content.replace(old, new, 1))
        return version


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    folder = tmp_path_factory.mktemp("preview") / "project"
    folder.mkdir()
    copy_parts(folder, *PARTS, "_quarto.yml")
    settings = yaml.safe_load((folder / "_quarto.yml").read_text())
    settings["project"]["render"] = ["report.qmd"]
    settings["website"]["navbar"]["left"] = ["report.qmd"]
    (folder / "_quarto.yml").write_text(yaml.safe_dump(settings))
    (folder / "report.qmd").write_text(PAGE)
    project = open_project("smoke", folder)
    for stage, accuracy in (("zero_shot", 0.6), ("vit", 0.8), ("cnn", 0.9)):
        put(project, stage, classifier(stage, accuracy))
    (folder / "_site").mkdir()
    (folder / "_site" / "report.html").write_text("what was rendered last")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        shown = Preview(folder, taken.getsockname()[1])
        assert shown.port != taken.getsockname()[1]
    told = shown.until(lambda told: told["version"] or told["problem"] != "The pages are being made.")
    assert not told["problem"]
    yield shown
    shown.process.send_signal(signal.SIGINT)
    shown.process.communicate()
    shown.told.close()
    shown.said.close()


@pytest.mark.parametrize(
    ("file", "old", "new", "awaited"),
    [
        ("report.qmd", "First words.", "Other words.", "Other words."),
        ("templates/accuracy.md.j2", "Wilson interval", "interval of Wilson", "interval of Wilson"),
        ("reporting/looks/screen.css", "", ".never-seen { color: red; }\n", ".never-seen"),
        ("reporting/labels.toml", 'on_this_page = "On this page"', 'on_this_page = "Here"', ">Here<"),
        ("results/smoke/vit.json", "The vit model", "Another network", "Another network"),
    ],
)
def test_what_changed_is_on_the_next_page(
    preview: Preview, file: str, old: str, new: str, awaited: str
) -> None:
    assert awaited not in preview.get("/report.html")
    assert awaited in preview.after(file, old, new)


def test_code_that_changed_is_used_anew(preview: Preview) -> None:
    before = (preview.folder / "_figures" / "accuracy.svg").read_bytes()
    page = preview.get("/report.html")
    assert preview.after("figures/accuracy.py", '"chance"', '"by guessing alone"') != page
    assert (preview.folder / "_figures" / "accuracy.svg").read_bytes() != before


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("templates/accuracy.md.j2", "{% endfor %}", "{% endfo %}", "templates/accuracy.md.j2:3: "),
        (
            "report.qmd",
            "```{python}",
            "`{python} 1 / 0`\n\n```{python}",
            "report.qmd:7: the inline code failed",
        ),
        ("figures/accuracy.py", "figure = new_figure", "figure = = new_figure", "figures/accuracy.py:15: "),
        (
            "reporting/labels.toml",
            'on_this_page = "',
            'on_this_page = = "',
            "reporting/labels.toml is not valid TOML: ",
        ),
    ],
)
def test_an_error_is_one_sentence_beside_the_last_good_page_until_it_is_mended(
    preview: Preview, file: str, old: str, new: str, said: str
) -> None:
    page = preview.get("/report.html")
    version = preview.change(file, old, new)
    told = preview.until(lambda told: told["problem"])
    assert said in told["problem"]
    assert len(told["problem"].splitlines()) == 1
    assert told["version"] == version
    assert preview.get("/report.html") == page
    assert told["problem"] in (preview.folder.parent / "said").read_text()
    preview.change(file, new, old)
    assert preview.until(lambda told: not told["problem"])["version"] != version


def test_a_template_that_is_not_utf_8_is_one_sentence_until_it_is_mended(preview: Preview) -> None:
    path = preview.folder / "templates" / "accuracy.md.j2"
    content = path.read_bytes()
    path.write_bytes(b"\xff" + content)
    said = preview.until(lambda told: told["problem"])["problem"]
    assert said.endswith("accuracy.md.j2 is not text in UTF-8: save it as UTF-8, or make it anew.")
    path.write_bytes(content)
    assert preview.until(lambda told: not told["problem"])["version"]


def test_only_the_page_that_is_served_reloads_and_from_this_machine_alone(preview: Preview) -> None:
    page = preview.get("/report.html")
    assert page.count('<script src="/_preview/script.js" data-version="') == 1
    assert "default-src 'none'; connect-src 'self'; script-src 'self'" in page
    assert "EventSource" in preview.get("/_preview/script.js")
    [site] = (preview.folder / "_site").iterdir()
    assert site.read_text() == "what was rendered last"


def test_an_error_of_code_names_results_that_were_altered_too_since_either_may_be_why(
    preview: Preview,
) -> None:
    preview.after("results/smoke/cnn.json", "The cnn model", "Another network")
    preview.change("figures/accuracy.py", "figure = new_figure", "1 / 0; figure = new_figure")
    problem = preview.until(lambda told: told["problem"])["problem"]
    assert problem.startswith("figures/accuracy.py:15: ZeroDivisionError: ")
    assert re.search("The results of cnn(, vit)?, which were altered by hand, may be why: run `", problem)
    preview.after("figures/accuracy.py", "1 / 0; figure = new_figure", "figure = new_figure")


def test_nothing_is_computed_although_stages_are_missing_and_one_asked_for_it(preview: Preview) -> None:
    """`REPORT_COMPUTE` is set, and `evidence` reads results alone, which a whole render would compute."""
    found = {path.name for path in (preview.folder / "results" / "smoke").glob("*.json")}
    assert found == {"zero_shot.json", "vit.json", "cnn.json"}


def test_templates_are_read_ahead_but_for_what_is_no_template_and_again_where_they_change(
    tmp_path: Path,
) -> None:
    copy_parts(tmp_path, "templates", "reporting")
    good, bad = tmp_path / "templates" / "good.md.j2", tmp_path / "templates" / "bad.md.j2"
    good.write_text("As it was.")
    bad.write_text("{% endfo %}")
    read_ahead(tmp_path)
    environment = templates_in(tmp_path / "templates")
    assert environment.cache is not None
    read = {name for _, name in environment.cache}
    assert {"good.md.j2", "why_lora.md.j2"} <= read and "bad.md.j2" not in read
    time_of_writing = good.stat().st_mtime_ns
    good.write_text("As it is.")
    os.utime(good, ns=(time_of_writing, time_of_writing))  # as copying and unpacking do
    assert environment.get_template("good.md.j2").render() == "As it is."


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_without_a_word_a_process_or_a_folder_left(tmp_path: Path, way: signal.Signals) -> None:
    (tmp_path / "temporary").mkdir()
    copy_parts(tmp_path, "reporting", "pipeline")
    inherited = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored, under `nohup`
    process = subprocess.Popen(
        [sys.executable, "-m", "reporting.preview", "--port", "0"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"TMPDIR": str(tmp_path / "temporary")},
    )  # fmt: skip
    signal.signal(signal.SIGHUP, inherited)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(1)
    assert len([*(tmp_path / "temporary").glob("preview-*")]) == 1
    process.send_signal(way)
    assert process.communicate(timeout=60)[1].count("Traceback") == 0
    assert process.returncode == 0
    assert not [*(tmp_path / "temporary").glob("preview-*")]


def test_what_is_watched_are_inputs_and_nothing_that_is_made(tmp_path: Path) -> None:
    inputs = ["figures/a.py", "references.bib", "report.qmd", "results/x/a.json"]
    others = (
        "_figures/a.svg",
        "templates/.a.swp",
        "templates/a.md.j2~",
        "_site/report.html",
        "figures/a.pyc",
    )
    for name in (*inputs, *others):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert [*stamps(tmp_path)] == inputs
