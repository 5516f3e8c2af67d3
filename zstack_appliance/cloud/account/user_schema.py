"""What is stored of users, their groups and policies.

A user logs in for its account and sees what that sees; what it may do is what its policies, and those of its
groups, allow.
"""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec

from zstack_appliance.cloud.account.schema import Account
from zstack_appliance.kernel.schema import DELETE, SECRET, Record, Ref, Resource, Uuid, resource

_WIRE = "org.zstack.header.identity"


class Effect(enum.Enum):
    """What a statement does to the calls that it speaks of. Deny wins, whatever else is allowed."""

    ALLOW = "Allow"
    DENY = "Deny"


class PolicyStatement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Allows or denies calls.

    Args:
        effect: which of the two.
        actions: patterns of API classes, such as ``org.zstack.header.vm.APIStartVmInstanceMsg`` or
            ``.header.vm.**``: ``*`` stands for letters up to the next dot, ``**`` for anything.
        name: for people.
        principals: not served; a policy holds for whom it is attached to.
        resources: not served but for ``*``; a policy holds for all that the account has.
    """

    effect: Effect
    actions: tuple[str, ...]
    name: str | None = None
    principals: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None


@resource(
    wire=_WIRE,
    path="/accounts/users",
    owned=True,
    unique=(("account_uuid", "name"),),
    aliases={"group": "groupRef.group", "policy": "policyRef.policy"},
)
class User(Resource, frozen=True, kw_only=True):
    """Somebody who acts for an account. Its name is unique there."""

    account_uuid: Annotated[Uuid, Ref(Account, back="user", on_delete=DELETE, owner=True)]
    password: Annotated[str, SECRET]
    """An argon2 hash of the SHA-512 that clients send."""


@resource(
    wire=_WIRE,
    path="/accounts/groups",
    owned=True,
    aliases={"user": "userRef.user", "policy": "policyRef.policy"},
)
class UserGroup(Resource, frozen=True, kw_only=True):
    """Users who may do the same."""

    account_uuid: Annotated[Uuid, Ref(Account, back="group", on_delete=DELETE, owner=True)]


@resource(
    wire=_WIRE,
    path="/accounts/policies",
    owned=True,
    aliases={"group": "groupRef.group", "user": "userRef.user"},
)
class Policy(Resource, frozen=True, kw_only=True):
    """What those may do to whom it is attached."""

    account_uuid: Annotated[Uuid, Ref(Account, back="policy", on_delete=DELETE, owner=True)]
    statements: tuple[PolicyStatement, ...]


@resource(wire=_WIRE, unique=(("user_uuid", "group_uuid"),))
class UserGroupUserRef(Record, frozen=True, kw_only=True):
    """A user is in a group."""

    user_uuid: Annotated[Uuid, Ref(User, back="groupRef", on_delete=DELETE, owner=True, hidden=True)]
    group_uuid: Annotated[Uuid, Ref(UserGroup, edge="group", back="userRef", on_delete=DELETE, hidden=True)]


@resource(wire=_WIRE, unique=(("user_uuid", "policy_uuid"),))
class UserPolicyRef(Record, frozen=True, kw_only=True):
    """A policy holds for a user."""

    user_uuid: Annotated[Uuid, Ref(User, back="policyRef", on_delete=DELETE, owner=True, hidden=True)]
    policy_uuid: Annotated[Uuid, Ref(Policy, back="userRef", on_delete=DELETE, hidden=True)]


@resource(wire=_WIRE, unique=(("group_uuid", "policy_uuid"),))
class UserGroupPolicyRef(Record, frozen=True, kw_only=True):
    """A policy holds for everybody in a group."""

    group_uuid: Annotated[
        Uuid, Ref(UserGroup, edge="group", back="policyRef", on_delete=DELETE, owner=True, hidden=True)
    ]
    policy_uuid: Annotated[Uuid, Ref(Policy, back="groupRef", on_delete=DELETE, hidden=True)]
