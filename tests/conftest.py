"""What every test may rely on."""

from __future__ import annotations

import time
from collections.abc import Iterator

import hypothesis
import pytest

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")  # How long one example takes says how busy the machine is.


@pytest.fixture(autouse=True, scope="session")
def utc() -> Iterator[None]:
    """ZStack's doors print local time; for tests that is UTC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()
