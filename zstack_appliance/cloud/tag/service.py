"""Put tags on resources, change them, take them off."""

from __future__ import annotations

import msgspec

from zstack_appliance.cloud.tag.messages import (
    BeforeSystemTag,
    CreateSystemTag,
    CreateSystemTags,
    CreateUserTag,
    DeleteTag,
    UpdateSystemTag,
)
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict, Forbidden, NotFound, refuse
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.schema import Record
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.tag import SystemTagRow, UserTag
from zstack_appliance.kernel.tags import TagPatterns, system_tag, user_tag


@handles(CreateUserTag)
async def create_user_tag(m: CreateUserTag, cloud: Cloud) -> UserTag:
    """Put free text on a resource."""
    row = tagged(m.resource_type, m.resource_uuid, cloud)
    tag = user_tag(row, m.tag, cloud)

    def commit(tx: Tx) -> UserTag:
        tx.require(type(row), row.uuid)
        refuse_twin(tx, tag)
        return tx.insert(tag, owner=tx.owner(type(row), row.uuid))

    return await cloud.write(commit)


@handles(CreateSystemTag)
async def create_system_tag(m: CreateSystemTag, cloud: Cloud) -> SystemTagRow:
    """Put a system tag on a resource, in place of the one with the same pattern if there may be only one."""
    [tag] = await _put(m.resource_type, m.resource_uuid, (m.tag,), cloud)
    return tag


@handles(CreateSystemTags)
async def create_system_tags(m: CreateSystemTags, cloud: Cloud) -> tuple[SystemTagRow, ...]:
    """Put several system tags on a resource, as one by one."""
    return await _put(m.resource_type, m.resource_uuid, tuple(dict.fromkeys(m.tags)), cloud)


async def _put(kind: str, uuid: str, texts: tuple[str, ...], cloud: Cloud) -> tuple[SystemTagRow, ...]:
    patterns = cloud.use(TagPatterns)
    row = tagged(kind, uuid, cloud)
    refuse(*(patterns.fault(type(row), text) for text in texts))
    for text in texts:
        await cloud.gather(BeforeSystemTag(row=row, tag=text))
    tags = [system_tag(row, text, cloud) for text in texts]

    def commit(tx: Tx) -> tuple[SystemTagRow, ...]:
        tx.require(type(row), row.uuid)
        return tuple(_insert(tx, tag, row, patterns) for tag in tags)

    return await cloud.write(commit)


def _insert(tx: Tx, tag: SystemTagRow, row: Record, patterns: TagPatterns) -> SystemTagRow:
    refuse_twin(tx, tag)
    pattern = patterns.match(type(row), tag.tag)
    if pattern is not None and pattern.single:
        for other in tx.find(SystemTagRow, resource_uuid=row.uuid):
            if pattern.tokens(other.tag) is not None:
                tx.delete(other)
    return tx.insert(tag, owner=tx.owner(type(row), row.uuid))


@handles(UpdateSystemTag, queue=lambda m: SystemTagRow.key(m.uuid))
async def update_system_tag(m: UpdateSystemTag, cloud: Cloud) -> SystemTagRow:
    """Change the text of a system tag within its pattern."""
    patterns = cloud.use(TagPatterns)
    tag = await cloud.get(SystemTagRow, m.uuid)
    refuse_inherent(tag)
    target = patterns.resource(tag.resource_type)
    refuse(patterns.fault(target, m.tag))
    if patterns.match(target, tag.tag) is not patterns.match(target, m.tag):
        raise Conflict(f"tag[{m.tag}] has another pattern than [{tag.tag}]; create a new tag instead")
    await cloud.gather(BeforeSystemTag(row=await cloud.get(target, tag.resource_uuid), tag=m.tag))

    def commit(tx: Tx) -> SystemTagRow:
        row = tx.require(SystemTagRow, m.uuid)
        if row.tag != m.tag:
            refuse_twin(tx, msgspec.structs.replace(row, tag=m.tag))
        return tx.update(row, tag=m.tag)

    return await cloud.write(commit)


@handles(DeleteTag)
async def delete_tag(m: DeleteTag, cloud: Cloud) -> None:
    """Take a tag off; one that is gone counts as taken off."""
    tag: UserTag | SystemTagRow | None = cloud.store.get(UserTag, m.uuid)
    tag = tag or cloud.store.get(SystemTagRow, m.uuid)
    if tag is None:
        return
    if not owns(type(tag), tag.uuid, cloud):
        raise Forbidden(f"account[{cloud.principal.account_uuid}] does not own tag[uuid:{m.uuid}]")
    if isinstance(tag, SystemTagRow):
        refuse_inherent(tag)
    kind = type(tag)
    await cloud.write(lambda tx: tx.delete(kind, m.uuid))


def tagged(resource_type: str, uuid: str, cloud: Cloud) -> Record:
    """The resource that a tag is meant for.

    Raises:
        InvalidArgument: no such type of resource.
        NotFound: no such resource, or not one that the caller may tag.
    """
    cls = cloud.use(TagPatterns).resource(resource_type)
    row = cloud.store.get(cls, uuid)
    if row is None or not owns(cls, uuid, cloud):
        raise NotFound(f"invalid field[resourceUuid], resource[uuid:{uuid}, type:{resource_type}] not found")
    return row


def owns(cls: type[Record], uuid: str, cloud: Cloud) -> bool:
    """Whether the caller may change what belongs to this row's owner."""
    return cloud.principal.admin or cloud.store.owner(cls, uuid) == cloud.principal.account_uuid


def refuse_twin(tx: Tx, tag: UserTag | SystemTagRow) -> None:
    """Raise a Conflict when the resource has this very tag already."""
    if tx.find(type(tag), resource_uuid=tag.resource_uuid, tag=tag.tag):
        raise Conflict(f"resource[uuid:{tag.resource_uuid}] has the tag[{tag.tag}] already", code="TAG.1000")


def refuse_inherent(tag: SystemTagRow) -> None:
    """Raise a Conflict for a tag that the cloud itself keeps."""
    if tag.inherent:
        raise Conflict(f"tag[uuid:{tag.uuid}, tag:{tag.tag}] is inherent: the cloud itself sets and removes it")
