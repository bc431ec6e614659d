"""A login provider (OpenID Connect): people log in there, and it vouches for who they are.

The authorization code with PKCE, a state and a nonce; the id token's signature, issuer, audience,
time and nonce are checked. What comes out is the pair of issuer and subject, and nothing else: an
e-mail address can be given to somebody else tomorrow.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec

from handrail.errors import InvalidInput, NotAuthenticated, SetupFailed, Unavailable

__all__ = [
    "TAKE_BACK_MS",
    "Departure",
    "Door",
    "Provider",
    "ProviderSettings",
    "Voucher",
    "check_installed",
]

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
"""How an id token may be signed: by the provider's own key. Never `none`, nor a shared secret."""
TIMEOUT_S: Final = 10.0
LEEWAY_S: Final = 60
"""How far the provider's clock may be off."""
DISCOVERY_MS: Final = 3_600_000
"""How long what the provider says about itself is good for."""
_RANDOM_BYTES: Final = 32
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_ADDRESSES: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where people log in, and as which client. The secret is shown nowhere."""

    issuer: str
    client_id: str
    client_secret: str | None = None

    def __repr__(self) -> str:
        return f"ProviderSettings(issuer={self.issuer!r}, client_id={self.client_id!r})"


TAKE_BACK_MS: Final = 10_000
"""How long people can take back what they approved here."""


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """How people's browsers come in: the address of the console, and where else they log in.

    For `take_back_ms` after an approval nothing leaves, so that it can be taken back.
    Raises InvalidInput `setting_malformed` for what is not an origin.
    """

    address: str | None = None
    provider: ProviderSettings | None = None
    take_back_ms: int = TAKE_BACK_MS

    def __post_init__(self) -> None:
        if self.address is None:
            return
        parts = urlsplit(self.address)
        whole = f"{parts.scheme}://{parts.netloc}"
        if parts.scheme not in ("http", "https") or not parts.hostname or whole != self.address:
            raise InvalidInput(
                "setting_malformed",
                f"`{self.address}` is not an address like `https://desk.example.com`",
            )


class Departure(msgspec.Struct, frozen=True, kw_only=True):
    """One login that is under way: what the browser must bring back, and where it goes then."""

    state: str
    nonce: str
    verifier: str
    at: int
    desk: str
    path: str = "/"
    person: str = ""
    invitation: str = ""


class Voucher(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a provider vouches."""

    issuer: str
    subject: str


class Provider:
    """One login provider. `clock` is in milliseconds. Safe to share between requests."""

    def __init__(
        self,
        settings: ProviderSettings,
        *,
        clock: Callable[[], int],
        entropy: Callable[[int], bytes],
    ) -> None:
        check_installed()
        _check_address(settings.issuer, "the issuer")
        self.settings = settings
        self._clock = clock
        self._entropy = entropy
        self._known: tuple[int, dict[str, Any]] = (0, {})
        self._keys: Any = None

    @property
    def name(self) -> str:
        """What people know it by: its host."""
        return urlsplit(self.settings.issuer).netloc

    async def depart(
        self, back: str, *, desk: str, path: str, person: str, invitation: str
    ) -> tuple[str, Departure]:
        """The address to send a browser to, and what is kept of it in that browser's cookie.

        Raises Unavailable `provider_unavailable`.
        """
        departure = Departure(
            state=self._random(),
            nonce=self._random(),
            verifier=self._random(),
            at=self._clock(),
            desk=desk,
            path=path,
            person=person,
            invitation=invitation,
        )
        about = await self._about()
        async with self._client(back) as client:
            url, _ = client.create_authorization_url(
                about["authorization_endpoint"],
                state=departure.state,
                nonce=departure.nonce,
                code_verifier=departure.verifier,
            )
        return str(url), departure

    async def arrive(self, back: str, code: str, departure: Departure) -> Voucher:
        """Trade the code that the browser has brought for an id token, and check that.

        Raises NotAuthenticated `provider_refused`, and Unavailable `provider_unavailable`.
        """
        about = await self._about()
        try:
            async with self._client(back) as client:
                answer = await client.fetch_token(
                    about["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=departure.verifier,
                )
        except httpx.HTTPError:
            raise _unavailable() from None
        except Exception as error:
            # WHY NOT: say what the provider said. It may repeat what was sent, the secret too.
            raise _refused(f"it did not take the code ({type(error).__name__})") from None
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _refused("it sent no id token")
        return await self._checked(token, departure.nonce, about)

    async def _checked(self, token: str, nonce: str, about: dict[str, Any]) -> Voucher:
        from joserfc import jwt
        from joserfc.errors import InvalidKeyIdError, JoseError

        try:
            try:
                decoded = jwt.decode(token, await self._key_set(about), algorithms=ALGORITHMS)
            except (InvalidKeyIdError, ValueError):
                # It may have a new key since.
                keys = await self._key_set(about, anew=True)
                decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
            client_id = self.settings.client_id
            jwt.JWTClaimsRegistry(
                now=self._clock() // 1_000,
                leeway=LEEWAY_S,
                iss={"essential": True, "value": self.settings.issuer},
                aud={"essential": True, "value": client_id},
                exp={"essential": True},
                iat={"essential": True},
                sub={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise _refused(f"its id token does not hold ({type(error).__name__})") from None
        claims = decoded.claims
        others = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if claims.get("azp", client_id) != client_id or (len(others) > 1 and "azp" not in claims):
            raise _refused("its id token is for another client")
        return Voucher(issuer=self.settings.issuer, subject=str(claims["sub"]))

    async def _about(self) -> dict[str, Any]:
        """What the provider says about itself (discovery), from its own address alone."""
        until, known = self._known
        now = self._clock()
        if now < until:
            return known
        issuer = self.settings.issuer
        found = await self._get(issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise _refused("it calls itself by another name than the issuer that is set")
        for name in _ADDRESSES:
            address = found.get(name)
            if not isinstance(address, str):
                raise _refused(f"it names no `{name}`")
            _check_address(address, f"its `{name}`")
        self._known = (now + DISCOVERY_MS, found)
        return found

    async def _key_set(self, about: dict[str, Any], *, anew: bool = False) -> Any:
        from joserfc.jwk import KeySet

        if self._keys is None or anew:
            found: Any = await self._get(about["jwks_uri"])
            self._keys = KeySet.import_key_set(found)
        return self._keys

    async def _get(self, address: str) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client:
                answer = await client.get(address)
                answer.raise_for_status()
                found = answer.json()
        except (httpx.HTTPError, ValueError):
            raise _unavailable() from None
        if not isinstance(found, dict):
            raise _unavailable()
        return found

    def _client(self, back: str) -> Any:
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        settings = self.settings
        return AsyncOAuth2Client(
            settings.client_id,
            settings.client_secret,
            token_endpoint_auth_method="client_secret_basic" if settings.client_secret else "none",
            scope="openid",
            redirect_uri=back,
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
            follow_redirects=False,
        )

    def _random(self) -> str:
        return base64.urlsafe_b64encode(self._entropy(_RANDOM_BYTES)).decode().rstrip("=")


def check_installed() -> None:
    """Require the extra; raises SetupFailed `extra_missing`."""
    if any(find_spec(name) is None for name in ("authlib", "joserfc")):
        raise SetupFailed(
            "extra_missing", "a login provider needs the extra `oidc`: install `handrail[oidc]`"
        )


def _check_address(address: str, what: str) -> None:
    """Secrets and tokens go there: https, or this very machine."""
    try:
        parts = urlsplit(address)
        good = parts.hostname is not None and (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        )
    except ValueError:
        good = False
    if not good:
        raise InvalidInput("setting_malformed", f"{what} is not an https address")


def _refused(why: str) -> NotAuthenticated:
    return NotAuthenticated("provider_refused", f"the login provider does not vouch for you: {why}")


def _unavailable() -> Unavailable:
    return Unavailable("provider_unavailable", "the login provider does not answer; try again")
