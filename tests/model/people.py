"""What can be asked of images, offerings, tags, accounts, quotas, sharing and settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.model.mirror import GONE, Mirror, Thing
from tests.model.operations import Operation, Pen, always, or_else
from zstack_appliance.cloud.account.messages import RevokeResourceSharing, ShareResource, UpdateQuota
from zstack_appliance.cloud.global_config.messages import UpdateGlobalConfig
from zstack_appliance.cloud.image.messages import AddImage, DeleteImage, ExpungeImage, RecoverImage, UpdateImage
from zstack_appliance.cloud.instance_offering.messages import (
    CreateInstanceOffering,
    DeleteInstanceOffering,
    UpdateInstanceOffering,
)
from zstack_appliance.cloud.l3_network.messages import ChangeL3NetworkState, DeleteL3Network
from zstack_appliance.cloud.tag.messages import CreateSystemTag, CreateUserTag, DeleteTag
from zstack_appliance.kernel.message import Request, StateEvent
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT, SYSTEM

MOST_IMAGES, MOST_OFFERINGS = 4, 8
STRATEGIES = ("RandomIpAllocatorStrategy", "FirstAvailableIpAllocatorStrategy")
SIZES = ((1, 128 * 2**20), (2, 2 * 2**30), (8, 3 * 2**30))


def image(pen: Pen, backup_storage: str) -> Operation | None:
    """A new image, or a word to an old one."""
    old = pen.thing("image")
    if old is not None and not old.first and pen.chance(2):
        return _old_image(pen, old)
    if len(pen.mirror.of("image")) >= MOST_IMAGES:
        return None
    principal = pen.pick([SYSTEM, SYSTEM, SYSTEM, *pen.accounts.values()])
    uuid = pen.mirror.fresh()
    owner = principal.account_uuid
    made = Thing("image", uuid, f"image-{pen.mirror.drawn}", owner, state="Ready", above=(owner,))
    message = AddImage(
        resource_uuid=uuid,
        name=made.name,
        url=f"http://images.example/{made.name}",
        backup_storage_uuids=(backup_storage,),
    )
    # Backup storages are the administrator's, and accounts do not see them.
    verdict = True if principal.admin else None
    return pen.operation(f"{owner[:3]} adds {made.name}", message, principal, makes=(made,), verdict=verdict)


def _old_image(pen: Pen, old: Thing) -> Operation:
    principal = pen.caller(old)
    goes_whole = pen.mirror.settings["image"] == "Direct"
    name = pen.pick(["delete", "recover", "expunge"])
    moves: dict[str, str]
    match name:
        case "delete":
            message: object = DeleteImage(uuid=old.uuid)
            after = GONE if goes_whole else "Deleted"
            moves = {"Ready": after, "Deleted": after}
        case "recover":
            message, moves = RecoverImage(image_uuid=old.uuid), {"Deleted": "Ready"}
        case _:
            message, moves = ExpungeImage(image_uuid=old.uuid), {"Deleted": GONE}
    return pen.operation(
        f"{principal.account_uuid[:3]} {name}s {old.name} ({old.state})",
        message,  # type: ignore[arg-type]
        principal,
        changes={old.uuid: or_else(moves)},
        verdict=old.state in moves and pen.may_act(old, principal),
    )


def offering(pen: Pen) -> Operation | None:
    """A new instance offering, or one goes."""
    old = pen.thing("offering")
    if old is not None and not old.first and pen.chance(3):
        principal = pen.caller(old)
        message = DeleteInstanceOffering(uuid=old.uuid)
        verdict = pen.may_act(old, principal)
        gone = {old.uuid: always(GONE)}
        return pen.operation(f"delete {old.name}", message, principal, changes=gone, verdict=verdict)
    if len(pen.mirror.of("offering")) >= MOST_OFFERINGS:
        return None
    principal = pen.pick(list(pen.accounts.values()))
    cpus, memory = pen.pick(SIZES)
    uuid, owner = pen.mirror.fresh(), principal.account_uuid
    made = Thing(
        "offering",
        uuid,
        f"offering-{pen.mirror.drawn}",
        owner,
        state="Enabled",
        above=(owner,),
        size=(cpus, memory),
    )
    new = CreateInstanceOffering(resource_uuid=uuid, name=made.name, cpu_num=cpus, memory_size=memory)
    return pen.operation(f"{owner[:3]} creates {made.name}", new, principal, makes=(made,), verdict=True)


def tag(pen: Pen, tags: list[str]) -> Operation | None:
    """A tag comes on a VM, or a tag goes."""
    vm = pen.thing("vm")
    if tags and pen.chance(3):
        return pen.operation("take a tag off", DeleteTag(uuid=pen.pick(tags)))
    if vm is None:
        return None
    principal = pen.caller(vm)
    verdict = None if pen.may_act(vm, principal) else False
    values = {"resource_type": "VmInstanceVO", "resource_uuid": vm.uuid}
    if pen.chance(2):
        message = CreateSystemTag(tag=f"hostname::{pen.pick(('one', 'two'))}", **values)
        return pen.operation(
            f"{principal.account_uuid[:3]} tags {vm.name} by pattern", message, principal, verdict=verdict
        )
    free = CreateUserTag(tag=pen.pick(("red", "blue")), **values)
    return pen.operation(f"{principal.account_uuid[:3]} tags {vm.name}", free, principal, verdict=verdict)


def share(pen: Pen) -> Operation | None:
    """An image or an offering is shared, or no more."""
    found = pen.thing(pen.pick(("image", "offering")))
    if found is None or found.first:
        return None
    principal = pen.caller(found)
    verdict = None if pen.may_act(found, principal) else False
    if pen.chance(3):
        message = RevokeResourceSharing(resource_uuids=(found.uuid,), all=True)
        then = _note_sharing(found.uuid, public=False, receivers=frozenset())
        return pen.operation(f"share {found.name} no more", message, principal, verdict=verdict, then=then)
    if pen.chance(3):
        to_all = ShareResource(resource_uuids=(found.uuid,), to_public=True)
        then = _note_sharing(found.uuid, public=True, receivers=found.receivers)
        return pen.operation(f"share {found.name} with all", to_all, principal, verdict=verdict, then=then)
    receiver = pen.pick([uuid for uuid in pen.accounts if uuid != ADMIN_ACCOUNT])
    to_one = ShareResource(resource_uuids=(found.uuid,), account_uuids=(receiver,))
    then = _note_sharing(found.uuid, public=found.public, receivers=found.receivers | {receiver})
    return pen.operation(f"share {found.name} with {receiver[:3]}", to_one, principal, verdict=verdict, then=then)


def _note_sharing(uuid: str, *, public: bool, receivers: frozenset[str]) -> Callable[[Mirror], None]:
    def note(mirror: Mirror) -> None:
        mirror.learn(uuid, public=public, receivers=receivers)

    return note


def trespass(pen: Pen) -> Operation | None:
    """An account wants to change what it may merely use."""
    uuid = pen.pick([uuid for uuid in pen.accounts if uuid != ADMIN_ACCOUNT])
    shared = [
        thing
        for kind in _TRESPASSES
        for thing in pen.mirror.of(kind)
        if thing.owner != uuid and pen.mirror.visible(thing, uuid, admin=False)
    ]
    if not shared:
        return None
    found = pen.pick(shared)
    message = pen.pick(_TRESPASSES[found.kind])(found.uuid)
    label = f"{uuid[:3]} is to be refused {type(message).__name__} of {found.name}"
    return pen.operation(label, message, pen.accounts[uuid], verdict=False)


_TRESPASSES: Mapping[str, Sequence[Callable[[str], Request[Any]]]] = {
    "image": (lambda uuid: DeleteImage(uuid=uuid), lambda uuid: UpdateImage(uuid=uuid, name="theirs")),
    "offering": (
        lambda uuid: DeleteInstanceOffering(uuid=uuid),
        lambda uuid: UpdateInstanceOffering(uuid=uuid, name="theirs"),
    ),
    "l3": (
        lambda uuid: DeleteL3Network(uuid=uuid),
        lambda uuid: ChangeL3NetworkState(uuid=uuid, state_event=StateEvent("disable")),
    ),
}
"""What an account must not do with a thing that is shared with it."""


def quota(pen: Pen) -> Operation:
    """An account may have more VMs, or fewer."""
    account = pen.pick([uuid for uuid in pen.accounts if uuid != ADMIN_ACCOUNT])
    value = pen.pick((0, 1, 3, 5))

    def note(mirror: Mirror) -> None:
        mirror.limits[account] = value

    message = UpdateQuota(identity_uuid=account, name="vm.num", value=value)
    return pen.operation(f"{account[:3]} may have {value} busy VMs", message, verdict=True, then=note)


def setting(pen: Pen) -> Operation:
    """What deleting does with disks and images, and how addresses are chosen."""
    if pen.chance(3):
        strategy = pen.pick(STRATEGIES)
        order = UpdateGlobalConfig(category="l3Network", name="ipAllocateStrategy", value=strategy)
        return pen.operation(f"addresses are given by {strategy}", order, verdict=True)
    category = pen.pick(("vm", "image"))
    value = pen.pick(("Direct", "Delay", "Never"))

    def note(mirror: Mirror) -> None:
        mirror.settings[category] = value

    message = UpdateGlobalConfig(category=category, name="deletionPolicy", value=value)
    return pen.operation(f"{category}.deletionPolicy becomes {value}", message, verdict=True, then=note)
