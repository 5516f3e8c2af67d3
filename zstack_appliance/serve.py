"""Run an appliance in the foreground: ``up`` on this machine's KVM, ``simulate`` on hosts in memory.

Primitives: `Settings` (what the command line says) and `serve`. One line goes to standard output, once every
door answers and the local host is connected: ``ready http://HOST:PORT/``. Everything else is logged.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trio

from agents.kvm.transport import LocalTransport
from zstack_appliance.api.listen import CannotListen, Listen, ListenUnix
from zstack_appliance.api.metrics import watch_lag
from zstack_appliance.api.server import Doors, run
from zstack_appliance.appliance import Appliance, Hosts, Outside, open_appliance
from zstack_appliance.assets import tiny_image, web_folder
from zstack_appliance.certificates import have_certificate
from zstack_appliance.cloud.account.passwords import in_a_thread
from zstack_appliance.cloud.host.driver import AcceleratorChoice
from zstack_appliance.cloud.host.links import HostLinks
from zstack_appliance.cloud.host.simulated.fleet import Fleet, Weather
from zstack_appliance.cloud.l3_network.subnets import NoFreeSubnetError
from zstack_appliance.data_folder import DataFolder, prepare
from zstack_appliance.doorway import Doorway, plate_of, refuse_open_http
from zstack_appliance.first_cloud import FirstCloud, is_made, make_first_cloud
from zstack_appliance.first_vm import make_first_vm
from zstack_appliance.hostkit.simulated_files import SimulatedFile
from zstack_appliance.kernel.doorplate import Doorplate
from zstack_appliance.kernel.errors import CloudError, NotFound
from zstack_appliance.kernel.instance import Instance
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.remote import HostCommandFailed
from zstack_appliance.kernel.world import Entropy, WallClock
from zstack_appliance.one_file import as_one_process
from zstack_appliance.service_manager import notify
from zstack_appliance.surroundings import look_around, own_address, own_names

log = logging.getLogger(__name__)

SIMULATED_PUBLIC, SIMULATED_PRIVATE = "172.30.0.0/24", "10.0.0.0/16"
MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What the hosts in memory are like; see `Weather`."""

    hosts: int = 100
    latency: float = 0.0
    fault_rate: float = 0.0
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the command line says.

    Args:
        data: the data folder.
        listen: where; the first is the one that is told.
        password: the administrator's, at the first start.
        accelerator: what guests run under.
        first_vm: whether to have a first VM, and to wait until it answers.
        ui: whether to serve pages for people.
        insecure_http: allows plain HTTP on an address that others reach.
        simulation: hosts in memory, instead of this machine.
    """

    data: Path
    listen: tuple[Doorway, ...] = (Doorway(),)
    password: str | None = None
    accelerator: AcceleratorChoice = AcceleratorChoice.AUTO
    first_vm: bool = False
    ui: bool = True
    insecure_http: bool = False
    simulation: Simulation | None = None


def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT.

    Returns:
        The exit status: 0 after a stop that was asked for, 1 when it could not start.
    """

    async def main(doors: Doors) -> int:
        status = 0
        try:
            await _run(settings, doors)
        except* (CloudError, CannotListen, HostCommandFailed, NoFreeSubnetError) as errors:
            for error in _leaves(errors):
                log.error("%s", error)  # noqa: TRY400 — the text is for the operator, a stack would bury it
            status = 1
        return status

    with as_one_process():
        return run(main)


async def _run(settings: Settings, doors: Doors) -> None:
    if not settings.insecure_http:
        refuse_open_http(settings.listen)
    entropy = Entropy(random.SystemRandom())
    folder = prepare(settings.data, entropy)
    outside = Outside(
        data=folder.path,
        instance=folder.instance,
        clock=WallClock(),
        entropy=entropy,
        sealer=folder.sealer,
        metrics_token=folder.metrics_token,
        hosts=_hosts(settings, folder),
        offload=in_a_thread(),
        password=settings.password,
        web=_web_folder() if settings.ui else None,
    )
    async with open_appliance(outside) as appliance, _pid_file(folder):
        listeners = await trio.to_thread.run_sync(_listeners, settings, folder)
        async with doors.open(appliance.app, *listeners) as addresses:
            plate = plate_of(settings.listen, [address.port for address in addresses], own_address())
            appliance.kernel.services[Doorplate] = plate
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(watch_lag, appliance.metrics)
                    nursery.start_soon(_cancel_on_stop, doors, appliance, scope)
                    if not is_made(folder.path):
                        await make_first_cloud(appliance, await _first_cloud(settings, folder))
                    _let_weather_begin(settings, appliance)
                    appliance.ready = True
                    print(f"ready {addresses[0].url}", flush=True)  # noqa: T201 — the promise to scripts
                    notify("READY=1")
                    if settings.first_vm:
                        await make_first_vm(appliance)
                    await trio.sleep_forever()


async def _cancel_on_stop(doors: Doors, appliance: Appliance, scope: trio.CancelScope) -> None:
    await doors.stopping.wait()
    appliance.jobs.release()
    scope.cancel()


def _web_folder() -> Path | None:
    """The pages, if they are there: a tree in which npm has not run yet still serves its API."""
    try:
        return web_folder()
    except NotFound as error:
        log.warning("there is no web interface: %s", error)
        return None


def _listeners(settings: Settings, folder: DataFolder) -> tuple[Listen | ListenUnix, ...]:
    """The doors to open, with a certificate where one is needed. Blocks."""
    tls = None
    if any(door.tls for door in settings.listen):
        try:
            tls = have_certificate(folder.path / "tls", own_names(), dt.datetime.now(dt.UTC))
        except (ValueError, OSError) as error:
            raise CannotListen(f"there is no certificate to serve https with: {error}") from error
    doors = (Listen(door.host, door.port, tls if door.tls else None) for door in settings.listen)
    return (*doors, ListenUnix(folder.run / "api.sock"))


def _hosts(settings: Settings, folder: DataFolder) -> Hosts:
    def kvm(instance: Instance, plugins: tuple[Plugin, ...]) -> HostLinks:
        transport = LocalTransport(instance, folder.path, [plugin.host_side for plugin in plugins])
        return HostLinks({"KVM": transport}, settings.accelerator)

    def simulated(instance: Instance, plugins: tuple[Plugin, ...]) -> HostLinks:
        assert settings.simulation is not None
        wish = settings.simulation
        fleet = Fleet(
            instance.id,
            [plugin.host_side for plugin in plugins],
            random.Random(wish.seed),  # noqa: S311 — dice for faults, repeatable on purpose
            elsewhere=SimulatedFile("qcow2", 112 * MIB, 18 * MIB, sha256="0" * 64, md5="0" * 32),
            shared_folders=[str(folder.backup)],
        )
        return HostLinks({"Simulator": fleet})

    return simulated if settings.simulation else kvm


def _let_weather_begin(settings: Settings, appliance: Appliance) -> None:
    """Simulated hosts are slow and fail as asked for once the first cloud is made, which could not be made else."""
    fleet = appliance.links.transport("Simulator")
    if settings.simulation is not None and isinstance(fleet, Fleet):
        fleet.weather = Weather(latency=settings.simulation.latency, fault_rate=settings.simulation.fault_rate)


async def _first_cloud(settings: Settings, folder: DataFolder) -> FirstCloud:
    if settings.simulation is not None:
        return FirstCloud(
            folder=folder.path,
            image=folder.images / "tiny.qcow2",
            image_folders=(folder.images,),
            public_cidr=SIMULATED_PUBLIC,
            private_cidr=SIMULATED_PRIVATE,
            dns=("9.9.9.9",),
            simulated_hosts=settings.simulation.hosts,
        )
    image = await trio.to_thread.run_sync(tiny_image, folder.images)
    around = await look_around()
    return FirstCloud(
        folder=folder.path,
        image=image,
        image_folders=(folder.images, image.parent),
        public_cidr=str(around.public),
        private_cidr=str(around.private),
        dns=around.dns,
    )


@asynccontextmanager
async def _pid_file(folder: DataFolder) -> AsyncIterator[None]:
    """Name the process that serves, for scripts: a one-file program's own pid is its parent's."""
    path = trio.Path(folder.run / "pid")
    await path.write_text(f"{os.getpid()}\n")
    try:
        yield
    finally:
        with trio.CancelScope(shield=True):
            await path.unlink(missing_ok=True)


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def log_to_stderr(*, verbose: bool) -> None:
    """Log to standard error, one line an event."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
