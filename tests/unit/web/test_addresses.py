"""Addresses as proxies and servers write them, and which count as one caller."""

import pytest

from web.security.addresses import network, plain


@pytest.mark.parametrize(
    ("written", "address", "caller"),
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:50123", "192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:50123", "192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2::5", "2001:db8:1:2::5", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff::1", "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::5]", "2001:db8:1:2::5", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::5]:443", "2001:db8:1:2::5", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
        ("::1", "::1", "::/64"),
        ("", "unknown", "unknown"),
        ("unknown", "unknown", "unknown"),
        ("x" * 5000, "unknown", "unknown"),
    ],
)
def test_address_is_parsed_in_every_form(written: str, address: str, caller: str) -> None:
    assert (plain(written), network(written)) == (address, caller)
