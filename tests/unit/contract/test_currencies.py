"""Decimals by currency: those of ISO 4217."""

from decimal import Decimal

import pytest

from contract.currencies import CODES, decimals, price_pattern, price_text, too_exact

# ISO 4217's list: the decimals, and the currencies that have so many.
ISO_4217 = """
0 BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
2 AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
2 CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL
2 HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT
2 MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB
2 SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH
2 USD UYU UZS VES WST XCD YER ZAR ZMW
3 BHD IQD JOD KWD LYD OMR TND
4 CLF UYW
"""


def test_decimals_are_those_of_iso_4217() -> None:
    lines = [line.split() for line in ISO_4217.strip().splitlines()]
    expected = {code: int(places) for places, *codes in lines for code in codes}
    assert {code: decimals(code) for code in expected} == expected
    assert expected.keys() <= CODES


@pytest.mark.parametrize("code", ["ABC", "XXX", "XTS", "eur", "EU", ""])
def test_unknown_currency_code_is_refused(code: str) -> None:
    assert code not in CODES


@pytest.mark.parametrize(
    ("amount", "currency", "text", "grouped"),
    [
        ("1250.0000", "JPY", "1250", "1,250"),
        ("0", "JPY", "0", "0"),
        ("1234.5", "EUR", "1234.50", "1,234.50"),
        ("1E+2", "EUR", "100.00", "100.00"),
        ("1.25", "KWD", "1.250", "1.250"),
        ("9999999999.9999", "CLF", "9999999999.9999", "9,999,999,999.9999"),
        ("1.005", "EUR", "1.005", "1.005"),  # edited by hand: shown, not rounded
    ],
)
def test_price_has_the_decimals_of_its_currency(amount: str, currency: str, text: str, grouped: str) -> None:
    assert (price_text(Decimal(amount), currency), price_text(Decimal(amount), currency, grouped=True)) == (
        text,
        grouped,
    )


@pytest.mark.parametrize(
    ("amount", "currency", "wrong"),
    [
        ("1250", "JPY", None),
        ("1250.00", "JPY", None),
        ("12.5", "JPY", "JPY has no decimals."),
        ("12.505", "EUR", "Must have at most 2 decimals in EUR."),
        ("1.005", "KWD", None),
        ("1.0005", "KWD", "Must have at most 3 decimals in KWD."),
    ],
)
def test_amount_has_at_most_the_decimals_of_its_currency(amount: str, currency: str, wrong: str | None) -> None:
    assert too_exact(Decimal(amount), currency) == wrong


def test_pattern_matches_the_written_form_of_a_price() -> None:
    taken = [
        (c, t)
        for c in ("JPY", "EUR", "KWD")
        for t in ("1", "1.", "1.0", "1.00", "1.000")
        if price_pattern(c).fullmatch(t)
    ]
    assert taken == [("JPY", "1"), ("EUR", "1.00"), ("KWD", "1.000")]
