"""Documents of the images, and of those that are still to be fetched."""

from mongoengine import BinaryField, DateTimeField, Document, IntField, StringField


class ImageCopy(Document):
    """An image, its digest verified. ``unused_since``: since when no product names it, None while one does;
    ``checked_at``: when that was last found out."""

    meta = {"collection": "images", "auto_create_index": False, "strict": False}

    id = StringField(primary_key=True)  # the digest
    content = BinaryField(required=True)
    checked_at = DateTimeField(required=True)
    unused_since = DateTimeField()


class WantedImage(Document):
    """An image that a product names and that is not here. ``reason``: why the last try failed."""

    meta = {"collection": "images_wanted", "auto_create_index": False, "strict": False}

    id = StringField(primary_key=True)  # the digest
    since = DateTimeField(required=True)
    due_at = DateTimeField(required=True)
    tries = IntField(required=True)
    reason = StringField()
