"""`handrail demo`: the embedded desk, an agent at work, and a console to decide in."""

from __future__ import annotations

from handrail.surfaces.demo.play import as_json, play, play_headless

__all__ = ["as_json", "play", "play_headless"]
