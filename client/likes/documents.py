"""The like set. Each document is its own outbox: ``pending`` and ``uncounted`` exist only while they are true."""

from mongoengine import BooleanField, DateTimeField, Document, IntField, LongField, StringField


class Like(Document):
    """One shopper's state towards one product; ``_id`` is ``product:user``."""

    meta = {"collection": "likes", "auto_create_index": False, "strict": False}

    id = StringField(primary_key=True)
    product = IntField(required=True)
    user = StringField(required=True)
    liked = BooleanField(required=True)
    rev = LongField(required=True)  # counts the changes, from 1
    at = DateTimeField(required=True)
    pending = BooleanField()  # Admin has not settled this rev
    uncounted = BooleanField()  # the product's count does not hold this state
    counted = BooleanField()  # what the count holds of it
    parked = StringField()  # why Admin refused this rev; cleared by the next change


def like_id(product_id: int, user: str) -> str:
    return f"{product_id}:{user}"
