"""Documents of the copy of the catalogue."""

from mongoengine import (
    BooleanField,
    DateTimeField,
    Decimal128Field,
    Document,
    IntField,
    ListField,
    LongField,
    StringField,
)


class ProductCopy(Document):
    """A product's newest state from Admin. A tombstone is ``deleted``, has no content, and is never removed."""

    meta = {"collection": "products", "auto_create_index": False, "strict": False}

    id = IntField(primary_key=True)
    sequence = LongField(required=True)
    deleted = BooleanField(required=True)
    checksum = StringField(required=True)
    applied_at = DateTimeField()
    sku = StringField()
    title = StringField()
    description = StringField()
    price = Decimal128Field()
    currency = StringField()
    category = StringField()
    image_url = StringField()
    created_at = DateTimeField()
    updated_at = DateTimeField()
    search_terms = ListField(StringField())  # of title, sku and category, for search by prefix
    likes = IntField(default=0)  # number of counted likes; product messages never change it


class SyncFailure(Document):
    """Why a product's message was refused; Admin shows it. Removed once that sequence or a newer one is applied."""

    meta = {"collection": "sync_failures", "auto_create_index": False, "strict": False}

    id = IntField(primary_key=True)
    sequence = LongField(required=True)
    reason = StringField(required=True)
    at = DateTimeField(required=True)
