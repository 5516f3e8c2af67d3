"""Who a request acts for."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import HTTPConnection

from zstack_appliance.api.auth import Callers
from zstack_appliance.api.protocol import PEER, PeerCredentials
from zstack_appliance.api.refusal import Refusal
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT, Principal

ALICE = Principal("a" * 32, admin=False, session_uuid="5" * 32)


class OneSession:
    """Knows one session."""

    def principal(self, session_uuid: str) -> Principal | None:
        """Alice, for her key."""
        return ALICE if session_uuid == "key" else None


CALLERS = Callers(OneSession())


def request(authorization: str | None = None, uid: int | None = None, client: Any = ("10.1.2.3", 4)) -> HTTPConnection:
    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    state = {} if uid is None else {PEER: PeerCredentials(1, uid, 0)}
    return HTTPConnection({"type": "http", "headers": headers, "state": state, "client": client})


@pytest.mark.parametrize("text", ["OAuth key", "oauth key", "OAuth  key "])
def test_a_session_is_found_and_where_it_comes_from(text: str) -> None:
    caller = CALLERS.caller(request(text), needs_session=True)
    assert caller == Principal(ALICE.account_uuid, admin=False, session_uuid="5" * 32, source="10.1.2.3")


@pytest.mark.parametrize("text", ["OAuth other", "OAuth", "OAuth "])
def test_an_unknown_session_is_nobody(text: str) -> None:
    assert CALLERS.caller(request(text), needs_session=True).account_uuid == ""


def test_credentials_are_needed_and_of_one_kind() -> None:
    with pytest.raises(Refusal, match="missing header 'Authorization'"):
        CALLERS.caller(request(), needs_session=True)
    with pytest.raises(Refusal, match="Authorization type must be 'OAuth'"):
        CALLERS.caller(request("ZStack id:signature"), needs_session=True)


def test_what_needs_no_session_reads_none() -> None:
    for text in (None, "OAuth key", "Basic x"):
        caller = CALLERS.caller(request(text), needs_session=False)
        assert (caller.account_uuid, caller.admin, caller.source) == ("", False, "10.1.2.3")


def test_root_at_the_unix_socket_is_the_administrator_unless_it_is_somebody_else() -> None:
    root = request(uid=0, client=None)
    assert CALLERS.caller(root, needs_session=True) == Principal(ADMIN_ACCOUNT, admin=True, source="local")
    as_alice = request("OAuth key", uid=0, client=None)
    assert CALLERS.caller(as_alice, needs_session=True).account_uuid == ALICE.account_uuid
    with pytest.raises(Refusal, match="missing header"):
        CALLERS.caller(request(uid=1000, client=None), needs_session=True)
    trusted = Callers(OneSession(), trusted_uids={1000})
    assert trusted.caller(request(uid=1000, client=None), needs_session=True).admin


def test_a_request_without_a_known_peer_has_no_source() -> None:
    assert CALLERS.caller(request("OAuth key", client=None), needs_session=True).source == ""


def test_a_session_may_stand_elsewhere_than_in_a_header() -> None:
    assert CALLERS.of_session(request(), "key").account_uuid == ALICE.account_uuid
    assert CALLERS.of_session(request(), "other").account_uuid == ""
    nobody = CALLERS.of_session(request(), None)
    assert (nobody.account_uuid, nobody.source) == ("", "10.1.2.3")
    assert CALLERS.of_session(request(uid=0, client=None), None).admin
    assert not CALLERS.of_session(request(uid=1000, client=None), None).account_uuid
