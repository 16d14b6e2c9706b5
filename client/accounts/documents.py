"""Shoppers' accounts."""

from mongoengine import DateTimeField, DictField, Document, ListField, StringField


class Shopper(Document):
    """``id`` is opaque: it is all that Admin ever learns of a shopper."""

    meta = {"collection": "shoppers", "auto_create_index": False, "strict": False}

    id = StringField(primary_key=True)
    email = StringField(required=True)  # lower case, unique
    password_hash = StringField(required=True)
    created_at = DateTimeField(required=True)
    sign_ins = ListField(DictField())  # client.accounts.sign_ins
