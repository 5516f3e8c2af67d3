"""The management half of a local primary storage."""

from __future__ import annotations

from tests.contracts.loopback import Loopback, SimulatedRuntime
from zstack_appliance.cloud.primary_storage.driver import PrimaryStorageDriver
from zstack_appliance.cloud.primary_storage.local.management import LocalPrimaryStorage
from zstack_appliance.cloud.primary_storage.local.simulated import HANDLERS
from zstack_appliance.hostkit.simulated_files import SimulatedFiles


async def test_it_is_a_driver_whose_commands_name_its_root() -> None:
    files = SimulatedFiles(total=7)
    driver: PrimaryStorageDriver = LocalPrimaryStorage(Loopback(HANDLERS, SimulatedRuntime(files)), "/srv")
    assert (await driver.connect()).total == 7
