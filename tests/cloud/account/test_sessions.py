"""From a session's uuid to the account behind it."""

from __future__ import annotations

from pathlib import Path

import trio
from trio.testing import MockClock

from tests.running import BASE, running
from zstack_appliance.cloud.account.schema import Session
from zstack_appliance.cloud.account.sessions import Sessions, stored_uuid
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT


async def test_a_session_acts_for_its_account_until_it_expires(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        sessions = Sessions(cloud.kernel.store, cloud.kernel.clock)
        found = sessions.principal(admin.session)
        assert found is not None
        assert (found.account_uuid, found.admin, found.session_uuid) == (
            ADMIN_ACCOUNT,
            True,
            stored_uuid(admin.session),
        )
        assert sessions.principal("f" * 32) is None
        await trio.sleep(7199)
        assert sessions.principal(admin.session) is not None
        await trio.sleep(1)
        assert sessions.principal(admin.session) is None


async def test_the_database_does_not_hold_the_key(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        [session] = cloud.kernel.store.find(Session)
        assert session.uuid == stored_uuid(admin.session) != admin.session
        assert Sessions(cloud.kernel.store, cloud.kernel.clock).principal(session.uuid) is None
    stored = (tmp_path / "cloud.db").read_bytes()
    assert stored_uuid(admin.session).encode() in stored
    assert admin.session.encode() not in stored
