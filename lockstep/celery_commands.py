"""Our sub-commands of the ``celery`` command line (entry points ``celery.commands`` in setup.cfg).

Every Celery process, workers too, imports this module at its start, so the commands themselves are imported lazily.
"""

from runtime.cli.commands import LazyCommand

resync = LazyCommand("resync", "admin.cli.sync:resync", "Send products to the Client again.")
