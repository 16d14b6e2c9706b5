"""Our sub-commands of the ``celery`` command line (entry points ``celery.commands`` in setup.cfg).

Every Celery process, workers too, imports this module at its start, so the commands themselves are imported lazily.
"""

from runtime.cli.commands import LazyCommand

dead = LazyCommand("dead", "client.cli.dead_letters:dead", "List, replay or discard dead letters.")
resync = LazyCommand("resync", "admin.cli.sync:resync", "Send products to the Client again.")
