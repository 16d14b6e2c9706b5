"""The HTTP server of both web services: gunicorn manages the processes, waitress speaks HTTP in each of them.

gunicorn forks workers, replaces hung ones and passes signals on. waitress reads requests and sends answers in an event
loop, so that a thread is held by the application alone, never by a client that sends or reads slowly.
"""

from web.http.server.worker import Worker

__all__ = ["Worker"]
