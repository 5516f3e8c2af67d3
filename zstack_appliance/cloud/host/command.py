"""Have a host carry out a command: `OnHost`, in the host's own line, several at once."""

from __future__ import annotations

from typing import Any

from zstack_appliance.cloud.host.links import HostLinks
from zstack_appliance.cloud.host.messages import OnHost
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Internal, Unavailable
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.remote import HostCommandFailed, HostUnreachable
from zstack_appliance.kernel.schema import Key

COMMANDS = "host_commands"
"""The queue of a host's commands: beside the host's own, which is held while it is being connected."""


@handles(OnHost, queue=lambda m: Key(COMMANDS, m.host_uuid))
async def on_host(m: OnHost[Any], cloud: Cloud) -> Any:
    """Serve `OnHost`."""
    host = await cloud.get(Host, m.host_uuid)
    try:
        return await cloud.use(HostLinks).of(host).ask(m.command, report=m.report)
    except HostUnreachable as error:
        text = f"host[{host.name}] does not answer: {error}"
        raise Unavailable(text, code="HOST.1010") from error
    except HostCommandFailed as error:
        text = f"host[{host.name}] could not carry out {m.command.path}: {error}"
        raise Internal(text) from error
