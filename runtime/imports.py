"""Import much at once, at the start of a process."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """Stop the garbage collector for the block, which imports modules or builds an application.

    What the block makes lives as long as the process. Collections would look at it again and again, which is a tenth of
    the time of a start; afterwards they leave it out, so that they are short, and do not write to memory that a forked
    process shares.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
