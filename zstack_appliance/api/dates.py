"""Dates as ZStack's doors print them: ``Apr 30, 2014 6:11:47 PM``, the server's local time."""

from __future__ import annotations

import functools
import time

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def printed(millis: int) -> str:
    """Milliseconds since 1970-01-01 UTC as a date. Blanks are plain spaces, which Go's SDK insists on."""
    return _printed(millis // 1000)


@functools.lru_cache(maxsize=4096)
def _printed(seconds: int) -> str:
    # An inventory has two dates, and rows made together share them.
    t = time.localtime(seconds)
    noon = "AM" if t.tm_hour < 12 else "PM"
    return f"{_MONTHS[t.tm_mon - 1]} {t.tm_mday}, {t.tm_year} {t.tm_hour % 12 or 12}:{t.tm_min:02}:{t.tm_sec:02} {noon}"
