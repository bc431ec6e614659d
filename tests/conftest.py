"""What holds for all tests: none of them looks at how long something took."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("handrail", deadline=None)
settings.load_profile("handrail")
