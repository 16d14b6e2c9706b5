"""Shoppers' accounts."""

from mongoengine import DateTimeField, DictField, Document, ListField, StringField


class Shopper(Document):
    """``id`` is opaque: it is all that Admin ever learns of a shopper."""

    meta = {"collection": "shoppers", "auto_create_index": False, "strict": False}

    id = StringField(primary_key=True)
    email = StringField(required=True)  # lower case, unique
    password_hash = StringField(default="")  # empty: signed in by an issuer alone
    oidc_subject = StringField()  # the issuer and its name for this shopper; unique
    created_at = DateTimeField(required=True)
    sign_ins = ListField(DictField())  # client.accounts.sign_ins

    def create(self) -> "Shopper":
        """Store a new account. Raises pymongo's DuplicateKeyError when the e-mail or the issuer's name is another's.

        Not ``save``: MongoEngine makes an outage of the store look like any other error.
        """
        self.validate()
        Shopper._get_collection().insert_one(self.to_mongo())
        return self
