"""Currencies and the number of decimals of their prices (ISO 4217), from Babel's data."""

import re
from decimal import Decimal
from functools import cache

from babel.numbers import get_currency_precision, list_currencies

MAX_DECIMALS = 4  # of any currency
CODES = frozenset(list_currencies() - {"XXX", "XTS"})  # XXX is "no currency", XTS is for tests

# Babel's data (CLDR) has the decimals in common use. ISO 4217 allows more for these.
_ISO_4217 = {"IQD": 3} | dict.fromkeys(
    ("AFN", "ALL", "COP", "HUF", "IDR", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "SOS", "SYP", "YER"), 2
)


@cache
def decimals(currency: str) -> int:
    """Return the number of digits after the point of a price in ``currency``; 2 for a code outside CODES."""
    return _ISO_4217.get(currency, get_currency_precision(currency))


def too_exact(amount: Decimal, currency: str) -> str | None:
    """Return an error where ``amount`` has more decimals than ``currency``, else None."""
    places = decimals(currency)
    if amount == round(amount, places):
        return None
    return f"Must have at most {places} decimals in {currency}." if places else f"{currency} has no decimals."


def price_text(amount: Decimal, currency: str, grouped: bool = False) -> str:
    """Return ``amount`` with the decimals of ``currency``: ``1250`` JPY, ``12.50`` EUR, ``1.250`` KWD.

    An amount with more decimals, as after an edit in the database, is shown in full. ``grouped`` separates thousands
    by commas.
    """
    exponent = amount.normalize().as_tuple().exponent
    digits = max(decimals(currency), -exponent if isinstance(exponent, int) else 0)
    return f"{amount:{',' if grouped else ''}.{digits}f}"


@cache
def price_pattern(currency: str) -> re.Pattern[str]:
    """Return the pattern that a whole price in ``currency`` matches, as ``price_text`` writes it."""
    places = decimals(currency)
    return re.compile(r"[0-9]{1,10}" + (rf"\.[0-9]{{{places}}}" if places else ""))
