"""The exact versions (`make lock`) are those of the requirements, on every machine that they are for."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.commands import run
from tests.support.copies import ROOT

RENDER, COMPLETE = "requirements-render.lock", "constraints.txt"
CPYTHON = {"implementation_name": "cpython", "platform_python_implementation": "CPython", "os_name": "posix"}
MACHINES = [
    CPYTHON
    | {"sys_platform": system.lower(), "platform_system": system, "platform_machine": processor}
    | {"python_version": version, "python_full_version": f"{version}.7"}
    for system, processor in (("Linux", "x86_64"), ("Darwin", "arm64"))
    for version in ("3.11", "3.12", "3.13", "3.14")
]


def name_of(machine: dict[str, str]) -> str:
    return f"{machine['sys_platform']} {machine['python_version']}"


def lines(name: str) -> Iterator[str]:
    """Yield the requirements in a file, those of files that it names among them, each as one line."""
    text = re.sub(r"\s*\\\n\s*", " ", (ROOT / name).read_text())
    for line in (re.sub(r"(^|\s+)#.*", "", line) for line in text.splitlines()):
        if line.startswith("-r "):
            yield from lines(line.removeprefix("-r "))
        elif line:
            yield line


def pins(name: str, machine: dict[str, str]) -> dict[str, str]:
    """Return the exact versions that a file holds for a machine, by package; at most one of each."""
    found: dict[str, str] = {}
    for line in lines(name):
        pin = Requirement(line.partition(" --hash=")[0])
        if pin.marker is None or pin.marker.evaluate(machine):
            package = canonicalize_name(pin.name)
            assert package not in found
            ((operator, version),) = ((one.operator, one.version) for one in pin.specifier)
            assert operator == "=="
            found[package] = version
    return found


@pytest.mark.parametrize("machine", MACHINES, ids=name_of)
@pytest.mark.parametrize(
    ("requirements", "exact"), [("requirements-render.txt", RENDER), ("requirements.txt", COMPLETE)]
)
def test_every_requirement_has_one_exact_version_within_its_range(
    requirements: str, exact: str, machine: dict[str, str]
) -> None:
    held = pins(exact, machine)
    for wanted in map(Requirement, lines(requirements)):
        version = held.get(canonicalize_name(wanted.name))
        assert version, f"{wanted.name} has no exact version: make lock"
        assert wanted.specifier.contains(version), f"{wanted} does not allow {version}: make lock"


@pytest.mark.parametrize("machine", MACHINES, ids=name_of)
def test_the_render_environment_has_the_versions_of_the_complete_one(machine: dict[str, str]) -> None:
    assert pins(RENDER, machine).items() <= pins(COMPLETE, machine).items()


def test_every_version_of_the_render_environment_has_a_hash() -> None:
    assert all(re.search(r" --hash=sha256:[0-9a-f]{64}\b", line) for line in lines(RENDER))


@pytest.mark.parametrize("name", [RENDER, COMPLETE])
def test_exact_versions_name_no_index_no_path_and_no_build_of_one_machine(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash=)|==\S*\+| @ |(?<!\S)[.~]?/", text, re.MULTILINE)


def test_git_ignores_the_locks_of_a_run_and_keeps_the_exact_versions(tmp_path: Path) -> None:
    assert run(tmp_path, "git", "init", "--quiet").returncode == 0
    shutil.copy(ROOT / ".gitignore", tmp_path)
    names = [RENDER, COMPLETE, "results/offline/cnn.json", "results/offline/.cnn.lock"]
    done = run(tmp_path, "git", "check-ignore", *names)
    assert done.stdout.split() == ["results/offline/.cnn.lock"]


AUDITS = {
    "nothing known": ("exit 0", 0, "No known vulnerability in constraints.txt and requirements-render.lock."),
    "one known": ("echo Found 1 known vulnerability in 1 package; echo numpy 1.0; exit 1", 2, "numpy 1.0"),
    "no network": (
        "echo Traceback; echo ConnectionError >&2; exit 1",
        2,
        "cannot be reached from here, so nothing",
    ),
    "a package that PyPI lacks": (
        "echo torch: Dependency not found on PyPI; exit 1",
        2,
        "nothing was audited",
    ),
}


@pytest.mark.parametrize(("script", "code", "said"), AUDITS.values(), ids=AUDITS.keys())
def test_an_audit_says_what_is_known_or_that_it_could_not_ask(
    tmp_path: Path, script: str, code: int, said: str
) -> None:
    program = tmp_path / ".cache" / "pip-audit" / "bin" / "pip-audit"
    program.parent.mkdir(parents=True)
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *constraints.txt*) {script} ;; esac\necho No known vulnerabilities found\n'
    )
    program.chmod(0o755)
    shutil.copy(ROOT / "Makefile", tmp_path)
    done = run(tmp_path, "make", "audit")
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
