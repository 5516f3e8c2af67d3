"""What a user may call: `UserRights`, which the portal asks for those who are not the account itself."""

from __future__ import annotations

from typing import Any

from zstack_appliance.cloud.account.policies import always_allowed, is_allowed
from zstack_appliance.cloud.account.user_schema import (
    Policy,
    PolicyStatement,
    UserGroupPolicyRef,
    UserGroupUserRef,
    UserPolicyRef,
)
from zstack_appliance.kernel.errors import Forbidden
from zstack_appliance.kernel.message import Request, wire_name
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.store import Store


class UserRights:
    """Reads policies as they are at each call.

    Args:
        store: where they are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def refuse(self, message: type[Request[Any]], principal: Principal) -> None:
        """Raise a Forbidden when the principal is a user whom no policy allows the API."""
        if principal.user_uuid is not None and not self.allow(principal.user_uuid, message):
            text = f"no policy of user[uuid:{principal.user_uuid}] allows {wire_name(message)}"
            raise Forbidden(f"{text}; ask who holds the account for one")

    def allow(self, user_uuid: str, message: type[Request[Any]]) -> bool:
        """Whether a user may call an API."""
        return always_allowed(message) or is_allowed(wire_name(message), self.statements(user_uuid))

    def statements(self, user_uuid: str) -> list[PolicyStatement]:
        """Those of the user's policies, and of its groups'."""
        groups = tuple(ref.group_uuid for ref in self._store.find(UserGroupUserRef, user_uuid=user_uuid))
        policies = {ref.policy_uuid for ref in self._store.find(UserPolicyRef, user_uuid=user_uuid)}
        policies |= {ref.policy_uuid for ref in self._store.find(UserGroupPolicyRef, group_uuid=groups)}
        return [each for row in self._store.find(Policy, uuid=tuple(policies)) for each in row.statements]
