"""Every setting and system tag of ZStack's is declared here, or stands in ``unserved_settings.json`` with a reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.running import every_plugin
from tests.wire.make_catalogue import SETTINGS
from zstack_appliance.api.rest import CONFIGS
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.tag import SystemTag

UNSERVED = Path(__file__).parent / "unserved_settings.json"

OURS = {
    "audit.days": "ZStack keeps audits elsewhere",
    "audit.rows": "ZStack keeps audits elsewhere",
    "console.proxy.overridden.ip": "ZStack has it among the properties that it reads at its start",
    "history.days": "ZStack keeps no history of resources",
    "history.rows": "ZStack keeps no history of resources",
    "image.download.allowed": "ZStack fetches from anywhere",
    "image.download.localPath.directories": "ZStack has patterns of what is allowed and what is not",
    "mevoco.overProvisioning.memory": "ZStack's enterprise edition has it; its facts are not in the catalogue",
    "mevoco.overProvisioning.primaryStorage": "likewise",
    "query.timeout": "ZStack's queries have no bound",
    "vm.startAfterHostBoot": "ZStack leaves it to high availability",
    "vm.stop.graceSeconds": "ZStack has it fixed",
    "webHook.allowed": "ZStack calls web hooks anywhere",
}
"""Settings that ZStack has not, or does not tell."""

DEVIATIONS = {
    "vm.videoType default": "firmware and every guest write to a VGA before they have a driver for anything else",
    "vm.bootMenu default": "it would make every start three seconds longer",
    "kvm.vm.cpuMode choices": "hosts are x86",
    "l3Network.ipAllocateStrategy choices": "no network remembers which address it gave last",
}

MOVED = {
    (
        "DiskOfferingVO",
        "primaryStorage::allocator::",
    ): "ZStack declares it for storage, and reads it off offerings",
    ("InstanceOfferingVO", "primaryStorage::allocator::"): "likewise",
}


def facts(part: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(SETTINGS.read_text(encoding="utf-8"))[part]
    return rows


def unserved(part: str) -> list[str]:
    reasons: dict[str, list[str]] = json.loads(UNSERVED.read_text(encoding="utf-8"))[part]
    return [pattern for patterns in reasons.values() for pattern in patterns]


def declared() -> dict[str, GlobalConfig]:
    plugins = every_plugin()
    found = [config for plugin in plugins for config in (*plugin.configs, *(quota.config for quota in plugin.quotas))]
    return {config.path: config for config in (*found, *CONFIGS)}


def tags() -> dict[str, SystemTag]:
    return {f"{tag.target} {tag.pattern}": tag for plugin in every_plugin() for tag in plugin.tags}


@pytest.mark.parametrize("part", ["configs", "tags"])
def test_what_zstack_has_is_declared_or_left_out_for_a_reason(part: str) -> None:
    names = {row["name"] if part == "configs" else f"{row['resource']} {row['pattern']}" for row in facts(part)}
    here = declared().keys() if part == "configs" else tags().keys()
    patterns = unserved(part)
    left_out = {name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)}
    assert not names - here - left_out, "declare them, or say why not"
    assert not here & left_out, "declared by now: take them off the list"
    stale = [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in names)]
    assert not stale, "they name nothing that ZStack has"


def test_what_is_ours_alone_is_known_to_be() -> None:
    names = {row["name"] for row in facts("configs")}
    assert declared().keys() - names <= OURS.keys()
    known = {f"{row['resource']} {row['pattern']}" for row in facts("tags")}
    for name, tag in tags().items():
        if name not in known:
            assert any(tag.target == vo and tag.pattern.startswith(start) for vo, start in MOVED), name


def differences() -> Iterator[str]:
    mine = declared()
    for row in facts("configs"):
        config = mine.get(row["name"])
        if config is None:
            continue
        if config.default != row["default"]:
            yield f"{config.path} default"
        if config.bind != tuple(row["bind"] or ()):
            yield f"{config.path} bind"
        if config.kind is not bool and row["choices"] and set(config.choices) != set(row["choices"]):
            yield f"{config.path} choices"


def test_a_setting_is_as_zstack_has_it() -> None:
    assert set(differences()) == DEVIATIONS.keys()
