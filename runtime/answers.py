"""Read an HTTP response of the other service within a limit of time and size."""

import time

from requests import Response


def read(response: Response, until: float, most: int) -> bytes | None:
    """Return the body of the streamed ``response``; None where it is longer than ``most`` bytes, or incomplete at
    ``until`` (of ``time.monotonic()``).

    A timeout in requests applies to each read, so a response that trickles would never end. Raises urllib3's errors and
    OSError.
    """
    parts, size = [], 0
    while part := response.raw.read1(65_536, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > most or time.monotonic() > until:
            return None
    return b"".join(parts)
