"""Answers between the two halves of a driver."""

from __future__ import annotations

import pytest

from zstack_appliance.cloud.host.driver import (
    DestroyVm,
    NoticesLost,
    Ping,
    Pong,
    StopVm,
)
from zstack_appliance.cloud.host.wire import (
    decode_command,
    decode_notice,
    done,
    encode,
    failed,
    read_answer,
)
from zstack_appliance.kernel.remote import HostCommandFailed


def test_a_reply_has_the_type_that_its_command_names() -> None:
    assert read_answer(Ping(), done(Pong(boot_id="b"))) == Pong(boot_id="b")
    assert read_answer(DestroyVm(uuid="1"), done(None)) is None


def test_a_failure_becomes_one_again() -> None:
    with pytest.raises(HostCommandFailed, match=r"^the disk is full$"):
        read_answer(Ping(), failed("the disk is full"))


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"type":"Maybe"}', b'{"type":"Done"}', done({"boot": 1})])
def test_an_answer_that_nobody_can_read_is_a_failure(answer: bytes) -> None:
    with pytest.raises(HostCommandFailed, match="host/ping: the host's answer makes no sense"):
        read_answer(Ping(), answer)


def test_a_command_arrives_as_it_was_sent() -> None:
    sent = StopVm(uuid="1" * 32, grace=False)
    assert decode_command(StopVm, encode(sent)) == sent


def test_a_command_that_makes_no_sense_is_named() -> None:
    with pytest.raises(HostCommandFailed, match="vm/stop: Object missing required field `uuid`"):
        decode_command(StopVm, b"{}")


def test_a_notice_arrives_as_it_was_said() -> None:
    assert decode_notice(encode(NoticesLost(reason="r"))) == NoticesLost(reason="r")
    with pytest.raises(HostCommandFailed, match="makes no sense"):
        decode_notice(b'{"type":"Surprise"}')
