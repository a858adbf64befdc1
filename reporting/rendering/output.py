"""The site's folder, replaced whole: a new one is made beside it and swapped in, or the old one stays."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.errors import UserError

_ATTEMPTS = 5


@contextmanager
def replacing(target: Path, root: Path, pages: Sequence[str]) -> Iterator[Path]:
    """Lend an empty folder that becomes the site in `target` when the block ends without an error.

    `pages` are the names of its HTML files, by which a site of this project is known.

    Raises:
        UserError: if what is there is no site, or another render is always quicker.
    """
    _refuse_to_overwrite(target, root, pages)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside, cache = target.parent, root / ".cache"
    if beside == root:
        cache.mkdir(exist_ok=True)
        # Git ignores .cache, should we be killed; but it may be a link to another disk.
        beside = cache if cache.stat().st_dev == beside.stat().st_dev else beside
    with tempfile.TemporaryDirectory(prefix="site-", dir=beside) as folder:
        new = Path(folder) / "new"
        new.mkdir()
        yield new
        _swap(new, target)


def _refuse_to_overwrite(target: Path, root: Path, pages: Sequence[str]) -> None:
    """Replace nothing but a site: a wrong --output must not cost anyone a folder."""
    try:
        there = {path.name for path in target.iterdir()}
    except FileNotFoundError:
        return  # nothing is there, or another render is swapping its site in
    except NotADirectoryError:
        there = {target.name}
    if (there and there.isdisjoint(pages)) or root.is_relative_to(target):
        raise UserError(
            f"{target} is not a site made from these pages, so it is not replaced; remove it first."
        )


def _swap(new: Path, target: Path) -> None:
    for attempt in range(_ATTEMPTS):
        old = new.with_name(f"old-{attempt}")
        with suppress(FileNotFoundError):
            target.rename(old)
        try:
            new.rename(target)
            return
        except OSError:
            # Another render was as quick as this one, or the disk refuses: then the old site comes back.
            if not target.exists():
                with suppress(FileNotFoundError):
                    old.rename(target)
                raise
    raise UserError(f"{target} is being replaced by another render; try again.")
