"""What holds for all tests: none of them looks at how long something took."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("handrail", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("handrail")
