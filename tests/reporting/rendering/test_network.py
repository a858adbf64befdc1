"""A render asks no other machine: every socket but those within this one fails in all of its processes."""

from pathlib import Path

from tests.support.commands import python
from tests.support.copies import ROOT
from tests.support.pages import Project

ALONE = """
import socket

connect, resolve = socket.socket.connect, socket.getaddrinfo

def within(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        open({asked!r}, "a").write(f"{{address}}\\n")
        raise OSError(f"asked {{address}}")
    return connect(self, address)

def known(host, *arguments, **options):
    if host not in (None, "", "127.0.0.1", "::1", "localhost"):
        open({asked!r}, "a").write(f"{{host}}\\n")
        raise OSError(f"asked for {{host}}")
    return resolve(host, *arguments, **options)

socket.socket.connect = socket.socket.connect_ex = within
socket.getaddrinfo = known
"""
"""What each Python imports when it starts, kernels and preparations too."""


def rendered(project: Project, cell: str) -> tuple[int, str, str]:
    asked = project.root.parent / "asked"
    project.write("alone/sitecustomize.py", ALONE.format(asked=str(asked)))
    project.page(f"# A\n\n```{{python}}\n{cell}\n```\n\nSee [there](https://example.org).\n")
    path = f"{ROOT}:{project.root / 'alone'}"
    done = python(project.root, "-m", "reporting.render", "--renderer", "builtin", PYTHONPATH=path)
    return done.returncode, done.stderr, asked.read_text() if asked.exists() else ""


def test_a_render_asks_no_other_machine(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project")
    assert rendered(project, "x = 1") == (0, "", "")
    code, _, asked = rendered(project, "import socket\nsocket.create_connection(('192.0.2.1', 80))")
    assert (code, asked.splitlines()) == (2, ["192.0.2.1"]), "the guard itself must work in a cell"
