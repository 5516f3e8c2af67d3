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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where tests are spread over processes, keep a file together, and all that wants the whole machine too.

    Guests, browsers and the one-file program share bridges of one name, ports and folders of the machine; a file's
    tests share what its fixtures cost.
    """
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        parts = item.path.relative_to(config.rootpath).parts
        group = "machine" if {"system", "browser", "binary"} & set(parts) else "/".join(parts)
        item.add_marker(pytest.mark.xdist_group(group))
