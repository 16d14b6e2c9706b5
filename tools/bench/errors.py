"""Errors of a run."""


class BenchError(Exception):
    """A measurement is invalid; the message says why."""
