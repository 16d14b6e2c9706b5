"""What one worker process grants its clients."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds for every wait on a client, and for all clients together.

    A request may take ``arrival_seconds`` and an answer ``delivery_seconds``, and one second more for every
    ``bytes_per_second`` that have moved, so each ends: the size of both is bounded. A kept connection is closed
    ``keepalive_seconds`` after its last answer; one that ends waits ``linger_seconds`` for the client to close it.
    When the worker stops, what has not arrived gets ``stop_seconds`` in place of the first.

    ``connections`` may be open at once, and hold ``buffered_bytes`` of bodies and answers in all. Beyond that, clients
    that keep the worker waiting are disconnected.
    """

    arrival_seconds: float = 15
    delivery_seconds: float = 15
    bytes_per_second: int = 32 * 1024
    keepalive_seconds: float = 5
    linger_seconds: float = 2
    stop_seconds: float = 2
    connections: int = 1000
    buffered_bytes: int = 256 * MIB
