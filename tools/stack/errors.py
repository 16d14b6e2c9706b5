"""Errors of processes, servers and the machine, with messages for the user."""


class StackError(Exception):
    """A requirement outside the code is not met; the message says which, and what to do."""
