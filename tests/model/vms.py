"""What can be asked of VMs, and what must become of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from tests.model.mirror import BUSY, GONE, Mirror, Thing
from tests.model.operations import Operation, Pen, or_else
from zstack_appliance.cloud.vm_instance.messages import (
    CreateVmInstance,
    DestroyVmInstance,
    ExpungeVmInstance,
    PauseVmInstance,
    RebootVmInstance,
    RecoverVmInstance,
    ResumeVmInstance,
    StartVmInstance,
    StopVmInstance,
    UpdateVmInstance,
)
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.principal import Principal

MOST_VMS = 14
RESERVED = 2**30
"""Bytes that each host keeps for itself."""

VM_STATES = ("Running", "Paused", "Stopped", "Destroyed")

MOVES: Mapping[str, tuple[type[Request[Any]], Mapping[str, str]]] = {
    "start": (StartVmInstance, {"Stopped": "Running", "Running": "Running"}),
    "stop": (StopVmInstance, {"Running": "Stopped", "Paused": "Stopped", "Stopped": "Stopped"}),
    "reboot": (RebootVmInstance, {"Running": "Running"}),
    "pause": (PauseVmInstance, {"Running": "Paused"}),
    "resume": (ResumeVmInstance, {"Paused": "Running"}),
    "recover": (RecoverVmInstance, {"Destroyed": "Stopped"}),
    "expunge": (ExpungeVmInstance, {"Destroyed": GONE}),
    "rename": (UpdateVmInstance, {state: state for state in VM_STATES}),
}
"""What is asked, and where it leads from where; from any other state it is refused."""


def fill(pen: Pen) -> Operation | None:
    """A VM for an account that may have few: before long it asks for one more than its quota allows."""
    accounts = [principal for principal in pen.accounts.values() if not principal.admin]
    return create(pen, pen.pick(accounts)) if accounts else None


def create(pen: Pen, principal: Principal | None = None) -> Operation | None:
    """A VM of whatever may be used, or of what may not; by anybody, unless it is said by whom."""
    image, offering = pen.thing("image"), _offering(pen)
    if image is None or offering is None:
        return None
    principal = principal or pen.pick(list(pen.accounts.values()))
    # The one that takes everybody, mostly.
    known = [network for network in pen.mirror.of("l3") for _ in range(4 if network.public else 1)]
    networks = [pen.pick(known)] if known else []
    return _create(pen, principal, image, offering, networks, stopped=pen.chance(4))


def crave(pen: Pen, account: str) -> Operation | None:
    """An account wants a VM more that runs, of what it may use: only its quota and full hosts stand against it."""
    usable = partial(_usable, pen.mirror, account)
    images, offerings, networks = usable("image", "Ready"), usable("offering", "Enabled"), usable("l3", "Enabled")
    first = [network for network in networks if network.first]
    if not images or not offerings or not first:
        return None
    # A small one, as it is the quota that is to be reached, and not the end of the hosts.
    small = min(offerings, key=lambda one: one.size)
    return _create(pen, pen.accounts[account], pen.pick(images), small, [pen.pick(first)], stopped=False)


def _usable(mirror: Mirror, account: str, kind: str, state: str) -> list[Thing]:
    return [thing for thing in mirror.of(kind, state) if mirror.visible(thing, account, admin=False)]


def _create(
    pen: Pen, principal: Principal, image: Thing, offering: Thing, networks: list[Thing], *, stopped: bool
) -> Operation | None:
    mirror = pen.mirror
    if len(mirror.of("vm")) >= MOST_VMS:
        return None
    uuid = mirror.fresh()
    vm = Thing(
        kind="vm",
        uuid=uuid,
        name=f"vm{mirror.drawn}",
        owner=principal.account_uuid,
        state="Stopped" if stopped else "Running",
        above=(principal.account_uuid,),
        uses=tuple(network.uuid for network in networks),
        size=offering.size,
    )
    message = CreateVmInstance(
        resource_uuid=uuid,
        name=vm.name,
        image_uuid=image.uuid,
        instance_offering_uuid=offering.uuid,
        l3_network_uuids=tuple(vm.uses) or None,
        zone_uuid=None if networks else mirror.of("zone")[0].uuid,
        strategy="CreateStopped" if stopped else "InstantStart",
        system_tags=(f"hostname::{vm.name}",) if pen.chance(3) else None,
        user_tags=("of the model",) if pen.chance(3) else None,
    )
    usable = all(mirror.visible(t, principal.account_uuid, admin=principal.admin) for t in (image, offering, *networks))
    good = image.state == "Ready" and offering.state == "Enabled" and all(n.state == "Enabled" for n in networks)
    verdict: bool | None = False
    if usable and good:
        allowed = _within_limits(pen, principal, int(not stopped))
        verdict = _fits(pen, vm, networks) if allowed else False
    label = f"{principal.account_uuid[:3]} creates {vm.name} ({offering.name}, {image.name})"
    return pen.operation(label, message, principal, makes=(vm,), verdict=verdict)


def _offering(pen: Pen) -> Thing | None:
    """Any, or at times the largest, so that hosts become full."""
    found = pen.mirror.of("offering")
    return max(found, key=lambda one: one.size[1]) if found and pen.chance(3) else pen.thing("offering")


def _fits(pen: Pen, vm: Thing, networks: list[Thing]) -> bool | None:
    """Whether a host of the first cluster certainly takes the VM, or certainly none does; others may.

    A network of the model's own may have no addresses left, or reach no cluster: only ``net1`` is certain.
    """
    fitting = [host for host in pen.mirror.of("host", "Enabled") if has_room(pen.mirror, host, vm)]
    if not fitting:
        return False
    return True if any(host.first for host in fitting) and all(network.first for network in networks) else None


def has_room(mirror: Mirror, host: Thing, vm: Thing) -> bool:
    """Whether a host has room for a VM."""
    cpu, memory = mirror.held(host.uuid)
    return host.size[0] - cpu >= vm.size[0] and host.size[1] - memory - RESERVED >= vm.size[1]


def _within_limits(pen: Pen, principal: Principal, more: int) -> bool:
    """Whether an account's quota lets it have so many busy VMs more; nothing limits an administrator."""
    if principal.admin:
        return True
    account = principal.account_uuid
    busy = sum(vm.owner == account for vm in pen.mirror.of("vm", *BUSY))
    return more == 0 or busy + more <= pen.mirror.limits[account]


def act(pen: Pen) -> Operation | None:
    """Something that a VM is told."""
    vm = pen.thing("vm")
    if vm is None:
        return None
    fitting = [name for name, (_, moves) in MOVES.items() if vm.state in moves]
    name = pen.pick([*fitting, *fitting, *MOVES])
    cls, moves = MOVES[name]
    principal = pen.caller(vm)
    values = {"uuid": vm.uuid, **({"name": vm.name} if name == "rename" else {})}
    if name == "stop" and pen.chance(2):
        values["type"] = "cold"
    verdict: bool | None = vm.state in moves and pen.may_act(vm, principal)
    if verdict and name in ("start", "recover") and moves[vm.state] != vm.state:
        verdict = _may_come_back(pen, vm, principal, starts=name == "start")
    return pen.operation(
        f"{principal.account_uuid[:3]} {name}s {vm.name} ({vm.state})",
        cls(**values),
        principal,
        changes={vm.uuid: or_else(moves)},
        verdict=verdict,
    )


def _may_come_back(pen: Pen, vm: Thing, principal: Principal, *, starts: bool) -> bool | None:
    if not starts:
        return True
    if not _within_limits(pen, principal, 1):
        return False
    host = pen.mirror.things.get(vm.place or "")
    networks = [pen.mirror.things[uuid] for uuid in vm.uses]
    certain = all(network.first and network.state == "Enabled" for network in networks)
    if host is None or host.state != "Enabled" or not host.first or not certain:
        return None
    # Its disk ties it to that host.
    return has_room(pen.mirror, host, vm)


def destroy(pen: Pen) -> Operation | None:
    """A VM is destroyed, by the policy in force."""
    vm = pen.thing("vm")
    if vm is None:
        return None
    principal = pen.caller(vm)
    goes_whole = pen.mirror.settings["vm"] == "Direct"
    return pen.operation(
        f"{principal.account_uuid[:3]} destroys {vm.name}",
        DestroyVmInstance(uuid=vm.uuid),
        principal,
        changes={vm.uuid: partial(_destroyed, goes_whole)},
        verdict=pen.may_act(vm, principal),
    )


def _destroyed(goes_whole: bool, before: str) -> tuple[str, ...]:
    if goes_whole and before != GONE:
        return ("Destroyed", GONE)
    return (GONE,) if before == GONE else ("Destroyed",)
