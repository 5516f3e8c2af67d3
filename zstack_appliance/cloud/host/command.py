"""Have a host carry out a command: `OnHost`, in the host's own line, several at once; and `OpenOnHost`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trio.abc import Stream

from zstack_appliance.cloud.host.links import HostLinks
from zstack_appliance.cloud.host.messages import OnHost, OpenOnHost
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
    with _told(host, f"carry out {m.command.path}"):
        return await cloud.use(HostLinks).of(host).ask(m.command, report=m.report)


@handles(OpenOnHost)
async def open_on_host(m: OpenOnHost, cloud: Cloud) -> Stream:
    """Serve `OpenOnHost`. A channel stays open for long, so it waits in no line and holds no place in one."""
    host = await cloud.get(Host, m.host_uuid)
    with _told(host, f"open the {m.wish.channel.value}"):
        return await cloud.use(HostLinks).of(host).open(m.wish)


@contextmanager
def _told(host: Host, what: str) -> Iterator[None]:
    """A host's own errors as the cloud's."""
    try:
        yield
    except HostUnreachable as error:
        text = f"host[{host.name}] does not answer: {error}"
        raise Unavailable(text, code="HOST.1010") from error
    except HostCommandFailed as error:
        text = f"host[{host.name}] could not {what}: {error}"
        raise Internal(text) from error
