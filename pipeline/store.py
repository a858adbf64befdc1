"""Results on disk: one file a stage, with small files beside it."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.envelope import Envelope, seal
from pipeline.errors import UserError
from pipeline.files import sha256_of, write_whole
from pipeline.project import Project
from pipeline.result import Attachment, Result


def path_of(project: Project[Any], name: str) -> Path:
    """Return where the result of stage `name` stands."""
    return project.result_file(name)


def attachment_path(project: Project[Any], name: str, file: str) -> Path:
    """Return where the file called `file` beside the result of stage `name` stands."""
    return project.results / name / file


def content_of(project: Project[Any], name: str) -> bytes | None:
    """Return what stands in the file of the result of stage `name`, None if there is none.

    Raises:
        UserError: if it cannot be read, such as a folder.
    """
    path = path_of(project, name)
    if path.is_fifo():  # of which a reader would wait for a writer, without end
        raise UserError(f"{path} cannot be read (it is a pipe): move it away.")
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): allow it, or move it away.") from error


def read(project: Project[Any], name: str) -> Envelope[Any]:
    """Read the result of stage `name`, fresh or stale, its value checked against the stage's type.

    Raises:
        UserError: if it is missing or cannot be read, is another stage's or profile's, or was written by code
            whose results looked different.
    """
    path, content = path_of(project, name), content_of(project, name)
    stage = project.stage(name)
    command = f"python -m experiments run {name} --profile {project.name}"
    if content is None:
        raise UserError(f"The result of stage {name} is missing: run `{command}`.")
    try:
        found = Envelope[stage.result].model_validate_json(content)
    except ValidationError as error:
        raise UserError(f"{path} is not a result of today's stage {name}: run `{command}`.") from error
    if (found.stage, found.profile) != (name, project.name):
        raise UserError(
            f"{path} holds the result of stage {found.stage} of profile {found.profile}: run `{command}`."
        )
    return found


def is_sealed(project: Project[Any], name: str) -> bool:
    """Tell whether the file of a result says what was written there, whatever today's type makes of it."""
    written = json.loads(path_of(project, name).read_bytes())
    return seal(written) == written.get("seal")


def require_place(project: Project[Any], name: str) -> None:
    """Make sure, before it is computed, that the result of stage `name` can be written where it belongs.

    Raises:
        UserError: if a folder stands in the place of a file there, or a file in that of a folder.
    """
    path, beside = path_of(project, name), attachment_path(project, name, "")
    if path.is_dir() or (beside.exists() and not beside.is_dir()):
        wrong, kind = (path, "folder") if path.is_dir() else (beside, "file")
        raise UserError(f"{wrong} is a {kind}, where results must be written: move it away.")


def write(project: Project[Any], envelope: Envelope[Any]) -> None:
    """Write a result whole, and seal it: a killed writer leaves what stood there before.

    Then files beside it that only an earlier result referred to are deleted.
    """
    told = envelope.model_dump(mode="json")
    told["seal"] = seal(told)
    write_whole(path_of(project, envelope.stage), _dumps(told).encode())
    attachments = envelope.value.attachments() if isinstance(envelope.value, Result) else ()
    named = {attachment.file for attachment in attachments}
    for path in attachment_path(project, envelope.stage, "").glob("*"):
        if path.name not in named and not path.is_dir():
            path.unlink(missing_ok=True)


def attach(project: Project[Any], name: str, file: str, content: bytes) -> Attachment:
    """Write `content` beside the result of stage `name`, before that is written: what is there stays."""
    attachment = Attachment.of(file, content)
    if not is_whole(project, name, attachment):
        write_whole(attachment_path(project, name, attachment.file), content)
    return attachment


def damaged(project: Project[Any], name: str) -> list[str]:
    """Return the files beside the stored result of stage `name` that are gone or altered.

    There are none where the result is not of today's type, or of one that names no files.
    """
    if project.stage(name).result.attachments is Result.attachments:
        return []
    try:
        attachments = read(project, name).value.attachments()
    except UserError:
        return []
    return [each.file for each in attachments if not is_whole(project, name, each)]


def is_whole(project: Project[Any], name: str, attachment: Attachment) -> bool:
    """Tell whether a file beside a result is there and unaltered."""
    path = attachment_path(project, name, attachment.file)
    try:
        return sha256_of(path) == attachment.sha256
    except OSError:
        return False


def _dumps(value: Any, indent: int = 0) -> str:
    """Write JSON that is small and diffs well: one line a field, long lists of scalars wrapped."""
    inner, outer = "\n" + " " * (indent + 1), "\n" + " " * indent
    if isinstance(value, dict) and value:
        fields = (f"{json.dumps(name)}: {_dumps(item, indent + 1)}" for name, item in value.items())
        return "{" + inner + f",{inner}".join(fields) + outer + "}"
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return "[" + inner + f",{inner}".join(_dumps(item, indent + 1) for item in value) + outer + "]"
    if isinstance(value, list) and len(value) > 50:
        rows = (value[start : start + 50] for start in range(0, len(value), 50))
        return "[" + inner + f",{inner}".join(json.dumps(row)[1:-1] for row in rows) + outer + "]"
    return json.dumps(value, ensure_ascii=False)
