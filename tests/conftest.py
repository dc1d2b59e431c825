"""What all tests share: laws are searched without a clock, the machine may be busy."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("tokenbook", deadline=None)
settings.load_profile("tokenbook")
