"""Write text as UTF-8, to files that appear only once they are complete."""

import io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(path: Path) -> Iterator[IO[str]]:
    """Yield a text file that replaces ``path`` once it is complete and on the disk.

    It is written beside ``path`` and renamed; after a failure ``path`` is unchanged. A device or a pipe is written to
    directly. Raises OSError.
    """
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8", newline="") as out:
            yield out
        return
    target = path.resolve()
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with beside.open("x", encoding="utf-8", newline="") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        if target.exists():
            shutil.copymode(target, beside)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def utf8_stdout() -> Iterator[IO[str]]:
    """Yield standard output as UTF-8 text in any locale. Raises OSError."""
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    try:
        yield out
        out.flush()
    except OSError:
        abandon_stdout()
        raise
    finally:
        out.detach()


def abandon_stdout() -> None:
    """Discard what standard output still buffers: Python would write it at exit, and fail again."""
    try:
        descriptor = sys.stdout.fileno()
    except OSError:  # in a test
        return
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), descriptor)
