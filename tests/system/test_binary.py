"""The one file on a machine that has no Python: a cloud comes up from it, and its first VM answers."""

from __future__ import annotations

import json
import shlex
from contextlib import suppress
from pathlib import Path

import trio

from agents.process import SEARCH_PATH, run
from tests.eventually import eventually
from tests.system.live import live

ROOT = Path(__file__).parent.parent.parent
BINARY = ROOT / "dist" / "zstack-appliance"
WITHIN = 120.0
"""Seconds until the first VM answers where everything is emulated and the machine is busy; 8 s alone."""

PYTHON = [
    path for folder in ("/usr/bin", "/usr/local/bin") for path in Path(folder).glob("python3*") if not path.is_symlink()
]
LIBRARIES = [path for folder in ("/usr/lib", "/usr/local/lib") for path in Path(folder).glob("python3*")]


def without_python(binary: Path) -> tuple[str, ...]:
    """Runs the program where neither Python nor this tree is to be seen; the rest of the host is the same."""
    hide = [
        *(["mount", "--bind", "/dev/null", str(path)] for path in PYTHON),
        *(["mount", "-t", "tmpfs", "none", str(path)] for path in (*LIBRARIES, ROOT)),
    ]
    script = " && ".join(shlex.join(step) for step in hide)
    return (
        "unshare",
        "--mount",
        "sh",
        "-c",
        f'{script} && cd / && export PATH={SEARCH_PATH} && ! python3 -c "" 2>/dev/null && exec "$0" "$@"',
        str(binary),
    )


async def test_a_cloud_comes_up_where_there_is_no_python(tmp_path: Path) -> None:
    binary, data = tmp_path / "bin" / "zstack-appliance", tmp_path / "data"
    binary.parent.mkdir()
    await run(["cp", str(BINARY), str(binary)])
    program = without_python(binary)
    async with live(data, "--first-vm", program=program) as appliance:
        await eventually(lambda: "VM first-vm answers" in appliance.log.read_text(), within=WITHIN)
        pid = int((data / "run" / "pid").read_text())
        assert pid != appliance.process.pid  # type: ignore[union-attr] # it runs
        listed = await run([*program, "vm", "list", "--json", "--data", str(data)])
        assert [vm["name"] for vm in json.loads(listed.stdout)] == ["first-vm"]
        for name in ("dnsmasq", "libvirtd", "qemu-system-x86"):
            assert "_MEI" not in await environment(name), f"{name} would load our libraries"
        assert await appliance.stop() == 0
    purged = await run([*program, "purge", "--data", str(data), "--yes"], timeout=120)
    assert "VM " in purged.stdout
    assert not data.exists()


async def environment(name: str) -> str:
    """That of the one program of this name which runs on this host."""
    for folder in await trio.Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if (await (folder / "comm").read_text()).strip() == name[:15]:
                return await (folder / "environ").read_text()
    raise AssertionError(f"no {name} runs")
