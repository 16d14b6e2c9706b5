"""Documents of the catalogue's copy."""

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
    """A product as Admin last told it, or its tombstone: ``deleted``, ``sequence`` and no content, kept for ever."""

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
    likes = IntField(default=0)  # size of the like set (L3); product messages never touch it


class SyncFailure(Document):
    """Why a product's message was refused; Admin shows it. Deleted once that sequence or a newer one is applied."""

    meta = {"collection": "sync_failures", "auto_create_index": False, "strict": False}

    id = IntField(primary_key=True)
    sequence = LongField(required=True)
    reason = StringField(required=True)
    at = DateTimeField(required=True)
