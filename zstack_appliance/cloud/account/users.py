"""Make and change users, groups and policies, and say for whom a policy holds."""

from __future__ import annotations

from typing import Any, TypeVar

from zstack_appliance.cloud.account.passwords import Passwords
from zstack_appliance.cloud.account.policies import statement_faults
from zstack_appliance.cloud.account.schema import Account, Session
from zstack_appliance.cloud.account.user_messages import (
    AddUserToGroup,
    AttachPoliciesToUser,
    AttachPolicyToUser,
    AttachPolicyToUserGroup,
    CheckApiPermission,
    CreatePolicy,
    CreateUser,
    CreateUserGroup,
    DetachPoliciesFromUser,
    DetachPolicyFromUser,
    DetachPolicyFromUserGroup,
    GetResourceAccount,
    RemoveUserFromGroup,
    UpdateUser,
    UpdateUserGroup,
)
from zstack_appliance.cloud.account.user_rights import UserRights
from zstack_appliance.cloud.account.user_schema import (
    Effect,
    Policy,
    User,
    UserGroup,
    UserGroupPolicyRef,
    UserGroupUserRef,
    UserPolicyRef,
)
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict, Fault, Forbidden, NotFound, refuse
from zstack_appliance.kernel.message import Access, Create, api_of, wire_name
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.schema import Record
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.tags import attach, draft_tags

R = TypeVar("R", bound=Record)


@handles(CreateUser)
async def create_user(m: CreateUser, cloud: Cloud) -> User:
    """Serve `CreateUser`."""
    return await _create(User, m, cloud, password=await cloud.use(Passwords).hash(m.password))


@handles(CreateUserGroup)
async def create_group(m: CreateUserGroup, cloud: Cloud) -> UserGroup:
    """Serve `CreateUserGroup`."""
    return await _create(UserGroup, m, cloud)


@handles(CreatePolicy)
async def create_policy(m: CreatePolicy, cloud: Cloud) -> Policy:
    """Serve `CreatePolicy`."""
    refuse(*statement_faults(m.statements, cloud.kernel.bus.requests))
    return await _create(Policy, m, cloud)


async def _create(cls: type[R], m: Create[R], cloud: Cloud, **values: Any) -> R:
    row = cloud.draft(cls, m, account_uuid=cloud.principal.account_uuid, **values)
    tagging = draft_tags(m, row, cloud)

    def commit(tx: Tx) -> R:
        made = tx.insert(row)
        attach(tx, tagging)
        return made

    return await cloud.write(commit)


@handles(UpdateUser)
async def update_user(m: UpdateUser, cloud: Cloud) -> User:
    """Serve `UpdateUser`."""
    user = await cloud.get(User, _whom(m, cloud))
    passwords = cloud.use(Passwords)
    if m.old_password is not None and not await passwords.matches(user.password, m.old_password):
        refuse(Fault("oldPassword", "old password is not equal to the original password, nothing is changed"))
    changes: dict[str, Any] = {
        name: getattr(m, name) for name in ("name", "description") if getattr(m, name) is not None
    }
    if m.password is not None:
        if cloud.principal.user_uuid is not None and m.old_password is None:
            refuse(Fault("oldPassword", "field[oldPassword] is needed to change a password that is in use"))
        changes["password"] = await passwords.hash(m.password)

    def commit(tx: Tx) -> User:
        if m.password is not None:
            for session in tx.find(Session, user_uuid=user.uuid):
                if session.uuid != cloud.principal.session_uuid:
                    tx.delete(session)
        return tx.update(tx.require(User, user.uuid), **changes)

    return await cloud.write(commit)


def _whom(m: UpdateUser, cloud: Cloud) -> str:
    """The user to change, which is the caller itself, or one of the account's that it may change."""
    own = cloud.principal.user_uuid
    uuid = m.uuid or own
    if uuid is None:
        refuse(Fault("uuid", "field[uuid] is needed: the account itself is no user"))
        raise AssertionError  # `refuse` has raised.
    if uuid == own:
        return uuid
    if own is not None:
        raise Forbidden(f"user[uuid:{own}] may change itself alone; the account changes the others")
    _refuse_foreign(User, uuid, cloud)
    return uuid


def _refuse_foreign(cls: type[Record], uuid: str, cloud: Cloud) -> None:
    """APIs whose paths name no row are not held to acting on the caller's own by the portal."""
    if not cloud.principal.admin and cloud.store.owner(cls, uuid) != cloud.principal.account_uuid:
        raise NotFound(f"invalid field[uuid], resource[uuid:{uuid}] not found")


@handles(UpdateUserGroup)
async def update_group(m: UpdateUserGroup, cloud: Cloud) -> UserGroup:
    """Serve `UpdateUserGroup`."""
    _refuse_foreign(UserGroup, m.uuid, cloud)
    changes = {name: getattr(m, name) for name in ("name", "description") if getattr(m, name) is not None}
    return await cloud.write(lambda tx: tx.update(tx.require(UserGroup, m.uuid), **changes))


@handles(AddUserToGroup)
async def add_to_group(m: AddUserToGroup, cloud: Cloud) -> None:
    """Serve `AddUserToGroup`."""
    await _link(UserGroupUserRef, (User, "user_uuid", m.user_uuid), (UserGroup, "group_uuid", m.group_uuid), cloud)


@handles(RemoveUserFromGroup)
async def remove_from_group(m: RemoveUserFromGroup, cloud: Cloud) -> None:
    """Serve `RemoveUserFromGroup`."""
    await _unlink(UserGroupUserRef, cloud, user_uuid=m.user_uuid, group_uuid=m.group_uuid)


@handles(AttachPolicyToUser)
async def attach_to_user(m: AttachPolicyToUser, cloud: Cloud) -> None:
    """Serve `AttachPolicyToUser`."""
    await _link(UserPolicyRef, (User, "user_uuid", m.user_uuid), (Policy, "policy_uuid", m.policy_uuid), cloud)


@handles(AttachPoliciesToUser)
async def attach_several(m: AttachPoliciesToUser, cloud: Cloud) -> None:
    """Serve `AttachPoliciesToUser`."""
    for uuid in dict.fromkeys(m.policy_uuids):
        await _link(UserPolicyRef, (User, "user_uuid", m.user_uuid), (Policy, "policy_uuid", uuid), cloud)


@handles(DetachPolicyFromUser)
async def detach_from_user(m: DetachPolicyFromUser, cloud: Cloud) -> None:
    """Serve `DetachPolicyFromUser`."""
    await _unlink(UserPolicyRef, cloud, user_uuid=m.user_uuid, policy_uuid=m.policy_uuid)


@handles(DetachPoliciesFromUser)
async def detach_several(m: DetachPoliciesFromUser, cloud: Cloud) -> None:
    """Serve `DetachPoliciesFromUser`."""
    await _unlink(UserPolicyRef, cloud, user_uuid=m.user_uuid, policy_uuid=m.policy_uuids)


@handles(AttachPolicyToUserGroup)
async def attach_to_group(m: AttachPolicyToUserGroup, cloud: Cloud) -> None:
    """Serve `AttachPolicyToUserGroup`."""
    group = (UserGroup, "group_uuid", m.group_uuid)
    await _link(UserGroupPolicyRef, group, (Policy, "policy_uuid", m.policy_uuid), cloud)


@handles(DetachPolicyFromUserGroup)
async def detach_from_group(m: DetachPolicyFromUserGroup, cloud: Cloud) -> None:
    """Serve `DetachPolicyFromUserGroup`."""
    await _unlink(UserGroupPolicyRef, cloud, group_uuid=m.group_uuid, policy_uuid=m.policy_uuid)


End = tuple[type[User] | type[UserGroup] | type[Policy], str, str]
"""One end of a link: what it is, the field that names it, and its uuid."""


async def _link(cls: type[Record], one: End, other: End, cloud: Cloud) -> None:
    uuid = cloud.entropy.uuid()
    ends = {field: end for _, field, end in (one, other)}

    def commit(tx: Tx) -> None:
        first, second = (tx.require(kind, end) for kind, _, end in (one, other))
        if first.account_uuid != second.account_uuid:
            raise Conflict(f"resource[uuid:{first.uuid}] and resource[uuid:{second.uuid}] are of different accounts")
        if not tx.find(cls, **ends):
            tx.insert(cls(uuid=uuid, create_date=0, last_op_date=0, **ends))

    await cloud.write(commit)


async def _unlink(cls: type[Record], cloud: Cloud, **ends: object) -> None:
    def commit(tx: Tx) -> None:
        for row in tx.find(cls, **ends):
            tx.delete(row)

    await cloud.write(commit)


@handles(CheckApiPermission)
async def check_permission(m: CheckApiPermission, cloud: Cloud) -> dict[str, str]:
    """Serve `CheckApiPermission`. Queries show what the account sees, so that everybody may ask them."""
    user = m.user_uuid or cloud.principal.user_uuid
    served = {wire_name(each): each for each in cloud.kernel.bus.requests if api_of(each) is not None}
    answers: dict[str, str] = {}
    for name in dict.fromkeys(m.api_names):
        message = served.get(name)
        declared = api_of(message) if message is not None else None
        if message is None or declared is None:
            allowed = name.rpartition(".")[2].startswith("APIQuery")
        elif declared.access is Access.ADMIN and not cloud.principal.admin:
            allowed = False
        else:
            allowed = user is None or cloud.use(UserRights).allow(user, message)
        answers[name] = (Effect.ALLOW if allowed else Effect.DENY).value
    return answers


@handles(GetResourceAccount)
async def resource_account(m: GetResourceAccount, cloud: Cloud) -> dict[str, Account]:
    """Serve `GetResourceAccount`; what is not there, or not the caller's to know, is left out."""
    found: dict[str, Account] = {}
    for uuid in dict.fromkeys(m.resource_uuids):
        row = cloud.store.reader.anything(uuid)
        owner = row and cloud.store.owner(type(row), uuid)
        account = cloud.store.get(Account, owner) if owner else None
        if account is not None and (cloud.principal.admin or account.uuid == cloud.principal.account_uuid):
            found[uuid] = account
    return found
