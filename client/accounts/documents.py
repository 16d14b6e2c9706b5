"""Shoppers' accounts."""

from mongoengine import DateTimeField, DictField, Document, ListField, StringField


class Shopper(Document):
    """A shopper. ``id`` is opaque and the only thing that Admin learns."""

    meta = {"collection": "shoppers", "auto_create_index": False, "strict": False}

    id = StringField(primary_key=True)
    email = StringField(required=True)  # lower case, unique
    password_hash = StringField(default="")  # empty: signs in by an issuer only
    oidc_subject = StringField()  # issuer and subject; unique
    created_at = DateTimeField(required=True)
    sign_ins = ListField(DictField())  # client.accounts.sign_ins

    def create(self) -> "Shopper":
        """Store a new account. Raises pymongo's DuplicateKeyError when the e-mail or the subject is taken.

        ``save`` is not used: MongoEngine raises the same error for an outage as for others.
        """
        self.validate()
        Shopper._get_collection().insert_one(self.to_mongo())
        return self
