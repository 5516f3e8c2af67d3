"""Pictures of the terminal dashboard for the documents: ``python -m tests.tui.pictures``.

An appliance on simulated hosts is filled with VMs, looked at in two sizes of terminal, and drawn as SVG.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from zstack_appliance.cli.client import Client
from zstack_appliance.cli.declared import find_api
from zstack_appliance.cli.exits import CliError
from zstack_appliance.cli.names import Resolver
from zstack_appliance.cli.place import Place
from zstack_appliance.cli.values import parse
from zstack_appliance.tui.app import Tui

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"

SMALL, LARGE = (80, 24), (160, 48)

PICTURES: tuple[tuple[str, tuple[int, int], Sequence[str]], ...] = (
    ("tui-80x24", SMALL, ()),
    ("tui-160x48", LARGE, ()),
    ("tui-vms-80x24", SMALL, ("v",)),
    ("tui-vms-160x48", LARGE, ("v",)),
    ("tui-steps-160x48", LARGE, ("j", "enter")),
    ("tui-delete-80x24", SMALL, ("v", "ctrl+d")),
)
"""Name, size of the terminal, and the keys that lead there."""

VMS = ("web-1", "web-2", "web-3", "db", "cache", "queue", "mail", "build-1", "build-2", "wiki")


@contextlib.contextmanager
def simulated(folder: Path) -> Iterator[Place]:
    """An appliance on simulated hosts."""
    argv = [sys.executable, "-m", "zstack_appliance", "simulate", "--data", str(folder), "--listen", "127.0.0.1:0"]
    with subprocess.Popen([*argv, "--hosts", "4"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"ready ")
        try:
            yield Place("http://localhost", socket=folder / "run" / "api.sock")
        finally:
            process.send_signal(signal.SIGTERM)


def fill(place: Place) -> None:
    """VMs in several states, and an operation that failed."""
    client = Client(place)

    def call(api: str, *pairs: tuple[str, str]) -> None:
        message = find_api(api)
        client.call(message, parse(message, pairs, Resolver(client).uuid))

    for name in VMS:
        call(
            "CreateVmInstance",
            ("name", name),
            ("imageUuid", "tiny"),
            ("instanceOfferingUuid", "medium" if name.startswith("build") else "small"),
            ("l3NetworkUuids", "net1"),
        )
    for name in ("build-2", "wiki"):
        call("StopVmInstance", ("uuid", name))
    with contextlib.suppress(CliError):  # It is to fail: there is no such host.
        giant = {"name": "giant", "imageUuid": "tiny", "l3NetworkUuids": "net1", "cpuNum": "1", "memorySize": "900G"}
        call("CreateVmInstance", *giant.items())
    client.close()


async def draw(place: Place, name: str, size: tuple[int, int], keys: Sequence[str]) -> None:
    """One picture."""
    app = Tui(Place(place.url, socket=place.socket))
    async with app.run_test(size=size) as pilot:
        await pilot.pause(3.0)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(1.0)
        picture = app.export_screenshot(title="zstack-appliance tui")
    # Whoever looks at it has a monospaced font; a picture in a document loads nothing from elsewhere.
    plain = re.sub(r"@font-face\s*\{.*?\}", "", picture, flags=re.DOTALL)
    shown = plain.replace(str(place.socket.parent.parent) if place.socket else "", "/var/lib/zstack-appliance")
    (DOCS / f"{name}.svg").write_text(shown)


def main() -> None:
    """Draw all of them."""
    with tempfile.TemporaryDirectory() as folder, simulated(Path(folder) / "data") as place:
        fill(place)
        for name, size, keys in PICTURES:
            asyncio.run(draw(place, name, size, keys))


if __name__ == "__main__":
    main()
