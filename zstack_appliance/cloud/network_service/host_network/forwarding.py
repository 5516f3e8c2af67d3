"""The kernel's IPv4 forwarding: `switch_on` remembers what was there, `restore` puts it back.

Switching it has side effects that the kernel does not undo by itself: it sets ``forwarding`` on every
interface and turns ``accept_redirects`` round. So these are remembered as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
import trio

from zstack_appliance.hostkit.files import ensure_folder
from zstack_appliance.hostkit.iproute import forwarding, ip_show
from zstack_appliance.kernel.remote import Runtime
from zstack_appliance.kernel.small_files import read_text, replace_text

_BOOT = "kernel.random.boot_id"
_FORWARD = "net.ipv4.ip_forward"
_REDIRECTS = "net.ipv4.conf.all.accept_redirects"


class Former(msgspec.Struct, frozen=True):
    """What the settings were before us, in one boot of the host: each boot sets them anew."""

    boot_id: str
    settings: dict[str, str]


def record_path(data: Path) -> Path:
    """Where the former settings are remembered."""
    return data / "network" / "forwarding.json"


async def switch_on(runtime: Runtime) -> tuple[str, ...]:
    """Have the host forward IPv4, and remember first what was set before us.

    Returns:
        What had to be done.
    """
    boot_id, enabled, redirects = await _values(runtime, _BOOT, _FORWARD, _REDIRECTS)
    record = record_path(runtime.data)
    former = await trio.to_thread.run_sync(_read, record)
    if former is None or former.boot_id != boot_id:
        [rows] = await ip_show(runtime, ["netconf show"])
        settings = former_settings(enabled, redirects, forwarding(rows))
        await trio.to_thread.run_sync(_write, record, Former(boot_id=boot_id, settings=settings))
    if enabled == "1":
        return ()
    change = f"{_FORWARD}=1"
    await runtime.run(["sysctl", "-q", "-w", change])
    return (change,)


async def restore(runtime: Runtime) -> tuple[str, ...]:
    """Put back what was set before us; nothing to do when nothing is remembered from this boot.

    Returns:
        What had to be done.
    """
    record = record_path(runtime.data)
    former = await trio.to_thread.run_sync(_read, record)
    boot_id, enabled = await _values(runtime, _BOOT, _FORWARD)
    changes: list[str] = []
    if former is not None and former.boot_id == boot_id and former.settings.get(_FORWARD) != enabled:
        # In this order: the first resets the others.
        changes = [f"{name}={value}" for name, value in former.settings.items()]
        # -e: an interface may have gone meanwhile.
        await runtime.run(["sysctl", "-e", "-q", "-w", *changes])
    record.unlink(missing_ok=True)
    return tuple(changes)


def former_settings(enabled: str, redirects: str, interfaces: Mapping[str, bool]) -> dict[str, str]:
    """What to write, in this order, to have everything as it was.

    Args:
        enabled: ``ip_forward``.
        redirects: ``accept_redirects`` of all interfaces.
        interfaces: whether each forwards; ``all`` is ``ip_forward`` by another name.
    """
    # Slashes, because an interface's name may hold a dot.
    each = {
        f"net/ipv4/conf/{name}/forwarding": str(int(on)) for name, on in sorted(interfaces.items()) if name != "all"
    }
    return {_FORWARD: enabled, _REDIRECTS: redirects, **each}


async def _values(runtime: Runtime, *names: str) -> list[str]:
    asked = await runtime.run(["sysctl", "-n", *names])
    return asked.stdout.split()


def _read(record: Path) -> Former | None:
    text = read_text(record)
    if text is not None:
        with suppress(msgspec.DecodeError):
            return msgspec.json.decode(text, type=Former)
    return None


def _write(record: Path, former: Former) -> None:
    ensure_folder(record.parent)
    # Durable, because once forwarding is on nobody else knows what was there before.
    replace_text(record, msgspec.json.encode(former).decode(), durable=True)
