"""The console's static files, at addresses that change with their content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from handrail.errors import NotFound

__all__ = ["Assets"]

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HASH_CHARS: Final = 12
_FOREVER: Final = "public, max-age=31536000, immutable"


class Assets:
    """The files of `static/`, read once. `url` gives the address of one by its plain name."""

    def __init__(self) -> None:
        self._urls: dict[str, str] = {}
        self._files: dict[str, tuple[bytes, str]] = {}
        for file in files("handrail.surfaces.console").joinpath("static").iterdir():
            stem, dot, ending = file.name.rpartition(".")
            kind = _TYPES.get(dot + ending)
            if kind is None:
                continue
            data = file.read_bytes()
            name = f"{stem}.{hashlib.sha256(data).hexdigest()[:_HASH_CHARS]}.{ending}"
            self._urls[file.name] = f"/static/{name}"
            self._files[name] = (data, kind)

    @property
    def urls(self) -> Mapping[str, str]:
        """Every address by plain name."""
        return self._urls

    def url(self, name: str) -> str:
        """The address of a file; a name that is not there is a mistake in a template."""
        return self._urls[name]

    async def serve(self, request: Request) -> Response:
        """Answer a request for one file; a browser may keep it for good."""
        found = self._files.get(request.path_params["name"])
        if found is None:
            raise NotFound("page_not_found", "there is no such file")
        data, kind = found
        return Response(data, media_type=kind, headers={"cache-control": _FOREVER})
