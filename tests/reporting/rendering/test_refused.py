"""A render where the system refuses to write: the site elsewhere, or one sentence and the last site."""

import shutil
from pathlib import Path

import pytest

from reporting.rendering.output import MARK
from tests.support.commands import as_an_ordinary_user, locked, python
from tests.support.copies import ROOT
from tests.support.pages import Project

RENDER = ("-m", "reporting.render", "--renderer", "builtin")
DRAWING = """
import shutil
from pathlib import Path

Path("_figures").mkdir(exist_ok=True)
shutil.copy("figures/dot.svg", "_figures/drawn.svg")
"""
SHOWING = '![](_figures/drawn.svg){fig-alt="drawn"}\n\n![](linked/dot.svg){fig-alt="linked"}\n'
LIMITED = (
    "import resource, runpy, sys\nresource.setrlimit(resource.RLIMIT_FSIZE, 2 * (int(sys.argv.pop(1)),))\n"
    "runpy.run_module('reporting.render', run_name='__main__')\n"
)


def drawing(project: Project, body: str = SHOWING) -> Project:
    """Let the project draw a picture before its page, which shows it and one in a folder that is a link."""
    configuration = (project.root / "_quarto.yml").read_text()
    project.write(
        "_quarto.yml", configuration.replace("output-dir: _site", "output-dir: _site\n  pre-render: draw.py")
    )
    project.write("draw.py", DRAWING)
    shutil.copytree(project.root / "figures", project.root.parent / "pictures")
    (project.root / "linked").symlink_to(project.root.parent / "pictures")
    return project.page(body)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "project").mkdir()
    return drawing(Project(tmp_path / "project"))


def test_a_checkout_that_cannot_be_written_is_rendered_elsewhere(project: Project) -> None:
    elsewhere = project.root.parent / "elsewhere"
    project.render()
    with locked(project.root):
        before = sorted(project.root.rglob("*"))
        for _ in range(2):
            done = as_an_ordinary_user(
                project.root, *RENDER, "--output", str(elsewhere), PYTHONPATH=str(ROOT)
            )
            assert (done.returncode, done.stderr) == (0, "")
        assert sorted(project.root.rglob("*")) == before
    assert {path.name for path in elsewhere.iterdir()} == {path.name for path in project.site.iterdir()}
    assert (elsewhere / "report.html").read_text() == project.html()


def test_a_checkout_that_cannot_be_written_says_so_where_the_site_would_go_into_it(project: Project) -> None:
    with locked(project.root):
        done = as_an_ordinary_user(project.root, *RENDER, PYTHONPATH=str(ROOT))
    assert done.returncode == 2
    assert "Permission denied" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("room", [0, 100, 2_000, 30_000])
def test_a_full_disk_is_one_sentence_and_the_last_site_stays(project: Project, room: int) -> None:
    cell = "```{python}\n#| output: asis\nprint('word ' * 20_000)\n```\n"
    project.page(f"Text.\n\n{cell}")
    for name, text in (("report.html", "the last good page"), (MARK, "report.html\n")):
        project.write(f"_site/{name}", text)
    done = python(project.root, "-c", LIMITED, str(room), *RENDER[2:], PYTHONPATH=str(ROOT))
    assert done.returncode == 2, done.stderr
    assert "File too large" in done.stderr
    assert str(project.root) in done.stderr or "_site" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert project.html() == "the last good page"
    assert not [*project.root.glob(".cache/*site-*")]
