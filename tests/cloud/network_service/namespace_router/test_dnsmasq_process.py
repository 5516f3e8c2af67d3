"""dnsmasq as a process: recognised by what it was started with, restarted only where it must be.

The process here is a sleeper with dnsmasq's name and arguments; the real one is for the system tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from tests.cloud.network_service.namespace_router.specs import INSTANCE, SPEC
from tests.eventually import eventually
from tests.scripted_runtime import ScriptedRuntime
from zstack_appliance.cloud.network_service.namespace_router.dnsmasq_process import (
    LOADED,
    apply_dnsmasq,
    reachable,
    remove_dnsmasq,
    running,
)
from zstack_appliance.cloud.network_service.namespace_router.place import Place, place_of
from zstack_appliance.hostkit.daemons import arguments
from zstack_appliance.kernel.remote import Completed, HostCommandFailed


@pytest.fixture
def place(tmp_path: Path) -> Place:
    found = place_of(SPEC.l3_network_uuid, instance=INSTANCE, data=tmp_path / "data")
    found.folder.mkdir(parents=True)
    return found


@asynccontextmanager
async def sleeper(place: Place, folder: Path, *, record: bool = True) -> AsyncIterator[int]:
    """A process that looks like the router's dnsmasq."""
    program = folder / "dnsmasq"
    shutil.copy("/bin/sh", program)
    config = f"--conf-file={place.folder}/dnsmasq.conf"
    command = [str(program), "-c", "read line", "x", config]
    started = await trio.lowlevel.open_process(command, stdin=subprocess.PIPE)
    try:
        # Its arguments appear a moment after it has begun.
        await eventually(lambda: config in arguments(started.pid), within=5)
        if record:
            (place.folder / "dnsmasq.pid").write_text(f"{started.pid}\n")
        yield started.pid
    finally:
        started.kill()
        await started.wait()
        assert started.stdin is not None
        await started.stdin.aclose()


async def test_it_is_found_by_its_pid_file_or_without(place: Place, tmp_path: Path) -> None:
    async with sleeper(place, tmp_path):
        with running(place) as daemon:
            assert daemon is not None
            # There is no namespace of the router's name, so it cannot be in it.
            assert not daemon.at_home
    async with sleeper(place, tmp_path, record=False):
        with running(place) as daemon:
            assert daemon is not None


def test_another_process_under_its_number_is_not_taken_for_it(place: Place) -> None:
    (place.folder / "dnsmasq.pid").write_text(f"{os.getpid()}\n")
    with running(place) as daemon:
        assert daemon is None


async def test_another_routers_is_not_taken_for_it(place: Place, tmp_path: Path) -> None:
    other = place_of("4" * 32, instance=INSTANCE, data=tmp_path / "data")
    other.folder.mkdir(parents=True)
    async with sleeper(other, tmp_path):
        with running(place) as daemon:
            assert daemon is None


@dataclass(frozen=True, slots=True)
class StartingRuntime(ScriptedRuntime):
    """Keeps the configuration and the list of leases as they are when dnsmasq is started."""

    started_with: list[str] = field(default_factory=list)

    async def run(self, argv: Sequence[str], **options: Any) -> Completed:
        """Look at the files."""
        self.started_with.append(whole_text(Path(argv[-1].partition("=")[2])))
        return await ScriptedRuntime.run(self, argv, **options)


def whole_text(config: Path) -> str:
    """The configuration with the list of leases."""
    return config.read_text() + config.with_name("dhcp-hosts").read_text()


async def test_one_that_is_not_at_home_is_replaced_by_one_with_whole_files(place: Place, tmp_path: Path) -> None:
    # What it has loaded is right, as far as the record goes.
    await apply_dnsmasq(SPEC, place, ScriptedRuntime(tmp_path))
    runtime = StartingRuntime(tmp_path)
    async with sleeper(place, tmp_path) as pid:
        done = await apply_dnsmasq(SPEC, place, runtime)
        assert done == ("dnsmasq restarted",)
        assert arguments(pid) == ()
    [text] = runtime.started_with
    assert "interface=lan" in text
    assert "fa:00:00:00:00:01" in text
    assert runtime.ran[0].argv[:3] == ("nsenter", f"--net=/run/netns/{place.namespace}", "dnsmasq")
    assert (place.folder / LOADED).exists()


async def test_a_start_that_fails_leaves_no_record_of_success(place: Place, tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, {"dnsmasq": HostCommandFailed("address in use")})
    (place.folder / LOADED).write_text('{"config":"","lists":""}')
    with pytest.raises(HostCommandFailed, match="address in use"):
        await apply_dnsmasq(SPEC, place, runtime)
    assert not (place.folder / LOADED).exists()


async def test_without_services_it_is_stopped_and_its_files_go(place: Place, tmp_path: Path) -> None:
    bare = msgspec.structs.replace(SPEC, dhcp=None, dns=None)
    async with sleeper(place, tmp_path) as pid:
        (place.folder / "leases").write_text("")
        assert await apply_dnsmasq(bare, place, ScriptedRuntime(tmp_path)) == ("dnsmasq stopped",)
        assert arguments(pid) == ()
    assert list(place.folder.iterdir()) == []
    assert await remove_dnsmasq(place) == ()


def test_a_private_folder_above_keeps_others_out(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    for folder in (inner, *inner.parents):
        if folder.is_relative_to(tmp_path):
            folder.chmod(0o711)
    above = reachable(tmp_path.parent)
    assert reachable(inner) == above
    inner.parent.chmod(0o710)
    assert not reachable(inner)
