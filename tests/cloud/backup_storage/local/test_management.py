"""The management half of a local backup storage."""

from __future__ import annotations

from tests.contracts.loopback import Loopback, SimulatedRuntime
from zstack_appliance.cloud.backup_storage.driver import BackupStorageDriver
from zstack_appliance.cloud.backup_storage.local.management import LocalBackupStorage
from zstack_appliance.cloud.backup_storage.local.simulated import HANDLERS
from zstack_appliance.hostkit.simulated_files import SimulatedFiles


async def test_it_is_a_driver_whose_commands_name_its_root() -> None:
    files = SimulatedFiles(total=7)
    driver: BackupStorageDriver = LocalBackupStorage(Loopback(HANDLERS, SimulatedRuntime(files)), "/srv")
    assert (await driver.connect()).total == 7
