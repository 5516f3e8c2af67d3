"""A router's dnsmasq as a process: found again, started, told to read again, stopped.

Primitives: `apply_dnsmasq` (has it run with these files), `remove_dnsmasq`, `running` (finds it),
`forget_loaded`. It outlives the appliance, so what it has loaded is remembered in a file beside its
configuration.
"""

from __future__ import annotations

import hashlib
import signal
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import trio

from zstack_appliance.cloud.network_service.namespace_router import dnsmasq
from zstack_appliance.cloud.network_service.namespace_router.place import LAN, Place
from zstack_appliance.cloud.network_service.namespace_router.wire import DhcpService, RouterSpec
from zstack_appliance.hostkit.daemons import PROCESSES, arguments, end, held, pids
from zstack_appliance.hostkit.iproute import NAMESPACES, in_namespace
from zstack_appliance.kernel.remote import Runtime
from zstack_appliance.kernel.small_files import read_text, replace_text

LOADED = "loaded.json"


class Loaded(msgspec.Struct, frozen=True):
    """Digests of what the running dnsmasq was started with and of the lists that it read last."""

    config: str
    lists: str


@dataclass(frozen=True, slots=True)
class Daemon:
    """A dnsmasq that runs with a router's configuration, held by its pidfd.

    Attributes:
        pidfd: so that a signal reaches this process or none.
        at_home: whether it is in the router's namespace as that is now, not in a former one.
    """

    pidfd: int
    at_home: bool


async def apply_dnsmasq(spec: RouterSpec, place: Place, runtime: Runtime) -> tuple[str, ...]:
    """Have dnsmasq serve the router as described, interrupting it only where it must.

    Args:
        spec: the router.
        place: where it lives; the namespace and ``lan`` exist.
        runtime: runs programs.

    Returns:
        What had to be done.
    """
    user = None if reachable(place.folder) else "root"
    files = dnsmasq.render(spec, place.folder, interface=LAN, user=user)
    if files is None:
        return await remove_dnsmasq(place)
    wanted = Loaded(config=_digest(files.config), lists=_digest(files.dhcp_hosts, files.hosts))
    with running(place) as daemon:
        loaded = _loaded(place) if daemon is not None and daemon.at_home else None
        restart = loaded is None or loaded.config != wanted.config or _conflicting(place, spec.dhcp)
        if not restart and loaded == wanted:
            return ()
        forget_loaded(place)
        if restart and daemon is not None:
            await end(daemon.pidfd)
        await trio.to_thread.run_sync(_write, place, files)
        if restart:
            await _start(place, spec.dhcp, runtime)
        elif daemon is not None:
            signal.pidfd_send_signal(daemon.pidfd, signal.SIGHUP)
    replace_text(place.folder / LOADED, msgspec.json.encode(wanted).decode())
    if not restart:
        return ("dnsmasq read its lists again",)
    return ("dnsmasq started" if daemon is None else "dnsmasq restarted",)


def forget_loaded(place: Place) -> None:
    """Have the next apply restart dnsmasq, whatever becomes of this one.

    Called before anything is changed under a running dnsmasq: its files, or ``lan``, since it holds on to
    the device that it began with and hears nothing on a new one.
    """
    (place.folder / LOADED).unlink(missing_ok=True)


async def remove_dnsmasq(place: Place) -> tuple[str, ...]:
    """Have no dnsmasq for this router, wherever its namespace went; its leases are forgotten."""
    with running(place) as daemon:
        if daemon is not None:
            await end(daemon.pidfd)
    for name in (LOADED, dnsmasq.CONFIG, dnsmasq.DHCP_HOSTS, dnsmasq.HOSTS, dnsmasq.LEASES, dnsmasq.PID):
        (place.folder / name).unlink(missing_ok=True)
    return () if daemon is None else ("dnsmasq stopped",)


@contextmanager
def running(place: Place, processes: Path = PROCESSES) -> Iterator[Daemon | None]:
    """The router's dnsmasq, held while the block lasts; None when it does not run."""
    with ExitStack() as stack:
        pid = _recorded(place)
        if pid is None or not _is_ours(pid, place, processes):
            # A crash or a hand may have taken its pid file away.
            pid = next((one for one in pids(processes) if _is_ours(one, place, processes)), None)
        pidfd = stack.enter_context(held(pid)) if pid is not None else None
        # The number may have become another's just before we held it.
        if pid is None or pidfd is None or not _is_ours(pid, place, processes):
            yield None
        else:
            yield Daemon(pidfd=pidfd, at_home=_is_at_home(pid, place, processes))


def reachable(folder: Path) -> bool:
    """Whether any user may pass through to the files of a folder.

    dnsmasq gives up its rights once it has started and reads its lists again as nobody. Where the
    appliance's folder lies in a private one, it has to stay root.
    """
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in (folder, *folder.parents))


def _recorded(place: Place) -> int | None:
    text = (read_text(place.folder / dnsmasq.PID) or "").strip()
    return int(text) if text.isdecimal() else None


def _is_ours(pid: int, place: Place, processes: Path) -> bool:
    """Whether it is dnsmasq with this router's configuration."""
    started = arguments(pid, processes)
    return bool(started) and started[0].endswith("dnsmasq") and _config_argument(place) in started


def _is_at_home(pid: int, place: Place, processes: Path) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        home = (NAMESPACES / place.namespace).stat()
        return (processes / str(pid) / "ns/net").stat().st_ino == home.st_ino
    return False


def _config_argument(place: Place) -> str:
    return f"--conf-file={place.folder / dnsmasq.CONFIG}"


async def _start(place: Place, dhcp: DhcpService | None, runtime: Runtime) -> None:
    """Start it with the leases that it had, but those in the way; it returns once it serves."""
    leases = place.folder / dnsmasq.LEASES
    known = read_text(leases)
    if known is not None and dhcp is not None:
        replace_text(leases, dnsmasq.pruned(known, dhcp))
    await runtime.run(in_namespace(place.namespace, ["dnsmasq", _config_argument(place)]))


def _conflicting(place: Place, dhcp: DhcpService | None) -> bool:
    known = read_text(place.folder / dnsmasq.LEASES)
    return dhcp is not None and known is not None and dnsmasq.conflicting(known, dhcp)


def _loaded(place: Place) -> Loaded | None:
    text = read_text(place.folder / LOADED)
    if text is not None:
        with suppress(msgspec.DecodeError):
            return msgspec.json.decode(text, type=Loaded)
    return None


def _write(place: Place, files: dnsmasq.Files) -> None:
    replace_text(place.folder / dnsmasq.CONFIG, files.config)
    replace_text(place.folder / dnsmasq.DHCP_HOSTS, files.dhcp_hosts)
    replace_text(place.folder / dnsmasq.HOSTS, files.hosts)


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
