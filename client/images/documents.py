"""Documents of copied images and of wanted ones."""

from mongoengine import BinaryField, DateTimeField, Document, IntField, StringField


class ImageCopy(Document):
    """A copied image with a verified digest. ``unused_since`` is None while a product uses it; ``checked_at`` is the
    time of the last check."""

    meta = {"collection": "images", "auto_create_index": False, "strict": False}

    id = StringField(primary_key=True)  # the digest
    content = BinaryField(required=True)
    checked_at = DateTimeField(required=True)
    unused_since = DateTimeField()


class WantedImage(Document):
    """An image that a product uses and that is not copied yet. ``reason``: why the last try failed."""

    meta = {"collection": "images_wanted", "auto_create_index": False, "strict": False}

    id = StringField(primary_key=True)  # the digest
    since = DateTimeField(required=True)
    due_at = DateTimeField(required=True)
    tries = IntField(required=True)
    reason = StringField()
