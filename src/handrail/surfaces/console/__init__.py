"""The reviewer console: pages made on the server, that work without JavaScript."""

from __future__ import annotations

from handrail.surfaces.console.routes import console_routes

__all__ = ["console_routes"]
