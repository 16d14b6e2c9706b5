"""The Client's side: its store, its migrations, and whether worker and beat are at work."""

from collections.abc import Iterator
from datetime import UTC, datetime

from pymongo.errors import OperationFailure, PyMongoError

from client import store as client_store
from client.config import ClientSettings
from client.dead_letters.collect import collected_at
from client.migrations import MIGRATIONS
from lockstep.doctor.findings import Finding, down, failed, ok, sign_of_life, skew

OLDEST = (6, 0)  # the oldest that MongoDB supports with transactions as used here


def store(settings: ClientSettings) -> Iterator[Finding]:
    """Everything that can be asked of the store itself."""
    client_store.connect(settings)
    try:
        yield from _server()
        behind = _migrations()
        yield behind
        yield _worker()
    except OperationFailure as error:
        cure = "The user or password in CLIENT_MONGODB_URL is wrong, or lacks readWrite on its database."
        yield down("client store", str(error.details.get("errmsg", error) if error.details else error), cure)
    except PyMongoError as error:
        cure = (
            "Is the server up, are host, port and replicaSet in CLIENT_MONGODB_URL right from here, is there a primary?"
        )
        yield down("client store", str(error).partition(", Timeout")[0], cure)


def _server() -> Iterator[Finding]:
    admin = client_store.mongo().admin
    hello, version = admin.command("hello"), admin.command("buildInfo")["version"]
    if tuple(map(int, version.split(".")[:2])) < OLDEST:
        yield failed("client store", f"is MongoDB {version}", "Use MongoDB 6.0 or newer.")
    elif "setName" not in hello:
        cure = "Start mongod with --replSet and run rs.initiate(), also for a single server: transactions need it."
        yield failed("client store", f"MongoDB {version} is not in a replica set", cure)
    else:
        yield ok("client store", f"MongoDB {version} answers, replica set {hello['setName']}")
    client_store.database().command("count", "migrations")  # the first thing that needs the right to read
    now = hello["localTime"]
    yield skew("client store's clock", now if now.tzinfo else now.replace(tzinfo=UTC), datetime.now(UTC), "its clock")


def _migrations() -> Finding:
    done = {doc["_id"] for doc in client_store.database()["migrations"].find()}
    if missing := sorted(MIGRATIONS.keys() - done):
        return failed("client migrations", f"not run: {', '.join(map(str, missing))}", "lockstep migrate client")
    if newer := sorted(done - MIGRATIONS.keys()):
        cure = "Install the version that migrated it, or a newer one, on this host."
        return failed("client migrations", f"this version is older than the store: it does not know {newer}", cure)
    return ok("client migrations", f"at {max(MIGRATIONS)}")


def _worker() -> Finding:
    """Beat asks for the collection of dead letters every ten seconds and a worker does it: both work, or not."""
    cure = "Start 'celery -A tasks worker' and 'celery -A tasks beat'; 'celery -A tasks inspect ping' asks them."
    return sign_of_life("beat and worker", collected_at(), client_store.clock().replace(tzinfo=UTC), cure)
