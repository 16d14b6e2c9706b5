"""The limits of clients in one worker process."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds for every wait on a client, and for all clients together.

    A request may take ``arrival_seconds`` and an answer ``delivery_seconds``, plus one second for every
    ``bytes_per_second`` that have moved. Both are bounded, as their sizes are. An idle connection is closed
    ``keepalive_seconds`` after its last answer; a connection that ends waits ``linger_seconds`` for its client.
    When the worker stops, requests that are still arriving get ``stop_seconds`` instead.

    At most ``connections`` are open, with ``buffered_bytes`` of bodies and answers in total. Beyond that, the slowest
    clients are disconnected.
    """

    arrival_seconds: float = 15
    delivery_seconds: float = 15
    bytes_per_second: int = 32 * 1024
    keepalive_seconds: float = 5
    linger_seconds: float = 2
    stop_seconds: float = 2
    connections: int = 1000
    buffered_bytes: int = 256 * MIB
