"""What may go wrong around processes, in words for the person who sees it."""


class StackError(Exception):
    """Something outside the code is not as needed; the message says what, and what to do about it."""
