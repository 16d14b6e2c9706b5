"""The envelope of a task message: Celery's protocol 2."""

from kombu.transport.base import Message


def unreadable(message: Message) -> str | None:
    """Return why ``message`` is not a task message of Celery's protocol 2, None when it is one.

    The reason depends on the message alone, so reading a dead letter later gives the same reason.
    """
    if "task" not in (message.headers or {}):
        return "the headers name no task"
    if message.errors:
        return f"the body cannot be decompressed: {message.errors[0][1]}"
    try:
        body = message.payload
    except Exception as error:
        return f"the body cannot be decoded: {error}"
    match body:
        case [list(), dict(), dict()]:
            return None
        case _:
            return "the body is not [args, kwargs, options]"
