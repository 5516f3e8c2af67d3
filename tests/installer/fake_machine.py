"""A machine below a folder: its programs are functions here, and what they change are files there.

So it outlives a process that is killed, as a real one does. Primitives: `FakeMachine`, `snapshot`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from installer.machine import Machine
from zstack_appliance.kernel.remote import Completed, HostCommandFailed

SYSTEM = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n'
Before = Callable[[Sequence[str]], None]


@dataclass
class FakeMachine:
    """Debian 12 with systemd, as far as the installer looks.

    Args:
        root: where its files are.
        before: called before each program; may end the process.
        after: called when the program has done its work.
    """

    root: Path
    before: Before = lambda _: None
    after: Before = lambda _: None

    def __post_init__(self) -> None:
        for folder in (
            "proc",
            "run/systemd/system",
            "state/units",
            "state/trusted",
            "state/trusted--permanent",
            "opt",
            "var/lib",
        ):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        self._begin("etc/os-release", SYSTEM)
        self._begin("proc/meminfo", "MemTotal: 8388608 kB\n")
        self._begin("state/packages", "iproute2\n")

    def _begin(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(text)

    @property
    def machine(self) -> Machine:
        """As the installer sees it."""
        return Machine(self.root, self.run)

    def is_active(self, unit: str) -> bool:
        """Whether systemd runs it."""
        return (self.root / "state" / "units" / unit).exists()

    def start(self, unit: str) -> None:
        """Have systemd run a unit."""
        (self.root / "state" / "units" / unit).touch()

    async def run(self, argv: Sequence[str], *, check: bool = True, **_: Any) -> Completed:
        """Run one of its programs."""
        words = [word for word in argv if "=" not in word or word.startswith("-")]
        if words[0] == "env":
            words = words[1:]
        self.before(words)
        status, said = getattr(self, f"_{words[0].replace('-', '_')}")(*words[1:])
        self.after(words)
        if check and status:
            raise HostCommandFailed(f"{words[0]} failed: {said}")
        return Completed(tuple(argv), status, said, "")

    def _dpkg_query(self, _show: str, _form: str, *names: str) -> tuple[int, str]:
        installed = (self.root / "state" / "packages").read_text().split()
        rows = "".join(f"{name} installed\n" for name in names if name in installed)
        return int(len(rows.splitlines()) < len(names)), rows

    def _dpkg(self, *words: str) -> tuple[int, str]:
        assert words == ("--configure", "-a")
        (self.root / "state" / "half-configured").unlink(missing_ok=True)
        return 0, ""

    def _apt_get(self, *words: str) -> tuple[int, str]:
        if (self.root / "state" / "half-configured").exists():
            return 100, "dpkg was interrupted, you must manually run 'dpkg --configure -a'"
        if "update" in words:
            (self.root / "state" / "updated").touch()
            return 0, ""
        if not (self.root / "state" / "updated").exists():
            return 100, "unable to locate package"
        with (self.root / "state" / "packages").open("a") as file:
            for name in words[words.index("install") + 1 :]:
                if not name.startswith("-"):
                    (self.root / "state" / "half-configured").touch()
                    self.after(("apt-get", "half"))
                    (self.root / "state" / "half-configured").unlink()
                    file.write(f"{name}\n")
                    file.flush()
        return 0, ""

    def _systemctl(self, verb: str, *words: str) -> tuple[int, str]:
        unit = next((word for word in words if not word.startswith("-")), "")
        file = self.root / "etc/systemd/system" / unit
        match verb:
            case "is-active":
                active = self.is_active(unit)
                return (0, "active\n") if active else (3, "inactive\n")
            case "daemon-reload":
                text = self.root / "etc/systemd/system/zstack-appliance.service"
                (self.root / "state" / "loaded").write_text(text.read_text() if text.exists() else "")
            case "enable":
                (self.root / "state" / "enabled").touch()
            case "restart":
                if (self.root / "state" / "loaded").read_text() != file.read_text():
                    return 1, "the unit file changed on disk"
                if (self.root / "state" / "broken").exists():
                    return 1, "the service failed"
                program = (self.root / "opt/zstack-appliance/current/zstack-appliance").read_bytes()
                (self.root / "state" / "units" / unit).write_bytes(program)
            case "disable":
                (self.root / "state" / "enabled").unlink(missing_ok=True)
                (self.root / "state" / "units" / unit).unlink(missing_ok=True)
        return 0, ""

    def _journalctl(self, *_: str) -> tuple[int, str]:
        return 0, "ERROR the port is taken\n"

    def _firewall_cmd(self, *words: str) -> tuple[int, str]:
        folder = self.root / "state" / ("trusted--permanent" if "--permanent" in words else "trusted")
        verb, _, interface = words[-1].partition("=")
        if verb == "--list-interfaces":
            return 0, " ".join(path.name for path in folder.iterdir())
        if verb == "--add-interface":
            (folder / interface).touch()
        else:
            (folder / interface).unlink()
        return 0, ""


def kill() -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def snapshot(root: Path) -> dict[str, str]:
    """What is on a machine: every file with its content, every link with what it says; secrets by their size."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            secret = name.startswith("var/lib/zstack-appliance/")
            found[name] = str(path.stat().st_size) if secret else str(hash(path.read_bytes()))
        else:
            found[name] = "folder"
    return {name: what for name, what in found.items() if "/trusted" not in name}
