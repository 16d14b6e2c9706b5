"""The part of Admin's status that is about the Client: pending likes, wanted images, dead letters, worker."""

from typing import Any

from client.dead_letters.collect import collected_at
from client.dead_letters.documents import OPEN, DeadLetter
from client.images import wanted
from client.likes.status import status
from client.store import clock
from contract.messages import format_time
from contract.service_calls import STATE
from web.http.api import Blueprint
from web.security.signatures import service_only

blp = Blueprint("state", __name__, description="For Admin only")


@blp.route(STATE, methods=["POST"])
@service_only
@blp.response(200)
def show_state() -> Any:
    """Show the number and age of pending likes, the numbers of parked likes, open dead letters and wanted images, the
    time of the worker's last collection, and the time here.
    """
    likes, seen = status(), collected_at()
    return {
        "likes_pending": likes.pending,
        "likes_oldest_age": likes.oldest_pending_seconds,
        "likes_parked": sum(likes.parked.values()),
        "dead_letters": int(DeadLetter._get_collection().count_documents({"state": OPEN})),
        "images_wanted": wanted.waiting(),
        "worker_seen_at": format_time(seen) if seen else None,
        "now": format_time(clock()),
    }
