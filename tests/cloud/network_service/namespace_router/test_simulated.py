"""Routers on a simulated host."""

from __future__ import annotations

import pytest

from tests.cloud.network_service.namespace_router.specs import GUESTS, PUBLIC, SPEC
from tests.shelf_runtime import ShelfRuntime
from zstack_appliance.cloud.network_service.namespace_router.host_side import HOST_SIDE
from zstack_appliance.cloud.network_service.namespace_router.simulated import apply_router, remove_router
from zstack_appliance.cloud.network_service.namespace_router.wire import ApplyRouter, RemoveRouter
from zstack_appliance.kernel.remote import HostCommandFailed


def test_every_command_has_its_twin() -> None:
    assert HOST_SIDE.simulated.keys() == HOST_SIDE.real.keys()


async def test_a_router_comes_and_goes_and_repeating_changes_nothing() -> None:
    host = ShelfRuntime(shelves={"bridge": {GUESTS: None, PUBLIC: None}})
    assert (await apply_router(ApplyRouter(router=SPEC), host)).changed
    assert (await apply_router(ApplyRouter(router=SPEC), host)).changed == ()
    assert host.shelf("router") == {"zs-ab12cd-3333333": SPEC}
    removal = RemoveRouter(l3_network_uuid=SPEC.l3_network_uuid)
    assert (await remove_router(removal, host)).changed
    assert (await remove_router(removal, host)).changed == ()


async def test_what_a_real_host_refuses_is_refused() -> None:
    with pytest.raises(HostCommandFailed, match=f"no bridge {GUESTS}"):
        await apply_router(ApplyRouter(router=SPEC), ShelfRuntime())
