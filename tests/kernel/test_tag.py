"""Tag patterns: read and written."""

from __future__ import annotations

import pytest

from zstack_appliance.kernel.tag import SystemTag

STATIC = SystemTag("VmInstanceVO", "staticIp::{l3NetworkUuid}::{staticIp}", "An address.")
DATA = SystemTag("VmInstanceVO", "userdata::{userdata}", "Free text.")
PLAIN = SystemTag("VmInstanceVO", "ephemeral", "A word.")


@pytest.mark.parametrize(
    ("pattern", "tag", "tokens"),
    [
        (STATIC, "staticIp::abc::10.0.0.1", {"l3NetworkUuid": "abc", "staticIp": "10.0.0.1"}),
        (STATIC, "staticIp::abc", None),
        (STATIC, "xstaticIp::abc::1", None),
        (DATA, "userdata::a::b\nc", {"userdata": "a::b\nc"}),
        (DATA, "userdata::", None),
        (PLAIN, "ephemeral", {}),
        (PLAIN, "ephemeral::x", None),
    ],
)
def test_tokens_are_read(pattern: SystemTag, tag: str, tokens: dict[str, str] | None) -> None:
    assert pattern.tokens(tag) == tokens


def test_what_is_written_is_read_again() -> None:
    tokens = {"l3NetworkUuid": "a", "staticIp": "b"}
    assert STATIC.tokens(STATIC.render(**tokens)) == tokens
