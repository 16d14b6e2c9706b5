"""What a process prints of an exception that nothing caught.

Wrong settings are named in plain lines; anything else is a traceback without secrets.
"""

import sys
import threading
import traceback
from types import TracebackType

from runtime.masking import mask
from runtime.settings import SettingsError


def explain() -> None:
    """Print them so from now on, in any thread of this process."""
    sys.excepthook = _print
    threading.excepthook = lambda thrown: _print(thrown.exc_type, thrown.exc_value, thrown.exc_traceback)


def _print(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if isinstance(error, SettingsError):
        print(f"Settings:\n{error}", file=sys.stderr)
    elif not issubclass(kind, SystemExit):  # of a thread, where it means nothing
        print(mask("".join(traceback.format_exception(kind, error, trace))), end="", file=sys.stderr)
