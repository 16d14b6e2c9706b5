"""The collected dead letters. Their content is written once; afterwards only their state changes."""

from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    Document,
    IntField,
    ListField,
    StringField,
)

OPEN, RESYNCED, DISCARDED = STATES = ("open", "resynced", "discarded")
CLOSED = [RESYNCED, DISCARDED]  # removed after some days; open ones never are


class DeadLetter(Document):
    """One message that the broker moved to the dead letters; ``_id`` is a digest of it."""

    meta = {"collection": "dead_letters", "auto_create_index": False, "strict": False}

    id = StringField(primary_key=True)
    queue = StringField()  # that the message was in, "" when unknown
    exchange = StringField()
    died_at = DateTimeField(required=True)  # by the broker's clock
    cause = StringField()  # the broker's: rejected, delivery_limit, expired, …
    reason = StringField(required=True)  # found from the message itself
    task = StringField()
    task_id = StringField()
    products = ListField(DictField())  # {id, sequence}; sequence is None where it cannot be read
    products_left_out = IntField()
    payload = StringField()
    payload_encoding = StringField()  # text or base64
    payload_bytes = IntField()  # of the complete payload
    payload_cut = BooleanField()
    collected_at = DateTimeField(required=True)
    state = StringField(required=True)
    by = StringField()  # who changed the state
    at = DateTimeField(required=True)  # when the state changed
