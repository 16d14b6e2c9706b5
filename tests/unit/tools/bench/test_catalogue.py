"""The benchmark's made-up products are ones that Admin would save: the Client refuses all others as malformed."""

from contract.messages import ProductChanged
from tools.bench import catalogue


def test_every_made_up_product_is_a_valid_message() -> None:
    for message in catalogue.messages(1, 900):  # more than one period of titles, categories and prices
        assert ProductChanged.decode(message.encode()) == message
