"""The simulated local primary storage keeps the contract."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pytest

from tests.contracts.loopback import Loopback, SimulatedRuntime
from tests.contracts.primary_storage import IMAGE, VOLUME, PrimaryStorageContract
from zstack_appliance.cloud.primary_storage.driver import ImageFormat, ImageSource
from zstack_appliance.cloud.primary_storage.local.management import LocalPrimaryStorage
from zstack_appliance.cloud.primary_storage.local.simulated import EMPTY_QCOW2, HANDLERS
from zstack_appliance.hostkit.simulated_files import SimulatedFile, SimulatedFiles
from zstack_appliance.kernel.remote import HostCommandFailed


@dataclass
class SimulatedSite:
    """A storage of one simulated host."""

    driver: LocalPrimaryStorage
    files: SimulatedFiles

    async def image(self, image_uuid: str, image_format: ImageFormat, virtual_size: int) -> ImageSource:
        path = f"/backup/images/{image_uuid}/{image_uuid}.{image_format}"
        sha256 = hashlib.sha256(path.encode()).hexdigest()
        self.files.put(path, SimulatedFile(image_format, virtual_size, virtual_size // 2, sha256))
        return ImageSource(
            image_uuid=image_uuid, format=image_format, path=path, virtual_size=virtual_size, sha256=sha256
        )


def site_of(files: SimulatedFiles) -> SimulatedSite:
    host = Loopback(HANDLERS, SimulatedRuntime(files))
    return SimulatedSite(LocalPrimaryStorage(host, "/primary"), files)


@pytest.fixture
async def site() -> SimulatedSite:
    return site_of(SimulatedFiles())


class TestContract(PrimaryStorageContract):
    pass


async def test_a_full_storage_refuses_and_keeps_nothing() -> None:
    site = site_of(SimulatedFiles(total=EMPTY_QCOW2))
    await site.driver.create_empty_volume(VOLUME, "Data", 2**30)
    with pytest.raises(HostCommandFailed, match="No space left"):
        await site.driver.create_empty_volume(IMAGE, "Data", 2**30)
    assert [bits.uuid for bits in await site.driver.bits()] == [VOLUME]
    await site.driver.delete_volume(VOLUME, "Data")
    assert (await site.driver.capacity()).available == EMPTY_QCOW2
