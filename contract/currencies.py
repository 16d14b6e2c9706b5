"""Currencies and how many decimals their prices have (ISO 4217), from Babel's data."""

import re
from decimal import Decimal
from functools import cache

from babel.numbers import get_currency_precision, list_currencies

MAX_DECIMALS = 4  # of any currency
CODES = frozenset(list_currencies() - {"XXX", "XTS"})  # without "no currency" and "for tests"

# Babel's data (CLDR) says how exactly people use a currency. Where ISO 4217 is more exact, prices may be so too.
_ISO_4217 = {"IQD": 3} | dict.fromkeys(
    ("AFN", "ALL", "COP", "HUF", "IDR", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "SOS", "SYP", "YER"), 2
)


@cache
def decimals(currency: str) -> int:
    """Return how many digits a price in ``currency`` has after the point; 2 for a code that is none of CODES."""
    return _ISO_4217.get(currency, get_currency_precision(currency))


def too_exact(amount: Decimal, currency: str) -> str | None:
    """Return what is wrong with an ``amount`` that has more decimals than ``currency``, None where it has not."""
    places = decimals(currency)
    if amount == round(amount, places):
        return None
    return f"Must have at most {places} decimals in {currency}." if places else f"{currency} has no decimals."


def price_text(amount: Decimal, currency: str, grouped: bool = False) -> str:
    """Return ``amount`` with the decimals of ``currency``: ``1250`` JPY, ``12.50`` EUR, ``1.250`` KWD.

    An amount that is more exact, because somebody edited a database, is shown as it is. ``grouped``: with a comma
    between thousands, for people.
    """
    exponent = amount.normalize().as_tuple().exponent
    digits = max(decimals(currency), -exponent if isinstance(exponent, int) else 0)
    return f"{amount:{',' if grouped else ''}.{digits}f}"


@cache
def price_pattern(currency: str) -> re.Pattern[str]:
    """Return what the text of a price in ``currency`` matches as a whole, as ``price_text`` writes it."""
    places = decimals(currency)
    return re.compile(r"[0-9]{1,10}" + (rf"\.[0-9]{{{places}}}" if places else ""))
