"""The model can fail: with any of these faults put into the cloud, a short run finds that something does not add up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.model.machine import stage
from tests.model.test_model import SHORT_EXAMPLES, SHORT_STEPS, make_first_cloud, run
from tests.proofs.disturbance import without_undo
from zstack_appliance.cloud.host.ledger import vacate
from zstack_appliance.cloud.host.schema import HostCharge
from zstack_appliance.cloud.l3_network.ledger import give_back_address
from zstack_appliance.cloud.primary_storage.local.management import LocalPrimaryStorage
from zstack_appliance.cloud.vm_instance import destroy, hypervisor, nics, power
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic
from zstack_appliance.kernel.quota import Quotas
from zstack_appliance.kernel.store import Tx

SEED = 1


async def _nothing(*_: Any, **__: Any) -> None:
    """Does nothing, and says that it was done."""


def no_quota(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks at quotas."""
    patch.setattr(Quotas, "check", lambda _self, _tx: None)


def guests_stay(patch: pytest.MonkeyPatch) -> None:
    """The undo of a creation leaves the guest on its host, and so does a destruction."""
    patch.setattr(hypervisor, "remove", _nothing)


def places_stay_taken(patch: pytest.MonkeyPatch) -> None:
    """What a VM took of its host is not given back when it is destroyed."""
    patch.setattr(destroy, "vacate", lambda _tx, _uuid: None)


def addresses_stay_taken(patch: pytest.MonkeyPatch) -> None:
    """A destroyed VM keeps its addresses."""
    patch.setattr(nics, "give_up_addresses", lambda _tx, _nics: None)


def disks_stay(patch: pytest.MonkeyPatch) -> None:
    """A VM is expunged, and its disk is not; nor is the disk of one that could not be created."""
    patch.setattr(LocalPrimaryStorage, "delete_volume", _nothing)


def no_quota_at_creation(patch: pytest.MonkeyPatch) -> None:
    """Whoever creates a VM is not held against the quotas; whoever starts one is."""
    check = Quotas.check

    def lax(self: Quotas, tx: Tx) -> None:
        if not any(before is None and isinstance(after, VmInstance) for _, before, after in tx.touched()):
            check(self, tx)

    patch.setattr(Quotas, "check", lax)


def guest_stays_after_creation(patch: pytest.MonkeyPatch) -> None:
    """A creation that fails once its guest was started leaves it on the host; a destruction does not."""
    patch.setattr(stage(), "plugins", without_undo(stage().plugins, "vm_instance.create/start_on_hypervisor"))


def places_half_returned(patch: pytest.MonkeyPatch) -> None:
    """The charge of a destroyed VM goes, and what its host has left stays as it was."""

    def lax(tx: Tx, vm_uuid: str) -> None:
        for charge in tx.find(HostCharge, vm_uuid=vm_uuid):
            tx.delete(HostCharge, charge.uuid)

    patch.setattr(destroy, "vacate", lax)


def space_stays_taken(patch: pytest.MonkeyPatch) -> None:
    """The disk of an expunged VM goes on holding its space."""
    patch.setattr(destroy, "return_space", lambda _tx, _uuid: None)


def addresses_freed_early(patch: pytest.MonkeyPatch) -> None:
    """Stopping a VM gives its addresses back, while its NICs go on showing them: in a way that no foreign key sees."""

    def lax(tx: Tx, vm_uuid: str) -> None:
        vacate(tx, vm_uuid)
        for nic in tx.find(VmNic, vm_instance_uuid=vm_uuid):
            if nic.used_ip_uuid is not None:
                give_back_address(tx, nic.used_ip_uuid)
                tx.update(nic, used_ip_uuid=None)

    patch.setattr(power, "vacate", lax)


@pytest.mark.long
@pytest.mark.parametrize(
    ("plant", "finding"),
    [
        (no_quota, "busy VMs; its quota allows"),
        (guests_stay, "orphan: domain"),
        (places_stay_taken, "holds a place on a host that it is not on"),
        (addresses_stay_taken, "is kept by a VM that is destroyed"),
        (disks_stay, "orphan: volume"),
        (no_quota_at_creation, "its quota allows|should not be done"),
        (guest_stays_after_creation, r"recorded None, really \(.*Running"),
        (places_half_returned, "VMs are held; its charges are"),
        (space_stays_taken, "space is held for volume"),
        (addresses_freed_early, "its record of use says None"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_planted_fault_is_found(plant: Callable[[pytest.MonkeyPatch], None], finding: str) -> None:
    make_first_cloud()
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        with pytest.raises(AssertionError, match=finding):
            run(SEED, SHORT_EXAMPLES, SHORT_STEPS, shrink=False)
