"""Removes images that no product has named for a while, in chunks. The relays' maintenance calls it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, or_, select, update

from admin.catalogue.images.models import Image
from admin.catalogue.models import Product
from admin.db.engine import utc_now
from admin.db.extensions import db
from web.http.images import url_of

CHUNK = 200
CHECK_EVERY = timedelta(days=1)  # each image
KEEP_UNUSED = timedelta(days=7)  # time to save the product after an upload, or to undo a change
KEEP_OF_DELETED = timedelta(days=90)  # as long as the change log: until then a restored product has its image

log = structlog.get_logger(__name__)


def purge() -> int:
    """Check the images with the oldest check; return their number, less than CHUNK where no more are due."""
    now = db.session.execute(select(utc_now())).scalar_one()
    # Locked: a product that names one of these images waits; images locked by a product are skipped (service.lock).
    due = (
        select(Image.digest, Image.unused_since)
        .where(Image.checked_at < now - CHECK_EVERY)
        .order_by(Image.checked_at)
        .limit(CHUNK)
        .with_for_update(skip_locked=True)
    )
    unused_since = dict(db.session.execute(due).tuples().all())
    unused = set(unused_since) - _used(list(unused_since), now)
    old = [digest for digest in unused if (unused_since[digest] or now) < now - KEEP_UNUSED]
    _record([digest for digest in unused_since if digest not in unused], now, None)
    _record([digest for digest in unused if unused_since[digest] is None], now, now)
    _record([digest for digest in unused if digest not in old and unused_since[digest]], now)
    if old:
        db.session.execute(delete(Image).where(Image.digest.in_(old)))
        log.info("images removed: no product names them", images=len(old))
    db.session.commit()
    return len(unused_since)


def _used(digests: Sequence[str], now: datetime) -> set[str]:
    """Return those that a live or recently deleted product names."""
    addresses = {url_of(digest): digest for digest in digests}
    lives = or_(Product.deleted_at.is_(None), Product.deleted_at > now - KEEP_OF_DELETED)
    named = select(Product.image_url).where(Product.image_url.in_(addresses), lives).distinct()
    return {addresses[url] for url in db.session.execute(named).scalars()} if addresses else set()


def _record(digests: Sequence[str], now: datetime, *unused_since: datetime | None) -> None:
    """Set ``checked_at``, and ``unused_since`` where it is given."""
    if digests:
        values = {"checked_at": now, **({"unused_since": unused_since[0]} if unused_since else {})}
        db.session.execute(update(Image).where(Image.digest.in_(digests)).values(values))
