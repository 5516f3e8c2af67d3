"""Installing, updating and removing on a machine of files; interrupted anywhere, the next run makes it whole."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import trio

from installer import uninstall
from installer.facts import UNIT
from installer.install import steps
from installer.layout import Layout, Wish
from installer.machine import AnotherRun, Machine, alone, links_to
from installer.step import carry_out, plan
from tests.installer.fake_machine import FakeMachine, kill, snapshot
from tests.installer.one_file import one_file
from zstack_appliance.doorway import parse
from zstack_appliance.kernel.remote import HostCommandFailed

PACKAGES = ("iproute2", "libvirt-daemon", "nftables")
STEPS = ["packages", "program", "current", "unit", "firewalld", "start", "tidy"]
MOST_CALLS = 60


@pytest.fixture(scope="module")
def wish(tmp_path_factory: pytest.TempPathFactory) -> Wish:
    """A program of version 1.0."""
    return Wish(program=one_file(tmp_path_factory.mktemp("program")), version="1.0")


def fresh(root: Path) -> FakeMachine:
    """A machine where firewalld runs."""
    machine = FakeMachine(root)
    machine.start("firewalld")
    return machine


async def install(machine: FakeMachine, wish: Wish, after: Callable[[str], None] = lambda _: None) -> list[str]:
    """As the command does; the names of the steps that were needed."""
    return await carry_out(steps(wish, machine.machine, PACKAGES), lambda _: None, after=after)


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def in_a_child(work: Callable[[], object]) -> bool:
    """Run it in a process of its own; whether that was killed."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - whatever it is, the parent hears of it by the status
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


async def test_installed_once_and_nothing_to_do_again(tmp_path: Path, wish: Wish) -> None:
    machine = fresh(tmp_path)
    planned = await plan(steps(wish, machine.machine, PACKAGES))
    assert [(step.name, done) for step, done in planned] == [
        *((name, False) for name in STEPS[:-1]),
        ("tidy", True),
    ], "the plan changes nothing"
    assert not (tmp_path / "opt" / "zstack-appliance").exists()
    assert await install(machine, wish) == STEPS[:-1]
    as_it_is = snapshot(tmp_path)
    assert await install(machine, wish) == []
    assert snapshot(tmp_path) == as_it_is
    assert machine.is_active(UNIT)
    assert links_to(tmp_path / "usr/local/bin/zstack-appliance") == "/opt/zstack-appliance/current/zstack-appliance"
    instance = (tmp_path / "var/lib/zstack-appliance/instance").read_text().strip()
    for folder in ("trusted", "trusted--permanent"):
        assert names(tmp_path / "state" / folder) == [f"zb{instance}+"]


@pytest.mark.parametrize("name", STEPS)
def test_killed_after_a_step(tmp_path: Path, wish: Wish, name: str) -> None:
    whole, broken = fresh(tmp_path / "whole"), fresh(tmp_path / "broken")
    trio.run(install, whole, wish)

    def after(done: str) -> None:
        if done == name:
            kill()

    assert in_a_child(partial(trio.run, install, broken, wish, after))
    trio.run(install, broken, wish)
    assert snapshot(broken.root) == snapshot(whole.root)


def test_killed_at_any_program(tmp_path: Path, wish: Wish) -> None:
    """Before and after every program that is run, and in the middle of apt-get."""
    whole = fresh(tmp_path / "whole")
    trio.run(install, whole, wish)
    wanted = snapshot(whole.root)
    for number in range(MOST_CALLS):
        broken = fresh(tmp_path / str(number))
        calls = 0

        def count(_: Sequence[str], number: int = number) -> None:
            nonlocal calls
            if calls == number:
                kill()
            calls += 1

        broken.before = broken.after = count
        was_killed = in_a_child(partial(trio.run, install, broken, wish))
        broken.before = broken.after = lambda _: None
        trio.run(install, broken, wish)
        assert snapshot(broken.root) == wanted, f"killed at call {number}"
        if not was_killed:
            break
    else:
        raise AssertionError(f"it runs more than {MOST_CALLS} programs")
    assert number > 20


async def test_half_unpacked_is_unpacked_anew(tmp_path: Path, wish: Wish) -> None:
    machine = fresh(tmp_path)
    for name in (".1.0.new", "1.0"):
        (tmp_path / "opt/zstack-appliance" / name / "_internal").mkdir(parents=True)
    assert "program" in await install(machine, wish)
    assert names(tmp_path / "opt/zstack-appliance") == ["1.0", "current", "started"]


async def test_update_replaces_the_program_and_restarts(tmp_path: Path, wish: Wish) -> None:
    machine = fresh(tmp_path)
    await install(machine, wish)
    newer = replace(wish, program=one_file(tmp_path / "newer", b"newer modules"), version="1.1")
    assert await install(machine, newer) == ["program", "current", "start", "tidy"]
    layout = Layout(machine.machine)
    assert links_to(layout.current) == "1.1"
    assert not layout.version("1.0").exists()
    assert (tmp_path / "state/units" / UNIT).read_bytes() == (layout.version("1.1") / "zstack-appliance").read_bytes()
    same_version = replace(newer, program=one_file(tmp_path / "newest", b"newest modules"))
    assert await install(machine, same_version) == ["program", "start"]
    elsewhere = replace(same_version, doors=(parse("127.0.0.1:9090"),))
    assert await install(machine, elsewhere) == ["unit", "start"]
    assert "--listen http://127.0.0.1:9090\n" in layout.unit.read_text()


async def test_a_service_that_fails_says_why(tmp_path: Path, wish: Wish) -> None:
    machine = fresh(tmp_path)
    (tmp_path / "state" / "broken").touch()
    with pytest.raises(HostCommandFailed, match="the port is taken"):
        await install(machine, wish)
    (tmp_path / "state" / "broken").unlink()
    assert await install(machine, wish) == ["start"]


@pytest.mark.parametrize("purging", [False, True])
async def test_removed_whole(tmp_path: Path, wish: Wish, purging: bool) -> None:
    machine = fresh(tmp_path)
    before = snapshot(tmp_path)
    await install(machine, wish)
    purged: list[Path] = []

    async def purge(data: Path) -> list[str]:
        purged.append(data)
        await trio.to_thread.run_sync(shutil.rmtree, data)
        return []

    todo = uninstall.steps(machine.machine, wish.data, purge=purge if purging else None)
    assert await carry_out(todo, lambda _: None)
    left = {name for name in snapshot(tmp_path).keys() - before.keys() if not name.startswith(("state", "etc", "usr"))}
    data = tmp_path / "var/lib/zstack-appliance"
    assert bool(left) is not purging
    assert data.exists() is not purging
    assert purged == ([data] if purging else [])
    assert not machine.is_active(UNIT)
    assert not (tmp_path / "etc/systemd/system" / UNIT).exists()
    assert not (tmp_path / "usr/local/bin/zstack-appliance").is_symlink()
    for folder in ("trusted", "trusted--permanent"):
        assert names(tmp_path / "state" / folder) == []
    again = await carry_out(uninstall.steps(machine.machine, wish.data, purge=None), lambda _: None)
    assert again in ([], ["firewalld"])


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path).machine
    before = names(tmp_path / "run")
    with alone(machine), pytest.raises(AnotherRun, match="wait"), alone(machine):
        pass
    with alone(machine):
        pass
    assert names(tmp_path / "run") == before, "a file to lock would be left behind by an uninstall"


def test_the_unit_can_be_read(wish: Wish) -> None:
    from installer.layout import unit_text

    text = unit_text(replace(wish, data=Path("/srv/a b%c")))
    assert "up --data '/srv/a b%%c' --listen http://127.0.0.1:8080 --listen https://0.0.0.0:8443\n" in text
    assert "{" not in text


def test_a_machine_is_the_real_one_by_default() -> None:
    assert Machine().path("/etc/os-release") == Path("/etc/os-release")
