"""What a login provider's word is worth: every part of an id token is checked."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from joserfc.jwk import RSAKey

from handrail.errors import HandrailError, InvalidInput
from handrail.surfaces.provider import Departure, Door, Provider, ProviderSettings, Voucher
from tests.api.liar import Liar, by_hand, lying

NOW: Final = int(time.time())
BACK: Final = "http://localhost/login/back"
CLIENT: Final = "handrail"
SECRET: Final = "the secret between the two"


@pytest.fixture
def liar() -> Iterator[Liar]:
    """A provider that says what it is told to."""
    with lying() as found:
        yield found


def provider_of(liar: Liar, **fields: Any) -> Provider:
    """The client of it."""
    settings = ProviderSettings(
        issuer=fields.get("issuer", liar.issuer), client_id=CLIENT, client_secret=SECRET
    )
    return Provider(settings, clock=lambda: NOW * 1_000, entropy=os.urandom)


def arrive(provider: Provider) -> Voucher | str:
    """For whom it vouches, or the code of a refusal."""

    async def both() -> Voucher:
        url, departure = await provider.depart(
            BACK, desk="main", path="/", person="", invitation=""
        )
        assert "code_challenge_method=S256" in url
        assert departure.verifier not in url
        assert SECRET not in url
        known = Departure(
            state=departure.state, nonce="n-1", verifier=departure.verifier, at=0, desk="main"
        )
        return await provider.arrive(BACK, "a-code", known)

    try:
        return asyncio.run(both())
    except HandrailError as error:
        return "it tells the secret" if SECRET in str(error) else error.code


def claims(liar: Liar, **other: Any) -> dict[str, Any]:
    """Good claims, but for what is other; None leaves one out."""
    good = {
        "iss": liar.issuer,
        "aud": CLIENT,
        "sub": "s-1",
        "exp": NOW + 300,
        "iat": NOW,
        "nonce": "n-1",
    }
    return {name: value for name, value in {**good, **other}.items() if value is not None}


def test_a_good_token_vouches(liar: Liar) -> None:
    """M4: issuer and subject come out, nothing else; the code came with its verifier."""
    liar.answer = {"id_token": liar.token(claims(liar, email="sam@example.com"))}
    assert arrive(provider_of(liar)) == Voucher(issuer=liar.issuer, subject="s-1")
    (sent,) = liar.asked
    assert sent["code"] == ["a-code"]
    assert len(sent["code_verifier"][0]) >= 43


Bad = Callable[[Liar], str]
BAD: Final[dict[str, Bad]] = {
    "another issuer": lambda one: one.token(claims(one, iss="https://evil.example")),
    "another audience": lambda one: one.token(claims(one, aud="another")),
    "two audiences and no party": lambda one: one.token(claims(one, aud=[CLIENT, "other"])),
    "another authorized party": lambda one: one.token(claims(one, azp="other")),
    "run out": lambda one: one.token(claims(one, exp=NOW - 61)),
    "no end": lambda one: one.token(claims(one, exp=None)),
    "from the future": lambda one: one.token(claims(one, iat=NOW + 600)),
    "another nonce": lambda one: one.token(claims(one, nonce="n-2")),
    "no nonce": lambda one: one.token(claims(one, nonce=None)),
    "no subject": lambda one: one.token(claims(one, sub=None)),
    "signed by nobody": lambda one: by_hand({"alg": "none"}, claims(one), None),
    "signed with our secret": lambda one: by_hand(
        {"alg": "HS256", "kid": "one"}, claims(one), SECRET.encode()
    ),
    "signed with the public key as a secret": lambda one: by_hand(
        {"alg": "HS256", "kid": "one"}, claims(one), one.key.as_pem(private=False)
    ),
    "signed by another key of that name": lambda one: one.token(
        claims(one), key=RSAKey.generate_key(2048, {"kid": "one"})
    ),
    "not a token": lambda one: "a.b.c",
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_token_vouches_for_nobody(liar: Liar, what: str) -> None:
    """M4: each is refused, and the good one after it is not."""
    provider = provider_of(liar)
    liar.answer = {"id_token": BAD[what](liar)}
    assert arrive(provider) == "provider_refused"
    liar.answer = {"id_token": liar.token(claims(liar))}
    assert isinstance(arrive(provider), Voucher)


def test_a_new_key_is_fetched(liar: Liar) -> None:
    """A provider changes its keys; the next login finds out by itself."""
    provider = provider_of(liar)
    liar.answer = {"id_token": liar.token(claims(liar))}
    assert isinstance(arrive(provider), Voucher)
    liar.key = RSAKey.generate_key(2048, {"kid": "two"})
    liar.answer = {"id_token": liar.token(claims(liar), kid="two")}
    assert isinstance(arrive(provider), Voucher)


def test_no_token_and_no_answer(liar: Liar) -> None:
    """An access token alone says nothing about who came; silence is no login."""
    liar.answer = {}
    assert arrive(provider_of(liar)) == "provider_refused"
    liar.answer = {"error": "invalid_grant", "error_description": SECRET}
    assert arrive(provider_of(liar)) == "provider_refused"
    assert arrive(provider_of(liar, issuer="http://127.0.0.1:9")) == "provider_unavailable"


def test_it_must_be_who_it_says(liar: Liar) -> None:
    """M5: another name, a missing address, or one that is no https: it is not asked further."""
    for wrong in (
        {"issuer": "https://evil.example"},
        {"jwks_uri": None},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
    ):
        good = dict(liar.about)
        liar.about = {**good, **wrong}
        assert arrive(provider_of(liar)) in ("provider_refused", "setting_malformed")
        liar.about = good
    assert liar.asked == []


@pytest.mark.parametrize("issuer", ["http://login.example.com", "login.example.com", "", "ftp://x"])
def test_an_issuer_is_an_https_address(issuer: str) -> None:
    """M5: secrets and tokens go there."""
    settings = ProviderSettings(issuer=issuer, client_id=CLIENT, client_secret=SECRET)
    with pytest.raises(InvalidInput, match="setting_malformed"):
        Provider(settings, clock=lambda: 0, entropy=os.urandom)
    assert SECRET not in repr(settings)


@pytest.mark.parametrize("address", ["desk.example.com", "https://x/", "https://x/y", "ftp://x"])
def test_an_address_is_an_origin(address: str) -> None:
    """What passkeys are bound to, and where the provider sends people back to."""
    with pytest.raises(InvalidInput, match="setting_malformed"):
        Door(address=address)
