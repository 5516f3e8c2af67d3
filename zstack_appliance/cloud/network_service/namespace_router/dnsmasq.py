"""What dnsmasq is told for a router: `render`, from the description to its files, pure.

`Files` holds the configuration, which dnsmasq reads once, and the two lists that it reads again when it is
signalled. The same files serve the router in a namespace and the one in a virtual machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from pathlib import PurePath

from zstack_appliance.cloud.network_service.namespace_router.wire import DhcpService, Lease, RouterSpec

CONFIG = "dnsmasq.conf"
DHCP_HOSTS = "dhcp-hosts"
HOSTS = "hosts"
LEASES = "leases"
PID = "dnsmasq.pid"

_SECONDARY = "secondary"
"""Tag of NICs whose L3 network is not their VM's default one."""


@dataclass(frozen=True, slots=True)
class Files:
    """The content of dnsmasq's files: `config` under `CONFIG`, the lists under `DHCP_HOSTS` and `HOSTS`."""

    config: str
    dhcp_hosts: str
    hosts: str


def render(spec: RouterSpec, folder: PurePath, *, interface: str, user: str | None = None) -> Files | None:
    """Write dnsmasq's files.

    Args:
        spec: the router, free of faults.
        folder: where the files will be.
        interface: the only one that dnsmasq serves.
        user: whom it runs as once it has started; None is nobody, its own default.

    Returns:
        The files, or None when the router serves neither DHCP nor DNS.
    """
    if spec.dhcp is None and spec.dns is None:
        return None
    leases = spec.dhcp.leases if spec.dhcp is not None else ()
    lines = [*_process(folder, interface, user), *_dns(spec, folder)]
    if spec.dhcp is not None:
        lines += _dhcp(spec, spec.dhcp, folder)
    return Files(
        config=_text(lines),
        dhcp_hosts=_text(_dhcp_host(lease) for lease in leases),
        hosts=_text(_host(lease, spec.domain) for lease in leases if lease.hostname is not None),
    )


def _process(folder: PurePath, interface: str, user: str | None) -> Iterator[str]:
    yield f"pid-file={folder / PID}"
    if user is not None:
        yield f"user={user}"
    yield f"interface={interface}"
    yield "except-interface=lo"
    # Answers on the interface's own addresses only, and follows when those change.
    yield "bind-dynamic"
    # Nothing of the host's own names and name servers is for guests.
    yield "no-hosts"
    yield "no-resolv"


def _dns(spec: RouterSpec, folder: PurePath) -> Iterator[str]:
    if spec.domain is not None:
        yield f"domain={spec.domain}"
    if spec.dns is None:
        yield "port=0"
        return
    yield f"addn-hosts={folder / HOSTS}"
    yield "cache-size=1000"
    # Plain names and the network's own domain and addresses are answered here or not at all.
    yield "domain-needed"
    if spec.domain is not None:
        yield f"local=/{spec.domain}/"
    for gateway in spec.gateways:
        yield f"rev-server={IPv4Interface(gateway).network}"
    for server in spec.dns.upstreams:
        yield f"server={server}"


def _dhcp(spec: RouterSpec, dhcp: DhcpService, folder: PurePath) -> Iterator[str]:
    yield f"dhcp-hostsfile={folder / DHCP_HOSTS}"
    yield f"dhcp-leasefile={folder / LEASES}"
    # It answers renewals of leases that it has lost the record of, and to strangers it says nothing at all:
    # another network's router may serve them on the same L2 network.
    yield "dhcp-authoritative"
    yield "dhcp-ignore=tag:!known"
    # A guest does not choose its name, or it could take another's.
    yield "dhcp-ignore-names"
    # Addresses are planned; probing each would cost every guest three seconds.
    yield "no-ping"
    networks = [IPv4Interface(gateway) for gateway in spec.gateways]
    yield f"dhcp-lease-max={sum(gateway.network.num_addresses for gateway in networks)}"
    for number, gateway in enumerate(networks):
        tag, network = f"net{number}", gateway.network
        first, mask = network.network_address, network.netmask
        yield f"dhcp-range=set:{tag},{first},static,{mask},{dhcp.lease_seconds}"
        yield f"dhcp-option=tag:{tag},tag:!{_SECONDARY},option:router,{gateway.ip}"
    # Without a value an option is withheld; 12 is the hostname, whose name would not do without one.
    yield f"dhcp-option=tag:{_SECONDARY},option:router"
    yield f"dhcp-option=tag:{_SECONDARY},12"
    yield f"dhcp-option=option:mtu,{spec.mtu}"
    yield "dhcp-option=option:dns-server" + "".join(f",{server}" for server in dhcp.dns)


def _dhcp_host(lease: Lease) -> str:
    if not lease.default_network:
        return f"{lease.mac},set:{_SECONDARY},{lease.ip}"
    return ",".join([lease.mac, lease.ip, *([lease.hostname] if lease.hostname is not None else [])])


def _host(lease: Lease, domain: str | None) -> str:
    # The first name is the one that the address resolves to.
    names = [f"{lease.hostname}.{domain}"] if domain is not None else []
    return " ".join([lease.ip, *names, str(lease.hostname)])


def conflicting(leases: str, wanted: DhcpService) -> bool:
    """Whether an address that is planned for one NIC is still leased to another.

    dnsmasq would refuse it to its new owner until that lease ends.

    Args:
        leases: dnsmasq's own file.
        wanted: what is planned.
    """
    owners = {lease.ip: lease.mac for lease in wanted.leases}
    return any(owners.get(ip, mac) != mac for mac, ip in _held(leases))


def pruned(leases: str, wanted: DhcpService) -> str:
    """dnsmasq's lease file without the leases that are not planned."""
    planned = {(lease.mac, lease.ip) for lease in wanted.leases}
    return _text(line for line in leases.splitlines() if _holder(line) in planned)


def _held(leases: str) -> Iterator[tuple[str, str]]:
    for line in leases.splitlines():
        if (holder := _holder(line)) is not None:
            yield holder


def _holder(line: str) -> tuple[str, str] | None:
    """MAC and address of a lease: ``expiry mac address name client-id``. Other lines have other shapes."""
    words = line.split()
    if len(words) != 5:
        return None
    try:
        IPv4Address(words[2])
    except ValueError:
        return None
    return words[1], words[2]


def _text(lines: Iterator[str] | list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
