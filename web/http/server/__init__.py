"""The HTTP server of both web services: gunicorn manages the processes, waitress speaks HTTP in each of them.

gunicorn forks workers, replaces hung ones and forwards signals. waitress reads requests and sends answers in an event
loop, so that only the application occupies a thread, never a client that sends or reads slowly.
"""

from web.http.server.worker import Worker

__all__ = ["Worker"]
