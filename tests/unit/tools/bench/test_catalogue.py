"""The benchmark's generated products are ones that Admin would save: the Client refuses all others as malformed."""

from contract.messages import ProductChanged, ProductContent
from tools.bench import catalogue

AT = "2026-01-01T00:00:00.000Z"


def test_every_generated_product_is_a_valid_message() -> None:
    for number in range(900):  # more than one period of titles, categories and prices
        content = ProductContent(**catalogue.content(number), created_at=AT, updated_at=AT)
        message = ProductChanged(1 + number, 1, content)
        assert ProductChanged.decode(message.encode()) == message
