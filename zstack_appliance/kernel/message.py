"""Messages: the only thing that crosses from one folder to another, and what every door turns a call into.

Primitives: `Request` (one handler, a typed reply), `Event` (any number of listeners), `Hook` (contributions
of any number of plugins, or a veto), `@api` (what makes a request callable from outside) and the request
shapes that APIs share: `Create`, `Update`, `Delete`, `Action`, `Read`.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args

import msgspec

from zstack_appliance.kernel.schema import OnDelete, Record, Uuid, describe, fields_of

Reply = TypeVar("Reply")
Answer = TypeVar("Answer")


class Message(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of everything on the bus."""


class Request(Message, Generic[Reply], frozen=True, kw_only=True, rename="camel"):
    """Asks one handler for one reply: ``reply = await cloud.call(CreateZone(name="z"))``."""


class Event(Message, frozen=True, kw_only=True, rename="camel"):
    """Says that something happened. Listeners run after the commit that made it true; none may veto."""


class Hook(Message, Generic[Answer], frozen=True, kw_only=True, rename="camel"):
    """Asks every interested plugin. Answers come as a tuple ordered by plugin name; an error is a veto."""


class Access(enum.Enum):
    """Who may call an API."""

    ADMIN = "admin"
    """Administrators only."""
    OWNER = "owner"
    """Every account, on resources that it owns or that are shared with it."""
    ANY = "any"
    """Every account; the API names no owned resource, or filters by itself."""


ADMIN, OWNER, ANY = Access.ADMIN, Access.OWNER, Access.ANY


class DeleteMode(enum.Enum):
    """How a delete meets resistance: Permissive asks first, Enforcing goes on past errors."""

    PERMISSIVE = "Permissive"
    ENFORCING = "Enforcing"


class StateEvent(enum.Enum):
    """What a state-change API is told to do."""

    ENABLE = "enable"
    DISABLE = "disable"


class Create(Request[Reply], Generic[Reply], frozen=True, kw_only=True, rename="camel"):
    """Make a resource. The caller may choose its uuid, and tags are attached before the work starts."""

    resource_uuid: Uuid | None = None
    tag_uuids: tuple[str, ...] | None = None
    system_tags: tuple[str, ...] | None = None
    user_tags: tuple[str, ...] | None = None


class Action(Request[Reply], Generic[Reply], frozen=True, kw_only=True, rename="camel"):
    """Do something to a resource; the reply is its inventory unless the API says otherwise."""

    system_tags: tuple[str, ...] | None = None
    user_tags: tuple[str, ...] | None = None


class Update(Action[Reply], Generic[Reply], frozen=True, kw_only=True, rename="camel"):
    """Change plain fields. A field that is absent, or None, stays as it is."""

    uuid: Uuid


class Delete(Request[None], frozen=True, kw_only=True, rename="camel"):
    """Delete a resource and, by the cascade, what depends on it. What is gone already counts as deleted."""

    uuid: Uuid
    delete_mode: DeleteMode = DeleteMode.PERMISSIVE


class BeforeDelete(Hook[None], frozen=True, kw_only=True):
    """A permissive deletion is about to do something to a row. An error refuses all of it, before anything is done.

    Asked once for each row that the deletion deletes, detaches, stops or clears a reference of.
    """

    row: Record
    effect: OnDelete


class Read(Request[Reply], Generic[Reply], frozen=True, kw_only=True, rename="camel"):
    """Answer at once and change nothing; a client that goes away cancels it."""


@dataclass(frozen=True)
class Api:
    """How a request is called from outside; `@api` attaches it."""

    method: str
    path: str
    access: Access
    sync: bool
    """Answers 200 with the reply at once, instead of 202 and a job."""
    session: bool
    """Whether a session is needed."""
    key: str | None
    """Wrapper of the body's parameters; None derives it: ``params`` for POST, the action's name for PUT."""
    reply: str | None
    """The reply stands under this key; None puts the reply's own fields at the top, or ``{}``."""
    wire: str | None
    """ZStack's Java package, where it differs from the resource's."""
    name: str | None
    """ZStack's API class without package, where it differs from ``API<Class>Msg``."""
    rename: dict[str, str]
    """Path variable to field (wire names), where they differ."""
    timeout: float | None
    """Seconds the job may take; None is the default of 30 minutes."""
    aliases: tuple[str, ...]
    """Further paths that serve the same API."""
    target: type[Record] | None
    """The resource acted on, where neither the reply nor the ``uuid`` field's reference says it."""
    answer: str | None
    """ZStack's full class of the answer, where it is not the message's with Reply or Event for its end."""


_API = "__api__"
M = TypeVar("M", bound=type[Request[Any]])


def api(
    method: str,
    path: str,
    *,
    access: Access,
    sync: bool = False,
    session: bool = True,
    key: str | None = None,
    reply: str | None = "inventory",
    wire: str | None = None,
    name: str | None = None,
    rename: dict[str, str] | None = None,
    timeout: float | None = None,
    aliases: tuple[str, ...] = (),
    target: type[Record] | None = None,
    answer: str | None = None,
) -> Callable[[M], M]:
    """Make a request callable from outside. `access` has no default, so that nobody forgets it."""
    declared = Api(
        method, path, access, sync, session, key, reply, wire, name, rename or {}, timeout, aliases, target, answer
    )

    def attach(cls: M) -> M:
        setattr(cls, _API, declared)
        return cls

    return attach


def api_of(cls: type[Request[Any]]) -> Api | None:
    """The API declaration of exactly this class, if it has one; it is not inherited."""
    declared = cls.__dict__.get(_API)
    return declared if isinstance(declared, Api) else None


@functools.cache
def reply_of(cls: type[Message]) -> Any:
    """The reply type that a request names in its base: `Zone` for ``class CreateZone(Create[Zone])``."""
    for ancestor in cls.__mro__:
        for base in ancestor.__dict__.get("__orig_bases__", ()):
            for argument in get_args(base):
                if not isinstance(argument, TypeVar):
                    return argument
    return None


def action_name(cls: type[Request[Any]]) -> str:
    """``StartVmInstance`` to ``startVmInstance``: the key of a PUT body."""
    simple = wire_name(cls).rsplit(".", 1)[-1].removeprefix("API").removesuffix("Msg")
    return simple[0].lower() + simple[1:]


def wire_name(cls: type[Request[Any]]) -> str:
    """ZStack's full message class, such as ``org.zstack.header.zone.APICreateZoneMsg``.

    Raises:
        TypeError: the class is no API, or nothing says its package.
    """
    declared = api_of(cls)
    if declared is None:
        raise TypeError(f"{cls.__name__} is no API: decorate it with @api(...)")
    package = declared.wire or _package(cls)
    return f"{package}.{declared.name or f'API{cls.__name__}Msg'}"


def _package(cls: type[Request[Any]]) -> str:
    resource = resource_of(cls)
    if resource is None:
        raise TypeError(f"{cls.__name__} replies with no resource: give @api a wire package")
    return describe(resource).options.wire


def resource_of(cls: type[Request[Any]]) -> type[Record] | None:
    """The resource that an API is about: declared target, the reply, or what its ``uuid`` refers to."""
    declared = api_of(cls)
    if declared is not None and declared.target is not None:
        return declared.target
    reply = reply_of(cls)
    if isinstance(reply, type) and issubclass(reply, Record):
        return reply
    for field in fields_of(cls):
        if field.name == "uuid" and field.ref is not None:
            return field.ref.target
    return None
