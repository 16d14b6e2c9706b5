"""The collected dead letters. What they say is written once; afterwards only their state changes."""

from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    Document,
    IntField,
    ListField,
    StringField,
)

NEW, REPLAYING, REPLAYED, DISCARDED = STATES = ("new", "replaying", "replayed", "discarded")
SETTLED = [REPLAYED, DISCARDED]  # kept for a while, then removed; the others never are


class DeadLetter(Document):
    """One message that the broker moved to the dead letters; ``_id`` is a digest of it."""

    meta = {"collection": "dead_letters", "auto_create_index": False, "strict": False}

    id = StringField(primary_key=True)
    queue = StringField()  # where it died, "" when nobody says
    exchange = StringField()
    died_at = DateTimeField(required=True)  # by the broker's clock
    cause = StringField()  # the broker's: rejected, delivery_limit, expired, …
    reason = StringField(required=True)  # ours, from the message itself
    task = StringField()
    task_id = StringField()
    products = ListField(DictField())  # {id, sequence}; sequence is None where it cannot be read
    products_left_out = IntField()
    payload = StringField()
    payload_encoding = StringField()  # text or base64
    payload_bytes = IntField()  # of the whole
    payload_cut = BooleanField()
    collected_at = DateTimeField(required=True)
    state = StringField(required=True)
    by = StringField()  # who brought it there
    at = DateTimeField(required=True)  # since when it is in this state
    tried_at = DateTimeField()  # when its replay was last handed to a worker
    error = StringField()  # why its last replay did not work
