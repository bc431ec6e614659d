"""Amounts in frozen parameters: from the server's form to the text that a tool takes."""

from __future__ import annotations

from typing import Final

__all__ = ["DECIMALS", "as_text"]

# ISO 4217 list one as published on 2026-01-01, by number of decimals. A copy of the server's own
# table, since the SDK stands alone; a test compares the two.
_CODES_BY_DECIMALS: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
        CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP
        GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK
        LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO
        NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS
        SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST
        XAD XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
DECIMALS: Final = {
    code: decimals for decimals, codes in _CODES_BY_DECIMALS.items() for code in codes.split()
}
_FIELDS: Final = frozenset(("currency", "minor"))


def as_text(value: object) -> object:
    """`{"currency": "USD", "minor": 1200}` as `12.00 USD`; every other value as it is.

    A currency that this client does not know stays as it is: better no text than a wrong amount.
    """
    if not isinstance(value, dict) or value.keys() != _FIELDS:
        return value
    minor, currency = value["minor"], value["currency"]
    decimals = DECIMALS.get(currency) if isinstance(currency, str) else None
    if type(minor) is not int or minor < 0 or decimals is None:
        return value
    if decimals == 0:
        return f"{minor} {currency}"
    digits = str(minor).zfill(decimals + 1)
    return f"{digits[:-decimals]}.{digits[-decimals:]} {currency}"
