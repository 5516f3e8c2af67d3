"""The first start makes the first account, and no later one changes it."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import pytest

from tests.running import BASE, running
from zstack_appliance.cloud.account.first_admin import FirstAdmin
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.cloud.account.schema import Account
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT


def read(file: Path) -> str:
    """The password in the file."""
    return file.read_text().strip()


async def test_a_random_password_is_written_for_the_owner_alone(tmp_path: Path) -> None:
    file = FirstAdmin(tmp_path).file
    async with running(tmp_path, plugins=BASE, password=None) as cloud:
        assert file == tmp_path / "admin-password"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        password = read(file)
        assert len(password) >= 16
        async with cloud.login("admin", password) as admin:
            [account] = await admin.query("/accounts")
            assert (account["uuid"], account["name"], account["type"]) == (ADMIN_ACCOUNT, "admin", "SystemAdmin")
    async with running(tmp_path, plugins=BASE, password=None) as cloud, cloud.login("admin", password):
        assert read(file) == password, "a second start changes nothing"


async def test_two_clouds_have_two_passwords(tmp_path: Path) -> None:
    found = set()
    for seed in (1, 2):
        (data := tmp_path / str(seed)).mkdir()
        async with running(data, plugins=BASE, password=None, seed=seed):
            found.add(FirstAdmin(data).file.read_text())
    assert len(found) == 2


async def test_a_given_password_counts_at_the_first_start_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, plugins=BASE, password="first") as cloud, cloud.login("admin", "first"):
        assert not FirstAdmin(tmp_path).file.exists()
        assert caplog.records == []
    async with running(tmp_path, plugins=BASE, password="second") as cloud, cloud.login("admin", "first"):
        [warning] = caplog.records
        assert warning.levelno == logging.WARNING
        assert "counts at the first start only" in warning.message
        assert "second" not in caplog.text


async def test_the_file_goes_once_its_password_is_not_the_accounts_any_more(tmp_path: Path) -> None:
    file = FirstAdmin(tmp_path).file
    async with running(tmp_path, plugins=BASE, password=None) as cloud, cloud.login("admin", read(file)) as admin:
        await admin.do("PUT", f"/accounts/{ADMIN_ACCOUNT}", {"updateAccount": {"description": "boss"}})
        assert file.exists()
        change = {"updateAccount": {"password": client_hash("mine")}}
        await admin.do("PUT", f"/accounts/{ADMIN_ACCOUNT}", change)
        assert not file.exists()
        await admin.do("PUT", f"/accounts/{ADMIN_ACCOUNT}", change)


async def test_a_start_that_died_before_its_account_was_stored_is_made_good(tmp_path: Path) -> None:
    file = FirstAdmin(tmp_path).file
    file.write_text("of the start that died\n")
    async with running(tmp_path, plugins=BASE, password=None) as cloud, cloud.login("admin", read(file)):
        assert cloud.kernel.store.count(Account) == 1
