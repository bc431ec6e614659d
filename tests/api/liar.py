"""A login provider that gives whatever id token a test tells it to."""

from __future__ import annotations

import hmac
import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import RSAKey


class Liar:
    """Its answers: what it says of itself, its keys, and the id token for any code."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.about: dict[str, Any] = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
        }
        self.answer: dict[str, Any] = {}
        self.asked: list[dict[str, list[str]]] = []

    def keys(self) -> dict[str, Any]:
        """Its public keys."""
        return {"keys": [self.key.as_dict(private=False)]}

    def token(self, claims: dict[str, Any], *, key: Any = None, **header: Any) -> str:
        """An id token."""
        return jwt.encode(
            {"alg": "RS256", "kid": "one", **header},
            claims,
            key or self.key,
            algorithms=["RS256"],
        )


@contextmanager
def lying() -> Iterator[Liar]:
    """Serve one on a free port."""
    liar: Liar

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = {"/.well-known/openid-configuration": liar.about, "/keys": liar.keys()}
            self._say(known.get(self.path, {}))

        def do_POST(self) -> None:
            size = int(self.headers["content-length"])
            liar.asked.append(parse_qs(self.rfile.read(size).decode()))
            self._say({"access_token": "x", "token_type": "Bearer", **liar.answer})

        def _say(self, said: dict[str, Any]) -> None:
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *said: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        liar = Liar(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield liar
        server.shutdown()


def by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> str:
    """A token that no honest library makes: unsigned, or signed with a secret."""
    parts = [_text(json.dumps(one).encode()) for one in (header, claims)]
    told = ".".join(parts)
    mark = b"" if secret is None else hmac.digest(secret, told.encode(), "sha256")
    return f"{told}.{_text(mark)}"


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
