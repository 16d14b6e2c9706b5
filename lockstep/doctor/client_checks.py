"""Checks of the Client: its store, its migrations, and whether worker and beat run."""

from collections.abc import Iterator
from datetime import UTC, datetime

from pymongo.errors import OperationFailure, PyMongoError

from client import store as client_store
from client.config import ClientSettings
from client.dead_letters.collect import collected_at
from client.migrations import MIGRATIONS
from lockstep.doctor.findings import Finding, clock_difference, down, failed, heartbeat, ok

OLDEST = (6, 0)  # the oldest that MongoDB supports with transactions as used here


def store(settings: ClientSettings) -> Iterator[Finding]:
    """Check the store, the migrations, and worker and beat."""
    client_store.connect(settings)
    try:
        yield from _server()
        yield _migrations()
        yield _worker()
    except OperationFailure as error:
        fix = "The user or password in CLIENT_MONGODB_URL is wrong, or the user lacks readWrite on its database."
        yield down("client store", str(error.details.get("errmsg", error) if error.details else error), fix)
    except PyMongoError as error:
        fix = (
            "Start the server, or correct host, port and replicaSet in CLIENT_MONGODB_URL as seen from this host. The "
            "replica set needs a primary."
        )
        yield down("client store", str(error).partition(", Timeout")[0], fix)


def _server() -> Iterator[Finding]:
    admin = client_store.mongo().admin
    hello, version = admin.command("hello"), admin.command("buildInfo")["version"]
    if tuple(map(int, version.split(".")[:2])) < OLDEST:
        yield failed("client store", f"is MongoDB {version}", "Use MongoDB 6.0 or newer.")
    elif "setName" not in hello:
        fix = "Start mongod with --replSet and run rs.initiate(), also for a single server: transactions need it."
        yield failed("client store", f"MongoDB {version} is not in a replica set", fix)
    else:
        yield ok("client store", f"MongoDB {version} answers, replica set {hello['setName']}")
    client_store.database().command("count", "migrations")  # fails where the user may not read
    now = hello["localTime"]
    yield clock_difference(
        "client store's clock", now if now.tzinfo else now.replace(tzinfo=UTC), datetime.now(UTC), "its clock"
    )


def _migrations() -> Finding:
    done = {doc["_id"] for doc in client_store.database()["migrations"].find()}
    if missing := sorted(MIGRATIONS.keys() - done):
        return failed("client migrations", f"not run: {', '.join(map(str, missing))}", "lockstep migrate client")
    if newer := sorted(done - MIGRATIONS.keys()):
        fix = "Install the version that migrated it, or a newer one, on this host."
        return failed("client migrations", f"the store has migrations that this version does not know: {newer}", fix)
    return ok("client migrations", f"at {max(MIGRATIONS)}")


def _worker() -> Finding:
    """Check both at once: beat enqueues the collection of dead letters every 15 seconds, and a worker runs it."""
    fix = "Start 'celery -A tasks worker' and 'celery -A tasks beat'; 'celery -A tasks inspect ping' lists the workers."
    return heartbeat("beat and worker", collected_at(), client_store.clock().replace(tzinfo=UTC), fix)
