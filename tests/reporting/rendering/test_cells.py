"""Cells run once, in order, and print Markdown; whatever else they do is said by file and line."""

import os
import re
import subprocess

import pytest

from pipeline.errors import UserError
from reporting.render import write
from reporting.rendering import cells
from reporting.rendering.project import load
from tests.support import commands
from tests.support.commands import python
from tests.support.copies import ROOT
from tests.support.pages import FRONT_LINES, Project, with_page


def test_cells_share_a_kernel_and_print_blocks_that_are_numbered(project: Project) -> None:
    project.page(
        "```{python}\nrows = 2\n```\n\n- a list\n\n```{python}\n#| output: asis\n#| label: tbl-a\n"
        "print('::: {#tbl-a}\\n| a |\\n|---|\\n| ' + str(rows) + ' |\\n\\nCaption.\\n:::')\n```\n"
        "- another list\n\n@tbl-a\n"
    ).render()
    words = project.parsed().words
    assert "Table\u00a01: Caption." in words
    assert project.body().count("<ul>") == 2, "a cell's output must not run into the lists around it"


@pytest.mark.parametrize("page", ["report", "other"])
def test_a_page_has_nothing_of_what_the_cells_of_another_left(project: Project, page: str) -> None:
    report, other = (
        "`{python} rows + 1`\n" if name == page else "```{python}\nrows = 2\n```\n"
        for name in ("report", "other")
    )
    with_page(project, "other", other).page(report)
    with pytest.raises(UserError, match=rf"^{page}.qmd:\d+: .*NameError: name 'rows' is not defined"):
        project.render()


@pytest.mark.parametrize(
    ("code", "offset", "word"),
    [
        ("x = 1\nraise ValueError('first\\nlast words')", 2, "the cell failed: ValueError: first last words"),
        ("def f():\n    1 / 0\n\n\nf()", 5, "the cell failed: ZeroDivisionError: division by zero"),
        ("x = (", 1, "SyntaxError"),
        ("print('hello')", 0, "needs `#| output: asis`"),
        ("41 + 1", 0, "must print Markdown"),
        ("#| output: asis\nprint('{{' + '< env HOME >}}')", 0, "prints a shortcode"),
        ("#| output: asis\nprint(':::')", 0, "in pairs"),
        ("#| output: asis\nprint('::: {.own}')", 0, "in pairs"),
        ("#| output: asis\nprint('x @tbl-none y')", 0, "@tbl-none refers to nothing"),
        ("#| output: asis\nprint('<script>alert(1)</script>')", 0, "raw html"),
        ("import os\nos._exit(1)", 0, "Python died"),
    ],
)
def test_a_cell_that_fails_is_named_by_its_line(project: Project, code: str, offset: int, word: str) -> None:
    project.write("_site/report.html", "the last good page")
    project.page(f"one\n\n```{{python}}\n{code}\n```\n")
    with pytest.raises(UserError) as caught:
        project.render()
    assert str(caught.value).startswith(f"report.qmd:{FRONT_LINES + 3 + offset}: "), str(caught.value)
    assert word in str(caught.value)
    assert project.html() == "the last good page"


MARKDOWN = (
    "```{python}\nclass Text(str):\n    def _repr_markdown_(self): return str(self)\n\n\ncount = 1\n```\n\n"
)


def test_inline_code_gives_markdown_or_text_in_the_order_of_the_page(project: Project) -> None:
    body = (
        "It is `{python} Text('[*a*]{data-x=y}')`, `{python} 'x*y* {{ b'` and `{python} count + 1`.\n\n"
        "```{python}\ncount = 7\n```\n\n- of `{python} count`\n\n## `{python} Text('**Bold**')` {#sec-a}\n"
    )
    project.page(f"{MARKDOWN}# A\n\n{body}").render()
    assert '<span data-x="y"><em>a</em></span>, x*y* {{ b and 2.' in project.body()
    assert "of 7" in project.parsed().words
    assert "<strong>Bold</strong></h2>" in project.body()
    assert "It is a, x*y* {{ b and 2." in project.pdf_words()


def test_inline_code_that_gives_blocks_ends_the_paragraph_and_lets_it_go_on(project: Project) -> None:
    callout = "\\n\\n::: {.callout-note}\\n~~No.~~\\n:::\\n\\n"
    project.page(f"{MARKDOWN}Before. `{{python}} Text('{callout}')` After.\n").render()
    words = " ".join(project.parsed().words.split())
    assert "Before. Note No. After." in words
    assert "<del>No.</del>" in project.body()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1 / 0", "the inline code failed: ZeroDivisionError: division by zero"),
        (
            "int('a\\nb')",
            "the inline code failed: ValueError: invalid literal for int() with base 10: 'a\\nb'",
        ),
        ("exec('raise ValueError(\"a\\\\nb\")')", "the inline code failed: ValueError: a b"),
        ("x = 1", "SyntaxError"),
        ("nothing", "NameError: name 'nothing' is not defined"),
        ("Text('{{' + '< env HOME >}}')", "prints a shortcode"),
        ("Text('\\n\\n::: {.own}\\n\\n')", "in pairs"),
        ("__import__('os')._exit(1)", "Python died"),
    ],
)
def test_inline_code_that_fails_is_named_by_its_line(project: Project, code: str, words: str) -> None:
    project.page(f"{MARKDOWN}one\ntwo `{{python}} {code}`\n")
    with pytest.raises(UserError) as caught:
        project.render()
    assert str(caught.value).startswith(f"report.qmd:{FRONT_LINES + MARKDOWN.count(chr(10)) + 2}: ")
    assert words in str(caught.value)


def test_warnings_of_a_cell_go_to_the_terminal_and_not_to_the_page(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "import sys\nprint('careful', file=sys.stderr)\n"
    project.page(f"```{{python}}\n{code}```\n\n```{{python}}\n#| warning: false\n{code}```\n").render()
    assert capsys.readouterr().err.count("careful") == 1
    assert "careful" not in project.html()


def render_after(project: Project, preparation: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the renderer on a project in which a preparation comes first."""
    configuration = (project.root / "_quarto.yml").read_text()
    project.write("_quarto.yml", configuration.replace("  render:", "  pre-render: prepare.py\n  render:"))
    project.write("prepare.py", preparation)
    command = ("-m", "reporting.render", "--renderer", "builtin", *arguments)
    return python(project.root, *command, PYTHONPATH=str(ROOT))


def test_the_profile_reaches_the_preparation_and_the_cells_and_pages_are_named(project: Project) -> None:
    keys = "QUARTO_PROFILE", "QUARTO_PROJECT_RENDER_ALL", "QUARTO_PROJECT_OUTPUT_DIR"
    seen = f"import os\nopen('seen', 'w').write('|'.join(os.environ[k] for k in {keys}))\n"
    project.page("```{python}\n#| output: asis\nimport os\nprint(os.environ['QUARTO_PROFILE'])\n```\n")
    done = render_after(project, seen, "--profile", "smoke")
    assert done.returncode == 0, done.stderr
    assert (project.root / "seen").read_text() == f"smoke|1|{project.site}"
    assert "smoke" in project.body()
    assert "built-in renderer" in done.stdout
    assert str(project.site / "report.pdf") in done.stdout
    assert done.stderr == ""


def test_a_failing_preparation_stops_everything_with_its_own_words(project: Project) -> None:
    project.page("x\n").write("_site/report.html", "the last good page")
    done = render_after(project, "import sys\nsys.exit('nothing to report')\n")
    assert done.returncode == 2
    assert "nothing to report" in done.stderr
    assert "Traceback" not in done.stderr
    assert project.html() == "the last good page"


STARTED = "import pathlib, time\npathlib.Path('started').touch()\ntime.sleep(60)\n"


def stopped_render(project: Project, *path: str) -> tuple[int, str]:
    """Render, press Ctrl-C once there is the file ``started``, and return the exit code and what was said."""
    command = ("-m", "reporting.render", "--renderer", "builtin")
    folders = os.pathsep.join([*path, str(ROOT)])
    done = commands.stopped(project.root / "started", project.root, *command, PYTHONPATH=folders)
    return done.returncode, done.stderr


@pytest.mark.parametrize("busy", ["the cells", "the preparation"])
def test_a_render_that_the_keyboard_stops_says_so_and_leaves_the_last_site(
    project: Project, busy: str
) -> None:
    project.page(f"```{{python}}\n{STARTED}```\n").write("_site/report.html", "the last good page")
    if busy == "the preparation":
        configuration = (project.root / "_quarto.yml").read_text()
        project.write(
            "_quarto.yml", configuration.replace("  render:", "  pre-render: prepare.py\n  render:")
        )
        # As ours does.
        project.write("prepare.py", f"import signal\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\n{STARTED}")
    assert stopped_render(project) == (130, "Stopped: the last site stays as it was.\n")
    assert project.html() == "the last good page"
    assert not [*project.root.glob(".cache/*site-*")]


def test_a_kernel_that_starts_while_the_keyboard_stops_the_render_is_gone_without_a_word(
    project: Project,
) -> None:
    project.page("```{python}\n1\n```\n").write("slow/ipykernel_launcher.py", STARTED)
    said = stopped_render(project, "slow")  # which the kernel would keep open for as long as it lives
    assert said == (130, "Stopped: the last site stays as it was.\n")


@pytest.mark.parametrize("package", ["nbclient", "jupyter_client", "pypandoc"])
def test_a_package_that_is_missing_once_pages_are_made_is_one_sentence(
    project: Project, package: str
) -> None:
    project.page("```{python}\n```\n").write("_site/report.html", "the last good page")
    project.write(f"{package}.py", f"raise ModuleNotFoundError('no', name={package!r})\n")
    done = render_after(project, "")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert f"lacks the package {package}" in done.stderr
    assert project.html() == "the last good page"


def test_a_python_that_cannot_run_cells_is_named_and_what_to_install(project: Project) -> None:
    project.page("```{python}\n```\n").write("ipykernel_launcher.py", "import sys\nsys.exit('no ipykernel')")
    done = render_after(project, "")
    assert done.returncode == 2
    assert "no ipykernel" in done.stderr and "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("report.qmd: no Python could be started to run its cells")
    assert "-m pip install -r requirements-render.txt" in last


def test_a_preview_which_runs_cells_in_its_own_process_shows_the_same(project: Project) -> None:
    project.page(
        "```{python}\n#| output: asis\nfrom IPython.display import Markdown as M\n"
        "x = 2\nprint(f'**{x}**')\n```\n\n"
        "`{python} x` and `{python} 'a *b*'` and `{python} M('*c*')`\n"
    )
    site = load(project.root)
    [page] = [cells.draft(page, site.root) for page in site.pages]
    assert cells.run_here(page) == project.run(page)


ON_PAPER = """\
before

::: {.content-visible when-format="typst"}

# A heading {#sec-own}

::: {.callout-note}
a note

```{python}
#| output: asis
print("on paper")
```
:::

```
:::
```

on paper
:::

::: {.content-visible when-format="html"}
on a screen
:::

after
"""


def test_a_preview_leaves_out_what_is_for_paper_alone_and_nothing_else(project: Project) -> None:
    site = load(project.page(ON_PAPER).root)
    [page] = site.pages
    pages = []
    for on_paper in (True, False):
        markdown = cells.run_here(cells.draft(page, site.root, on_paper=on_paper))
        assert ("on paper" in markdown.text) == on_paper
        write(page, markdown, site, site.root, on_paper=False)
        pages.append((site.root / page.html_name).read_text())
    assert pages[0] == pages[1]


def test_what_is_for_paper_alone_and_never_ends_is_told_in_a_preview_too(project: Project) -> None:
    site = load(project.page(ON_PAPER.replace("on paper\n:::", "on paper")).root)
    [page] = site.pages
    assert cells.draft(page, site.root, on_paper=False) == cells.draft(page, site.root)


@pytest.mark.parametrize("code", ["x = 1\n1 / 0", "x = (", "41 + 1", "print('hello')"])
def test_a_preview_names_a_cell_that_fails_as_a_render_does(project: Project, code: str) -> None:
    project.page(f"```{{python}}\n{code}\n```\n")
    site = load(project.root)
    [page] = [cells.draft(page, site.root) for page in site.pages]
    said = []
    for run in (lambda: cells.run_here(page), lambda: project.run(page)):
        with pytest.raises(UserError) as refused:
            run()
        said.append(re.sub(r"\(\S+, line", "(line", str(refused.value)))  # IPython's own name for a cell
    assert said[0] == said[1]
