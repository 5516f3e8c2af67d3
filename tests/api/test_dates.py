"""Dates as ZStack's doors print them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis.strategies import integers

from zstack_appliance.api.dates import printed

GO_SDK = re.compile(r"^\w+ \d{1,2}, \d{4} \d{1,2}:\d{1,2}:\d{1,2} (AM|PM)$")
"""What Go's SDK accepts."""


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2014, 4, 30, 18, 11, 47, tzinfo=UTC), "Apr 30, 2014 6:11:47 PM"),
        (datetime(2024, 1, 1, 0, 0, 0, tzinfo=UTC), "Jan 1, 2024 12:00:00 AM"),
        (datetime(2024, 12, 31, 12, 5, 9, tzinfo=UTC), "Dec 31, 2024 12:05:09 PM"),
    ],
)
def test_a_date(at: datetime, text: str) -> None:
    assert printed(int(at.timestamp()) * 1000 + 999) == text


@given(integers(min_value=0, max_value=4_102_444_799_999))
def test_every_date_reads_back_as_its_second(millis: int) -> None:
    text = printed(millis)
    assert GO_SDK.match(text)
    read = datetime.strptime(text, "%b %d, %Y %I:%M:%S %p").replace(tzinfo=UTC)
    assert int(read.timestamp()) == millis // 1000
