"""Our sub-commands of the ``celery`` command line (entry points ``celery.commands`` in setup.cfg).

Every Celery process loads this module when it starts, workers too, so nothing of the commands is imported here.
"""

from runtime.cli.commands import LazyCommand

dead = LazyCommand("dead", "client.cli.dead_letters:dead", "Look at dead letters, replay or discard them.")
resync = LazyCommand("resync", "admin.cli.sync:resync", "Send products to the Client again.")
