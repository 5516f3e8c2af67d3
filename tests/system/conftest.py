"""System tests: real QEMU guests. Each test runs on a host of its own, see `tests.system.host`."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from agents.kvm.host import KvmHost
from agents.kvm.local import LocalLink
from images.apt import PackageError
from images.build import DEFAULT_CACHE, build
from images.build import HERE as IMAGES
from images.command import CommandError
from images.recipe import load
from tests.system.guests import Guests, make_bridge
from tests.system.host import HostDied, HostMaker

HERE = Path(__file__).parent
TINY = DEFAULT_CACHE / "tiny.qcow2"

INSTANCE = "a1b2c3"

LIMIT_SECONDS, LONG_LIMIT_SECONDS = 300.0, 1200.0
"""For one test, and for one in a run with tests marked long; a guest under TCG boots in 4-8 s."""


MAKER = pytest.StashKey[HostMaker]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fork what will make the hosts, as long as no test has run that would leave its traces in them."""
    tests = {item.nodeid.encode(): item for item in session.items if item.path.is_relative_to(HERE)}
    if not tests or session.config.option.collectonly or os.geteuid() != 0:
        return
    # Made here, in the parent, because pytest removes old temporary folders when their maker ends.
    session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined] # pytest has no public way
    long = any(item.get_closest_marker("long") for item in tests.values())
    seconds = LONG_LIMIT_SECONDS if long else LIMIT_SECONDS
    session.config.stash[MAKER] = HostMaker(lambda nodeid: _run(tests[nodeid]), name="testhost", seconds=seconds)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what makes the hosts."""
    if MAKER in config.stash:
        config.stash[MAKER].close()


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a system test in a child with namespaces of its own, and report here what came of it there."""
    if not item.path.is_relative_to(HERE):
        return None
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in _reports(item):
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _reports(item: pytest.Item) -> Iterator[pytest.TestReport]:
    if os.geteuid() != 0:
        yield _failure(item, "system tests make namespaces and bridges: run them as root")
        return
    try:
        _build_tiny()  # here, because a test's host has no network to fetch packages by
        answer = item.config.stash[MAKER].ask(item.nodeid.encode())
    except (HostDied, PackageError, CommandError, LookupError) as error:
        yield _failure(item, str(error))
        return
    for data in json.loads(answer):
        yield item.config.hook.pytest_report_from_serializable(config=item.config, data=data)


def _run(item: pytest.Item) -> bytes:
    """In the child: set the test up, run it, tear everything down."""
    hook = item.config.hook
    reports = runtestprotocol(item, log=False, nextitem=None)
    data = [hook.pytest_report_to_serializable(config=item.config, report=report) for report in reports]
    return json.dumps(data).encode()


def _failure(item: pytest.Item, text: str) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords=dict.fromkeys(item.keywords, 1),
        outcome="failed",
        longrepr=text,
        when="call",
    )


@cache
def _build_tiny() -> None:
    build(load(IMAGES / "tiny"), TINY, DEFAULT_CACHE)


@pytest.fixture
def tiny_image() -> Path:
    """The guest image; not to be written to."""
    return TINY


@pytest.fixture
async def kvm_host(tmp_path: Path) -> AsyncIterator[KvmHost]:
    """A KVM host with its own libvirtd, its data below `tmp_path`."""
    host = KvmHost(instance=INSTANCE, data=tmp_path / "data")
    (tmp_path / "data").mkdir()
    await host.connect()
    yield host
    await host.aclose()


@pytest.fixture
async def link(kvm_host: KvmHost) -> LocalLink:
    """The way to that host."""
    return LocalLink(kvm_host)


@pytest.fixture
async def guests(tiny_image: Path, tmp_path: Path) -> Guests:
    """Guests for `kvm_host`, and the bridge that they are on."""
    await make_bridge()
    return Guests(image=tiny_image, folder=tmp_path, instance=INSTANCE)
