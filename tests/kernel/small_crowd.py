"""Many rows of the small cloud whose few values collide often, for comparing the compiler with the oracle.

Primitives: `ROWS`, each with its owner, and the values that questions about them had best be asked with.
"""

from __future__ import annotations

import random
from typing import TypeVar

from msgspec.structs import replace

from tests.kernel.small_cloud import (
    Host,
    L3Network,
    L3NetworkDns,
    SecurityGroup,
    VmInstance,
    VmNic,
    VmNicSecurityGroupRef,
    VmState,
)
from tests.kernel.small_store import (
    ADMIN,
    ALICE,
    BOB,
    cluster,
    dates,
    host,
    key,
    kvm,
    l3,
    nic,
    system_tag,
    user_tag,
    vm,
    volume,
    zone,
)
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import OnOff, Record

R = TypeVar("R", bound=Record)

EVERYBODY = (ADMIN, ALICE, BOB)
WORDS = ("a", "b", "ab", "A", "a%", "_b", "\\", "")
NUMBERS = ("0", "1", "2", "22", "1073741824")
SECONDS = tuple(f"1970-01-01T00:00:0{second}Z" for second in range(3))


class _Crowd:
    """Draws rows from few values; the same ones every time."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)

    def rows(self) -> list[tuple[Record, Principal]]:
        """Rows of every kind, each with an owner that may differ from its neighbours'."""
        places = self._places()
        machines = self._machines(places)
        rows = [*places, *machines, *self._attached(machines)]
        tags = [
            replace(self._draw.choice((user_tag, system_tag))(self._word(), self._draw.choice(rows)), uuid=key(f"t{i}"))
            for i in range(40)
        ]
        return [(row, self._draw.choice(EVERYBODY)) for row in (*rows, *tags)]

    def _places(self) -> list[Record]:
        pick, below = self._draw.choice, self._draw.randrange
        zones = [replace(zone(f"z{i}", at=below(3000)), name=self._word()) for i in range(3)]
        clusters = [replace(cluster(f"c{i}", pick(zones)), name=self._word()) for i in range(4)]
        hosts = [replace(host(f"h{i}", pick(clusters)), name=self._word()) for i in range(3)]
        real = [replace(kvm(f"k{i}", pick(clusters), ssh_port=pick((2, 22))), name=self._word()) for i in range(3)]
        nets = [replace(l3(f"l{i}", pick(zones)), name=self._word(), system=pick((True, False))) for i in range(5)]
        servers = [
            L3NetworkDns(uuid=key(f"s{i}"), l3_network_uuid=pick(nets).uuid, dns=self._word(), **dates())
            for i in range(5)
        ]
        return [*zones, *clusters, *hosts, *real, *nets, *servers]

    def _machines(self, places: list[Record]) -> list[Record]:
        pick, below = self._draw.choice, self._draw.randrange
        hosts = _of(Host, places)
        nets = _of(L3Network, places)
        vms = [
            replace(
                vm(f"v{i}", on=pick((None, *hosts)), at=below(3000), cpus=below(3)),
                name=self._word(),
                description=pick((None, self._word())),
                state=pick(list(VmState)),
                default_l3_network_uuid=pick((None, *(net.uuid for net in nets))),
                stop_date=pick((None, below(3000))),
            )
            for i in range(14)
        ]
        nics = [
            nic(f"n{i}", pick(vms), on=pick((None, *nets)), device=below(3), ip=pick((None, self._word())))
            for i in range(20)
        ]
        return [*vms, *nics]

    def _attached(self, machines: list[Record]) -> list[Record]:
        pick, below = self._draw.choice, self._draw.randrange
        vms = _of(VmInstance, machines)
        nics = _of(VmNic, machines)
        disks = [replace(volume(f"d{i}", pick((None, *vms)), size=below(3)), name=self._word()) for i in range(12)]
        groups = [
            SecurityGroup(uuid=key(f"g{i}"), name=self._word(), state=pick(list(OnOff)), **dates()) for i in range(3)
        ]
        members = [
            VmNicSecurityGroupRef(
                uuid=key(f"m{i}"), vm_nic_uuid=pick(nics).uuid, security_group_uuid=pick(groups).uuid, **dates()
            )
            for i in range(8)
        ]
        return [*disks, *groups, *members]

    def _word(self) -> str:
        return self._draw.choice(WORDS[:4])


def _of(cls: type[R], rows: list[Record]) -> list[R]:
    return [row for row in rows if isinstance(row, cls)]


ROWS = _Crowd(seed=7).rows()
"""Every row and its owner."""
