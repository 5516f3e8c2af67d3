"""The plan for a router's links leads from any state to the described one, and from there nowhere.

`Model` follows the commands of a plan as the kernel would, as far as a plan uses them; that the kernel does
so is for the system tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.cloud.network_service.namespace_router.specs import GUESTS, INSTANCE, PUBLIC, SPEC
from zstack_appliance.cloud.network_service.namespace_router.links import Plan, Seen, plan, removal, stranger
from zstack_appliance.cloud.network_service.namespace_router.place import LAN, WAN, place_of
from zstack_appliance.cloud.network_service.namespace_router.wire import RouterSpec
from zstack_appliance.hostkit.iproute import Address, Link, Route

PLACE = place_of(SPEC.l3_network_uuid, instance=INSTANCE, data=Path("/data"))
NO_PUBLIC = msgspec.structs.replace(SPEC, public=None, snat=False)


@dataclass
class Model:
    """A host's links as a plan changes them."""

    ends: dict[str, Link] = field(default_factory=dict)
    inside: dict[str, Link] | None = None
    named: bool = False
    default: Route | None = None
    forwarding: bool = False

    def seen(self) -> Seen:
        """What a look would find."""
        return Seen(
            ends=dict(self.ends),
            bridges={name: Link(name) for name in (GUESTS, PUBLIC)},
            named=self.named,
            inside=None if self.inside is None else dict(self.inside),
            default=self.default,
            forwarding=self.forwarding,
        )

    def follow(self, planned: Plan) -> None:
        """Carry a plan out."""
        for command in planned.host:
            self._host(command.split())
        self.forwarding = self.forwarding or planned.settings
        for command in planned.inside:
            self._inside(command.split())

    def _host(self, words: list[str]) -> None:
        match words:
            case ["netns", "add", _]:
                assert not self.named
                self.named, self.inside, self.forwarding, self.default = True, {"lo": Link("lo")}, False, None
            case ["netns", "delete", _]:
                assert self.named
                self.named, self.inside = False, None
            case ["netns", "exec", _, "ip", "link", "delete", "dev", name]:
                assert self.inside is not None
                self._forget_inside(name)
            case ["link", "delete", "dev", name]:
                del self.ends[name]
                self._forget_inside(LAN if name == PLACE.lan_end else WAN)
            case [
                "link",
                "add",
                "name",
                name,
                "mtu",
                mtu,
                *_,
                "peer",
                "name",
                peer,
                "address",
                mac,
                "mtu",
                _,
                "netns",
                _,
            ]:
                assert self.inside is not None
                assert peer not in self.inside
                assert name not in self.ends
                self.ends[name] = Link(name, mtu=int(mtu))
                self.inside[peer] = Link(peer, mtu=int(mtu), address=mac)
            case ["link", "set", "dev", name, *settings]:
                self.ends[name] = _set(self.ends[name], settings)
            case _:
                raise AssertionError(words)

    def _inside(self, words: list[str]) -> None:
        assert self.inside is not None
        match words:
            case ["link", "set", "dev", name, *settings]:
                self.inside[name] = _set(self.inside[name], settings)
            case ["address", verb, cidr, *_, "dev", name]:
                held = self.inside[name].ipv4
                assert (cidr in held) == (verb == "delete")
                kept = held - {cidr} if verb == "delete" else held | {cidr}
                self.inside[name] = msgspec.structs.replace(self.inside[name], addr_info=_addresses(*kept))
            case ["route", "replace", "default", "via", gateway, "dev", name]:
                assert self.inside[name].up
                self.default = Route("default", gateway, name)
            case _:
                raise AssertionError(words)

    def _forget_inside(self, name: str) -> None:
        if self.inside is not None and self.inside.pop(name, None) is not None and name == WAN:
            self.default = None


def _set(link: Link, settings: list[str]) -> Link:
    words = iter(settings)
    for word in words:
        match word:
            case "up":
                link = msgspec.structs.replace(link, flags=("UP",))
            case "mtu":
                link = msgspec.structs.replace(link, mtu=int(next(words)))
            case "alias":
                link = msgspec.structs.replace(link, ifalias=next(words))
            case "master" | "address":
                link = msgspec.structs.replace(link, **{word: next(words)})
            case "addrgenmode":
                next(words)
            case _:
                raise AssertionError(settings)
    return link


def _addresses(*cidrs: str) -> tuple[Address, ...]:
    pairs = (cidr.split("/") for cidr in sorted(cidrs))
    return tuple(Address("inet", ip, int(length)) for ip, length in pairs)


def made(spec: RouterSpec = SPEC) -> Model:
    """A host on which a router was made from nothing."""
    model = Model()
    model.follow(plan(spec, PLACE, model.seen()))
    return model


def test_from_nothing_everything_is_made() -> None:
    model = made()
    assert model.inside is not None
    lan, wan = model.inside[LAN], model.inside[WAN]
    assert lan.ipv4 == {"192.168.77.1/24"}
    assert wan.ipv4 == {"172.30.0.10/24"}
    assert (lan.address, lan.mtu, wan.mtu) == (PLACE.mac(LAN), 1450, 1500)
    assert model.default == Route("default", "172.30.0.1", WAN)
    assert (model.ends[PLACE.lan_end].master, model.ends[PLACE.wan_end].master) == (GUESTS, PUBLIC)
    assert {link.ifalias for link in model.ends.values()} == {SPEC.l3_network_uuid}
    assert all(link.up for link in (*model.ends.values(), *model.inside.values()))


def test_what_is_as_described_needs_nothing() -> None:
    planned = plan(SPEC, PLACE, made().seen())
    assert planned == Plan(host=(), inside=(), settings=False, new_lan=False)


def test_a_router_loses_and_regains_its_public_side() -> None:
    model = made()
    model.follow(plan(NO_PUBLIC, PLACE, model.seen()))
    assert model.inside is not None
    assert WAN not in model.inside
    assert PLACE.wan_end not in model.ends
    assert plan(NO_PUBLIC, PLACE, model.seen()) == Plan((), (), settings=False, new_lan=False)
    model.follow(plan(SPEC, PLACE, model.seen()))
    assert model == made()


def test_an_address_comes_before_another_goes() -> None:
    moved = msgspec.structs.replace(SPEC, gateways=("192.168.77.2/24",))
    changes = plan(moved, PLACE, made().seen()).inside
    assert [change.split()[1] for change in changes] == ["add", "delete"]


def test_a_new_link_is_told_so_that_what_listened_on_the_old_one_is_restarted() -> None:
    model = made()
    del model.ends[PLACE.lan_end]
    assert plan(SPEC, PLACE, model.seen()).new_lan
    model = made()
    del model.ends[PLACE.wan_end]
    assert not plan(SPEC, PLACE, model.seen()).new_lan


@st.composite
def damaged(draw: st.DrawFn) -> Model:
    """A host on which something, or everything, of a router was broken or was never made."""
    model = made(draw(st.sampled_from([SPEC, NO_PUBLIC])))
    for end in list(model.ends):
        fate = draw(st.sampled_from(["whole", "gone", "loose", "down", "nameless", "small"]))
        link = model.ends[end]
        if fate == "gone":
            del model.ends[end]
        changes: dict[str, dict[str, Any]] = {
            "loose": {"master": None},
            "down": {"flags": ()},
            "nameless": {"ifalias": None},
            "small": {"mtu": 600},
        }
        if fate in changes:
            model.ends[end] = msgspec.structs.replace(link, **changes[fate])
    assert model.inside is not None
    for name in (LAN, WAN):
        if name not in model.inside:
            continue
        fate = draw(st.sampled_from(["whole", "gone", "bare", "more", "down", "masked", "small"]))
        if fate == "gone":
            del model.inside[name]
            continue
        harms: dict[str, dict[str, Any]] = {
            "bare": {"addr_info": ()},
            "more": {"addr_info": _addresses("10.9.9.9/24", *model.inside[name].ipv4)},
            "down": {"flags": ()},
            "masked": {"address": "02:00:00:00:00:99"},
            "small": {"mtu": 600},
        }
        if fate in harms:
            model.inside[name] = msgspec.structs.replace(model.inside[name], **harms[fate])
    model.default = draw(st.sampled_from([model.default, None, Route("default", "172.30.0.9", WAN)]))
    model.forwarding = draw(st.booleans())
    whole = draw(st.sampled_from(["whole", "nameless", "hollow"]))
    if whole != "whole":
        model.inside, model.named = None, whole == "hollow"
    return model


@given(damaged(), st.sampled_from([SPEC, NO_PUBLIC]))
def test_whatever_is_there_one_plan_mends_it(model: Model, spec: RouterSpec) -> None:
    model.follow(plan(spec, PLACE, model.seen()))
    assert plan(spec, PLACE, model.seen()) == Plan((), (), settings=False, new_lan=False)


def test_removal_takes_what_is_there() -> None:
    assert removal(PLACE, Seen()) == []
    model = made()
    for command in removal(PLACE, model.seen()):
        model.follow(Plan((command,), (), settings=False, new_lan=False))
    assert (model.ends, model.named) == ({}, False)


def test_another_networks_router_under_the_same_names_is_recognised() -> None:
    model = made()
    assert stranger(PLACE, model.seen()) is None
    model.ends[PLACE.lan_end] = msgspec.structs.replace(model.ends[PLACE.lan_end], ifalias="4" * 32)
    assert stranger(PLACE, model.seen()) == "4" * 32
