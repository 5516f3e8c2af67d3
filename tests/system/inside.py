"""What happens inside a guest, through its agent and libvirt, whether or not an appliance runs.

Primitives: `Inside` (asks one guest), `qemu_pid`.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from agents.process import run
from tests.eventually import eventually

BOOT_SECONDS = 120.0
"""Until a tiny guest's agent answers while others boot beside it under TCG; 4-9 s alone."""


@dataclass(frozen=True)
class Inside:
    """One guest, by its VM's uuid."""

    uuid: str

    @property
    def domain(self) -> str:
        """Its domain's uuid as libvirt writes it."""
        return str(UUID(self.uuid))

    async def booted(self, *, within: float = BOOT_SECONDS) -> str:
        """Wait until its agent answers and an address is there; the id of this boot."""

        async def answers() -> bool:
            asked = '{"execute":"guest-ping"}'
            done = await run(["virsh", "qemu-agent-command", "--timeout", "5", self.domain, asked], check=False)
            return done.returncode == 0

        await eventually(answers, within=within, every=0.2)
        return await self.boot_id()

    async def boot_id(self) -> str:
        """Differs in every boot."""
        return (await self.shell("cat /proc/sys/kernel/random/boot_id")).strip()

    async def renew_lease(self) -> str:
        """Have a second DHCP client ask for an address as the guest's first one did; what it was given.

        Raises:
            AssertionError: nobody answered.
        """
        show = "#!/bin/sh\\n[ $1 = bound ] && echo $ip\\ntrue\\n"
        client = "udhcpc -i eth0 -n -q -f -t 5 -T 2 -s /tmp/show 2>/dev/null"
        given = await self.shell(f"printf '{show}' >/tmp/show; chmod +x /tmp/show; {client}")
        assert given.strip(), f"VM {self.uuid} got no answer by DHCP"
        return given.strip()

    async def shell(self, command: str, *, within: float = 60.0) -> str:
        """Run a command in the guest; what it wrote to standard output."""
        wish = {"path": "/bin/sh", "arg": ["-c", command], "capture-output": True}
        pid = (await self._agent("guest-exec", **wish))["pid"]

        async def ended() -> dict[str, Any] | None:
            status: dict[str, Any] = await self._agent("guest-exec-status", pid=pid)
            return status if status["exited"] else None

        status = await eventually(ended, within=within, every=0.1)
        assert status is not None
        return base64.b64decode(status.get("out-data", "")).decode()

    async def tell(self, command: str) -> None:
        """Ask its agent for what it does not live to answer, such as ``guest-shutdown``."""
        asked = json.dumps({"execute": command})
        await run(["virsh", "qemu-agent-command", "--async", self.domain, asked], check=False)

    async def _agent(self, command: str, **arguments: Any) -> Any:
        asked = json.dumps({"execute": command, "arguments": arguments})
        done = await run(["virsh", "qemu-agent-command", "--timeout", "20", self.domain, asked])
        return json.loads(done.stdout)["return"]


def qemu_pid(uuid: str) -> int | None:
    """The process of a VM's QEMU; None when there is none."""
    wanted = str(UUID(uuid)).encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words[0].endswith(b"qemu-system-x86_64") and wanted in words:
            return int(entry.name)
    return None
