"""Undo an appliance: its VMs, everything of it in the network, its libvirtd, and its data folder.

Primitive: `purge`. It goes by marks and not by records, so it works with a damaged database as well, and a
second run finds nothing to do. The appliance must be stopped: the data folder's lock says whether it is.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from agents.kvm.host import KvmHost
from agents.kvm.libvirtd import SOCKET, SYSTEMD, Libvirtd
from agents.kvm.local import LocalLink
from agents.kvm.runtime import LocalRuntime
from zstack_appliance.cloud.host.driver import DestroyVm, ListVms
from zstack_appliance.cloud.network_service.host_network.host_side import HOST_SIDE
from zstack_appliance.cloud.network_service.host_network.wire import PurgeHostNetwork
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.store.lock import locked

LIBVIRT_CACHE = Path("/var/cache/libvirt/qemu")
"""What libvirt knows of QEMU. Our own libvirtd shares it with none but one that the system may start later,
which fills it anew."""


async def purge(data: Path) -> list[str]:
    """Remove everything, and say what was done, in order.

    Raises:
        Conflict: the appliance runs, or the folder is no data folder.
        HostCommandFailed: something would not go; the text names it. Run it again.
        HostUnreachable: there may be VMs, but libvirtd does not answer.
    """
    data = await trio.to_thread.run_sync(data.resolve)
    if not await trio.Path(data).exists():
        return []
    instance = await trio.to_thread.run_sync(_instance_of, data)
    with locked(data / "lock"):
        done: list[str] = []
        async with _host(instance, data) as host:
            if _may_have_vms(data):
                done += await _remove_vms(host)
            state = await host.ask(PurgeHostNetwork())
            done += [*state.changed, *(f"note: {note}" for note in state.notes)]
        done += await _stop_libvirtd(instance, data)
        await trio.to_thread.run_sync(shutil.rmtree, data)
        done.append(f"{data} removed")
    return done


def _instance_of(data: Path) -> str:
    """The id of the appliance that a folder is of.

    Raises:
        Conflict: it is of none, so it is not ours to remove.
    """
    try:
        instance = (data / "instance").read_text().strip()
    except OSError:
        raise Conflict(f"{data} is no data folder of an appliance: it holds no file 'instance'") from None
    if not re.fullmatch(r"[0-9a-f]{6}", instance):
        raise Conflict(f"{data}/instance is damaged, so what belongs to it cannot be told; restore it first")
    return instance


@asynccontextmanager
async def _host(instance: str, data: Path) -> AsyncIterator[LocalLink]:
    host = KvmHost(instance=instance, data=data, sides=[HOST_SIDE])
    try:
        yield LocalLink(host)
    finally:
        with trio.CancelScope(shield=True):
            await host.aclose()


def _may_have_vms(data: Path) -> bool:
    """Whether libvirt has to be asked: a simulated cloud never had one, and none should be started for it."""
    return (data / "libvirt").exists() or (data / "vms").exists() or SOCKET.exists()


async def _remove_vms(host: LocalLink) -> list[str]:
    listed = await host.ask(ListVms())
    for vm in listed.vms:
        await host.ask(DestroyVm(uuid=vm.uuid))
    return [f"VM {vm.uuid} removed" for vm in listed.vms]


async def _stop_libvirtd(instance: str, data: Path) -> list[str]:
    """End our own libvirtd and remove what it made outside the data folder; the system's own is left alone."""
    if SYSTEMD.exists() or not (data / "libvirt").exists():
        return []
    daemon = Libvirtd(LocalRuntime(instance=instance, data=data))
    await daemon.stop_private()
    return ["libvirtd stopped", *await trio.to_thread.run_sync(_forget_libvirtd)]


def _forget_libvirtd() -> list[str]:
    """Remove the sockets of a libvirtd that has ended, and its cache. Blocks."""
    done: list[str] = []
    for folder in (SOCKET.parent, LIBVIRT_CACHE):
        for entry in sorted(folder.iterdir()) if folder.exists() else ():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
            done.append(f"{entry} removed")
    return done
