"""The manifests of files of the user's own, which stand beside the results that were made of them."""

import shlex
from dataclasses import dataclass

from pipeline.manifest import digest, recorded
from pipeline.project import Project


@dataclass(frozen=True)
class Manifest:
    """A file with a line for each file of the user's own: the SHA-256 of its content and its name.

    `section` is the part of the profile that names the files, `file` the manifest's path from the project's
    folder; `files` counts its lines, `sha256` is its own hash.
    """

    section: str
    file: str
    files: int
    sha256: str

    @property
    def command(self) -> str:
        """What checks the files, run from the project's folder with FOLDER as the one that holds them."""
        return f'cd FOLDER && sha256sum -c "$OLDPWD"/{shlex.quote(self.file)}'


def manifests(project: Project) -> dict[str, Manifest]:
    """Return the manifests of a project's results by the section of the profile that names the files."""
    found = {}
    for path in sorted(project.results.glob("*.sha256")):
        sha256, files = digest(recorded(path))
        file = path.relative_to(project.root).as_posix()
        found[path.stem] = Manifest(section=path.stem, file=file, files=files, sha256=sha256)
    return found
