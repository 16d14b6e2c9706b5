"""The output of the demo: one line per step, with a spinner on terminals."""

import itertools
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_FRAME_SECONDS = 0.1
_PROGRESS_SECONDS = 10  # between two progress lines of a step, where lines cannot be rewritten
_GREEN, _RED, _BOLD = "32", "31", "1"


class Screen:
    """Standard output with colours and a spinner; plain lines without a terminal. Honours NO_COLOR."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._live = self._out.isatty() and os.environ.get("TERM") != "dumb"
        self._colour = self._live and not os.environ.get("NO_COLOR")
        self._fancy = (self._out.encoding or "").lower().replace("-", "") == "utf8"
        self._progress = ""
        self._progress_shown_at = 0.0

    def line(self, text: str = "") -> None:
        """Print a line."""
        self._write(f"{text}\n")

    def heading(self, text: str) -> None:
        """Print a heading."""
        self._write(f"\n{self._paint(text, _BOLD)}\n")

    def error(self, text: str) -> None:
        """Print an error on standard error."""
        print(f"{self._paint('error:', _RED)} {text}", file=sys.stderr, flush=True)

    def show_progress(self, text: str) -> None:
        """Show the progress of the current step."""
        self._progress = text
        if not self._live and time.monotonic() - self._progress_shown_at > _PROGRESS_SECONDS:
            self._progress_shown_at = time.monotonic()
            self._write(f"    {text}\n")

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show ``text`` while the block runs, then its result and the seconds that it took."""
        start = self._progress_shown_at = time.monotonic()
        self._progress = ""
        done = threading.Event()
        spinner = threading.Thread(target=self._spin, args=(text, start, done), daemon=True)
        if self._live:
            spinner.start()
        failed = True
        try:
            yield
            failed = False
        finally:
            done.set()
            if self._live:
                spinner.join()
                self._write("\r\033[K")
            mark = self._mark(failed)
            self._write(f"  {mark} {text}  {time.monotonic() - start:.1f} s\n")

    def _spin(self, text: str, start: float, done: threading.Event) -> None:
        frames = itertools.cycle("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" if self._fancy else "|/-\\")
        while not done.wait(_FRAME_SECONDS):
            width = os.get_terminal_size(self._out.fileno()).columns or 80  # 0: unknown
            shown = f"  {next(frames)} {text}  {time.monotonic() - start:.0f} s  {self._progress}"
            self._write(f"\r\033[K{shown[: max(width - 1, 10)]}")

    def _mark(self, failed: bool) -> str:
        if failed:
            return self._paint("✗" if self._fancy else "failed:", _RED)
        return self._paint("✓" if self._fancy else "ok:", _GREEN)

    def _paint(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._colour else text

    def _write(self, text: str) -> None:
        # Replace characters that the terminal cannot show.
        encoding = self._out.encoding or "utf-8"
        self._out.write(text.encode(encoding, "replace").decode(encoding))
        self._out.flush()
