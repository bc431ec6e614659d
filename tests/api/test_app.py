"""The application around the operations: what a console's page does when it goes wrong."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

import handrail
from handrail.errors import Conflict, InvariantBroken
from handrail.surfaces.api import app as app_module
from handrail.surfaces.api.app import create_app
from handrail.surfaces.api.gateway import Gateway
from handrail.surfaces.api.incoming import Answer, Incoming
from handrail.surfaces.api.operations import SECURITY_HEADERS, Operation


def console(gateway: Gateway) -> Sequence[BaseRoute]:
    """Pages that work, fail, and fail badly."""

    def page(answer: Callable[[], Response]) -> Callable[[Request], Response]:
        return lambda request: answer()

    def fails(error: Exception) -> Callable[[Request], Response]:
        def answer() -> Response:
            raise error

        return page(answer)

    return [
        Route("/works", page(lambda: PlainTextResponse(gateway.desk))),
        Route("/own", page(lambda: PlainTextResponse("", headers={"cache-control": "private"}))),
        Route("/conflict", fails(Conflict("not_pending", "decided already"))),
        Route("/fault", fails(RuntimeError("a secret detail"))),
        Route("/broken", fails(InvariantBroken("invariant_broken", "two at once"))),
    ]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/works", 200, None),
        ("/conflict", 409, "not_pending"),
        ("/fault", 500, "internal"),
        ("/broken", 500, "invariant_broken"),
    ],
)
def test_pages_of_a_console(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, path: str, status: int, code: str | None
) -> None:
    """Errors are problem documents, keep their details, and a broken invariant stops the worker."""

    async def story(gateway: Gateway, client: httpx.AsyncClient) -> None:
        answer = await client.get(path)
        assert answer.status_code == status
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "secret" not in answer.text
        if code is not None:
            assert answer.json()["code"] == code
        broken = gateway.runner.broken
        assert broken == ("two at once" if path == "/broken" else None)

    with handrail.open(tmp_path) as desk:
        app = create_app(desk, console=console)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)

        async def run() -> None:
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                await story(app.state.gateway, client)

        with caplog.at_level(logging.ERROR):
            asyncio.run(run())
        assert ("a secret detail" in caplog.text) is (path == "/fault")


def test_page_keeps_its_own_headers(tmp_path: Path) -> None:
    """What a page says about itself is not overwritten; the rest is added."""
    with handrail.open(tmp_path) as desk:
        transport = httpx.ASGITransport(create_app(desk, console=console))

        async def run() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.get("/own")

        answer = asyncio.run(run())
        assert answer.headers.get_list("cache-control") == ["private"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]


async def _fault(call: Incoming) -> Answer:
    raise RuntimeError("a secret detail")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        # Straight to its endpoint, and past the router.
        ("GET", "/v1/policy", 500, "internal"),
        ("PUT", "/v1/policy", 405, "method_not_allowed"),
        # By the router, for a part of it varies, or there is no such path.
        ("GET", "/v1/proposals/hr_1", 500, "internal"),
        ("PUT", "/v1/proposals/hr_1", 405, "method_not_allowed"),
        ("GET", "/v1/policy/", 404, "page_not_found"),
        ("GET", "/v1/nowhere", 404, "page_not_found"),
    ],
)
def test_paths_of_the_api_go_wrong_alike(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    status: int,
    code: str,
) -> None:
    """Whichever way a request takes: a problem, each header once, a fault only in the log."""
    faulty = [
        Operation(method="GET", path=one, summary="Fails", handle=_fault)
        for one in ("/v1/policy", "/v1/proposals/{id}")
    ]
    monkeypatch.setattr(app_module, "OPERATIONS", faulty)
    with handrail.open(tmp_path) as desk, caplog.at_level(logging.ERROR):
        transport = httpx.ASGITransport(create_app(desk), raise_app_exceptions=False)

        async def run() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path)

        answer = asyncio.run(run())
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers.get("allow") == ("GET, HEAD" if status == 405 else None)
    for name, value in SECURITY_HEADERS:
        assert answer.headers.get_list(name.decode()) == [value.decode()]
    assert "secret" not in answer.text
    assert ("a secret detail" in caplog.text) is (status == 500)
