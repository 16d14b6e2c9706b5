"""What may go wrong in a run."""


class BenchError(Exception):
    """A measurement is not worth anything; the message says why."""
