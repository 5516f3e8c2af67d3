"""What namespace routers are asked by the cascade."""

from __future__ import annotations

from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.schema import Uuid


class WithdrawRouter(Request[None], frozen=True, kw_only=True):
    """A router's host, network or public address goes: take the router away, on the host too if that answers."""

    uuid: Uuid
