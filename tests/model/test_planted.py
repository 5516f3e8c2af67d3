"""The model can fail: with any of these faults put into the cloud, a short run finds that something does not add up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.model.test_model import SHORT_EXAMPLES, SHORT_STEPS, run
from zstack_appliance.cloud.primary_storage.local.management import LocalPrimaryStorage
from zstack_appliance.cloud.vm_instance import destroy, hypervisor, nics
from zstack_appliance.kernel.quota import Quotas

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


@pytest.mark.long
@pytest.mark.parametrize(
    ("plant", "finding"),
    [
        (no_quota, "busy VMs; its quota allows"),
        (guests_stay, "orphan: domain"),
        (places_stay_taken, "holds a place on a host that it is not on"),
        (addresses_stay_taken, "is kept by a VM that is destroyed"),
        (disks_stay, "orphan: volume"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_planted_fault_is_found(plant: Callable[[pytest.MonkeyPatch], None], finding: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        with pytest.raises(AssertionError, match=finding):
            run(SEED, SHORT_EXAMPLES, SHORT_STEPS, shrink=False)
