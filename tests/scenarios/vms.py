"""Words that several scenarios use: make a VM over HTTP, and find what a first cloud has by name."""

from __future__ import annotations

from typing import Any

from tests.running import Caller


async def named(caller: Caller, path: str, name: str) -> dict[str, Any]:
    """The one inventory of this name."""
    [found] = await caller.query(path, f"name={name}")
    return found


async def vm_params(caller: Caller, name: str, **params: object) -> dict[str, object]:
    """What a tiny VM on ``net1`` is made from."""
    return {
        "name": name,
        "imageUuid": (await named(caller, "/images", "tiny"))["uuid"],
        "instanceOfferingUuid": (await named(caller, "/instance-offerings", "tiny"))["uuid"],
        "l3NetworkUuids": [(await named(caller, "/l3-networks", "net1"))["uuid"]],
        **params,
    }


async def new_vm(caller: Caller, name: str, **options: Any) -> dict[str, Any]:
    """A VM, made by its API."""
    made: dict[str, Any] = await caller.do(
        "POST", "/vm-instances", {"params": await vm_params(caller, name), **options}
    )
    return made


async def act(caller: Caller, vm: dict[str, Any], action: str, **params: object) -> Any:
    """One action on a VM."""
    return await caller.do("PUT", f"/vm-instances/{vm['uuid']}/actions", {action: params})
