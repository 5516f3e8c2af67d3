"""The settings of hosts and of choosing among them."""

from __future__ import annotations

from zstack_appliance.kernel.config import GlobalConfig

PLACES = ("HostVO", "ClusterVO", "ZoneVO")


def _switch(category: str, name: str, default: str, description: str) -> GlobalConfig:
    return GlobalConfig(category, name, default, description, bool)


CONFIGS = (
    GlobalConfig(
        "host", "cpu.overProvisioning.ratio", "10", "Virtual CPUs per thread.", int, low=1, high=1000, bind=PLACES
    ),
    GlobalConfig("host", "ping.interval", "60", "Seconds between two pings of a host.", int, low=1),
    GlobalConfig("host", "ping.timeout", "10", "Seconds that a host may take to answer a ping.", int, low=2),
    GlobalConfig("host", "ping.maxFailure", "3", "Pings that may fail before a host is Disconnected.", int, low=1),
    GlobalConfig(
        "host", "ping.sleepPeriodAfterFailure", "1", "Seconds between a ping that failed and the next.", int, low=0
    ),
    GlobalConfig("host", "ping.parallelismDegree", "100", "Hosts that are pinged at once.", int, low=1),
    _switch("host", "connection.autoReconnectOnError", "true", "Whether a lost host is connected again by itself."),
    GlobalConfig(
        "host",
        "connection.autoReconnectOnError.maxAttemptsNum",
        "0",
        "How often in a row a lost host is tried by itself; 0 has no end.",
        int,
        low=0,
    ),
    GlobalConfig("host", "load.parallelismDegree", "100", "Hosts that a start connects to at once.", int, low=1),
    _switch("host", "load.all", "true", "Whether a start connects to all hosts at once, whatever their number."),
    GlobalConfig(
        "kvm", "host.syncLevel", "10", "Commands that one host carries out at once; more wait in line.", int, low=3
    ),
    _switch("kvm", "vmSyncOnHostPing", "true", "Whether each ping compares what runs on the host with the records."),
    GlobalConfig(
        "mevoco",
        "overProvisioning.memory",
        "1.0",
        "Bytes of memory that a host promises to VMs for each that it has. VMs that are placed keep their charge.",
        float,
        low=1,
        high=1000,
        bind=PLACES,
    ),
    _switch(
        "hostAllocator",
        "hostAllocator.checkHostMem",
        "true",
        "Whether a VM may have no more memory than its host has, however much that promises.",
    ),
    *(
        _switch(
            "hostAllocator", f"reservedCapacity.{level}Level", "true", f"Whether tags of a {level} reserve capacity."
        )
        for level in ("host", "cluster", "zone")
    ),
)
