"""Print uncaught exceptions: invalid settings in plain lines, other errors as a traceback without secrets."""

import sys
import threading
import traceback
from types import TracebackType

from runtime.masking import mask
from runtime.settings import SettingsError


def explain() -> None:
    """Install this for all threads of the process."""
    sys.excepthook = _print
    threading.excepthook = lambda thrown: _print(thrown.exc_type, thrown.exc_value, thrown.exc_traceback)


def _print(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if isinstance(error, SettingsError):
        print(f"Settings:\n{error}", file=sys.stderr)
    elif not issubclass(kind, SystemExit):  # in a thread it has no meaning
        print(mask("".join(traceback.format_exception(kind, error, trace))), end="", file=sys.stderr)
