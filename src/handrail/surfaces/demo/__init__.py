"""`handrail demo`: the embedded desk, an agent at work, and a console to decide in."""

from __future__ import annotations

from handrail.surfaces.demo.play import play
from handrail.surfaces.demo.stage import Stage, set_up

__all__ = ["Stage", "play", "set_up"]
