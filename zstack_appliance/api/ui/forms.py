"""Forms of APIs: `Entry` (one field as the page shows it), `Form` (all of an API's) and how both are read back.

A form is drawn from `derive/form.py`. What a person entered becomes wire values; whether these are right is
judged where every door has it judged, by decoding the message, and each fault comes back at its field.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from zstack_appliance.api.ui import values
from zstack_appliance.api.ui.visit import Visit, title_of
from zstack_appliance.api.ui.words import label
from zstack_appliance.kernel.conditions import And, Cond, Op, Query
from zstack_appliance.kernel.derive.form import Input, Kind
from zstack_appliance.kernel.errors import ErrorCode, Fault
from zstack_appliance.kernel.schema import Record, Resource, describe, root_of

MOST_OPTIONS = 200
"""Rows that a picker lists. Beyond it a name or a uuid is typed."""

_UUID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Option:
    """Something to pick."""

    value: str
    text: str
    hint: str = ""
    born: str = ""


@dataclass(frozen=True)
class Entry:
    """One field as the page shows it.

    Args:
        input: what it asks for.
        texts: what stands in it; several for lists.
        fault: what is wrong with that.
        options: what can be picked.
        more: whether there is more to pick than is listed.
    """

    input: Input
    texts: tuple[str, ...] = ()
    fault: str = ""
    options: tuple[Option, ...] = ()
    more: bool = False

    @property
    def text(self) -> str:
        """What stands in a field of one value."""
        return self.texts[0] if self.texts else ""

    @property
    def label(self) -> str:
        """What the field is called."""
        return label(self.input.wire)

    @property
    def kind(self) -> str:
        """How it is entered, for the template."""
        return self.input.kind.name.lower()


@dataclass(frozen=True)
class Form:
    """A form: what is asked for first, and what is folded away.

    Args:
        first: the fields that everybody fills in.
        more: the others.
        problem: what is wrong as a whole.
        rejections: candidates that were passed over, each with the reason, if that is the problem.
    """

    first: tuple[Entry, ...]
    more: tuple[Entry, ...]
    problem: str = ""
    rejections: tuple[Mapping[str, str], ...] = ()
    faults: tuple[tuple[str, str], ...] = field(default=())

    @property
    def texts(self) -> dict[str, tuple[str, ...]]:
        """What stands in it, by field."""
        return {entry.input.wire: entry.texts for entry in (*self.first, *self.more) if entry.texts}

    @property
    def more_is_open(self) -> bool:
        """Whether something in the folded part needs attention, or has been filled in."""
        return any(entry.fault or entry.texts for entry in self.more)


async def draw(
    visit: Visit,
    asked: Sequence[Input],
    first: Sequence[str],
    texts: Mapping[str, tuple[str, ...]],
    error: ErrorCode | None = None,
) -> Form:
    """The form with these texts in it.

    Args:
        visit: who fills it in; pickers offer what they may see.
        asked: its fields.
        first: wire names of those that are not folded away; by default the required and the plain ones.
        texts: what stands in the fields.
        error: what came of sending it.
    """
    faults = faults_of(error)
    entries = [await _entry(visit, each, texts.get(each.wire, ()), faults.get(each.wire, "")) for each in asked]
    wanted = first or _usual(asked)
    ahead = sorted((e for e in entries if e.input.wire in wanted), key=lambda e: wanted.index(e.input.wire))
    rest = [e for e in entries if e.input.wire not in wanted]
    known = {each.wire for each in asked}
    left = tuple((label(wire), text) for wire, text in faults.items() if wire not in known)
    problem = "" if error is None or (faults and not left) else readable(error.details or error.description or "")
    rejections = (error.opaque or {}).get("rejections", []) if error is not None else []
    return Form(tuple(ahead), tuple(rest), problem, tuple(rejections), left)


def _usual(asked: Sequence[Input]) -> list[str]:
    """What is asked for first, where nobody said so: what must be given, a name, a description."""
    needed = [each.wire for each in asked if each.required]
    usual = [each.wire for each in asked if each.wire in ("name", "description") and each.wire not in needed]
    if len(asked) <= 6:
        return [*needed, *(each.wire for each in asked if not each.required and "Tags" not in each.wire)]
    return [*needed, *usual]


async def _entry(visit: Visit, asked: Input, texts: tuple[str, ...], fault: str) -> Entry:
    entry = Entry(asked, texts, fault)
    if asked.kind is Kind.STATE:
        return replace(entry, options=tuple(Option(choice, choice) for choice in asked.choices))
    if asked.target is None:
        return entry
    found, more = await options_of(visit, asked.target)
    return replace(entry, options=found, more=more)


async def options_of(visit: Visit, target: type[Record], typed: str = "") -> tuple[tuple[Option, ...], bool]:
    """What can be picked of a resource, by name, and whether there is more than that."""
    if describe(root_of(target).cls).options.path is None:
        return (), True
    named = issubclass(target, Resource)
    terms = (Cond("name", Op.LIKE, f"%{typed}%"),) if typed and named else ()
    query = Query(And(terms), sort="name" if named else None, limit=MOST_OPTIONS + 1)
    found = (await visit.inside.queries.run(query, target, visit.principal)).inventories or []
    options = tuple(
        Option(row["uuid"], row.get("name") or row["uuid"][:8], _hint(row), row.get("createDate", ""))
        for row in found[:MOST_OPTIONS]
    )
    return options, len(found) > MOST_OPTIONS


def _hint(row: Mapping[str, Any]) -> str:
    """A word that tells namesakes apart, and good from bad."""
    told = [str(row[name]) for name in ("status", "state", "category") if name in row]
    if "cpuNum" in row and "memorySize" in row:
        return f"{row['cpuNum']} CPU, {values.bytes_text(row['memorySize'])}"
    if "diskSize" in row:
        return values.bytes_text(row["diskSize"])
    return ", ".join(word for word in told if word not in ("Enabled", "Ready", "Connected", "Private"))


def prefilled(asked: Sequence[Input], row: Mapping[str, Any] | None = None) -> dict[str, tuple[str, ...]]:
    """The texts of a fresh form: of the row that is changed, or else the defaults."""
    found: dict[str, tuple[str, ...]] = {}
    for each in asked:
        value = row.get(each.wire) if row is not None and each.wire in row else each.default
        if value is not None and each.kind is not Kind.UNSEEN:
            found[each.wire] = _texts(each, value)
    return found


def _texts(asked: Input, value: Any) -> tuple[str, ...]:
    if asked.kind is Kind.REFERENCES:
        return tuple(map(str, value))
    if asked.kind is Kind.VALUES:
        return ("\n".join(map(str, value)),) if value else ()
    if asked.kind is Kind.FLAG:
        return ("true",) if value else ("false",)
    if asked.kind is Kind.BYTES and isinstance(value, int):
        return (values.exact_bytes(value),)
    if asked.kind is Kind.STRUCTURE:
        return (msgspec.json.encode(value).decode(),)
    return (str(value),)


def texts_of(asked: Sequence[Input], pairs: Sequence[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """What a person entered, by field; fields that are empty are left out."""
    found: dict[str, tuple[str, ...]] = {}
    for each in asked:
        given = tuple(text for name, text in pairs if name == each.wire)
        # A box that is not ticked sends nothing, so a hidden "false" goes before it.
        given = given[-1:] if each.kind is Kind.FLAG else tuple(text for text in given if text.strip())
        if given:
            found[each.wire] = given
    return found


def given_of(
    visit: Visit, asked: Sequence[Input], texts: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, Any], list[Fault]]:
    """The wire values that texts stand for, and the names in them that name nothing."""
    given: dict[str, Any] = {}
    faults: list[Fault] = []
    for each in asked:
        if each.wire not in texts:
            continue
        try:
            given[each.wire] = _value(visit, each, texts[each.wire])
        except ValueError as error:
            faults.append(Fault(each.wire, str(error)))
    return given, faults


def _value(visit: Visit, asked: Input, texts: tuple[str, ...]) -> Any:
    text = texts[0]
    lines = [line.strip() for each in texts for line in each.splitlines() if line.strip()]
    if asked.target is not None:
        uuids = [_uuid(visit, asked.target, line) for line in lines]
        return uuids if asked.kind is Kind.REFERENCES else uuids[0]
    if asked.kind is Kind.VALUES:
        return lines
    if asked.kind is Kind.BYTES:
        return values.read_bytes(text)
    if asked.kind is Kind.STRUCTURE:
        try:
            return msgspec.json.decode(text)
        except msgspec.MsgspecError:
            raise ValueError('enter JSON, such as {"key": "value"}') from None
    if asked.kind is Kind.UNSEEN and "SHA-512" in asked.help:
        return hashlib.sha512(text.encode()).hexdigest()
    return text


def _uuid(visit: Visit, target: type[Record], text: str) -> str:
    """The uuid of what a person picked, or typed by name."""
    text = text.strip()
    if _UUID.fullmatch(text) or not issubclass(target, Resource):
        return text
    store, portal = visit.inside.portal.kernel.store, visit.inside.portal
    found = [row for row in store.find(target, name=text) if portal.visible(type(row), row.uuid, visit.principal)]
    if not found:
        raise ValueError(f"nothing is called {text}; pick one from the list, or give its uuid")
    if len(found) > 1:
        uuids = ", ".join(row.uuid for row in found[:5])
        raise ValueError(f"{len(found)} are called {title_of(found[0])}; give the uuid of one: {uuids}")
    return found[0].uuid


def with_choices(form: Form, wanted: Sequence[str]) -> Form:
    """A fresh form, in which what has one choice alone is chosen, and of what is `wanted` the first."""
    return replace(
        form,
        first=tuple(_chosen(entry, wanted) for entry in form.first),
        more=tuple(_chosen(entry, ()) for entry in form.more),
    )


def _chosen(entry: Entry, wanted: Sequence[str]) -> Entry:
    only = len(entry.options) == 1 and entry.input.required
    if entry.texts or entry.input.target is None or not entry.options or not (only or entry.input.wire in wanted):
        return entry
    # The oldest is most likely what everybody uses; what has something to be said against it comes last.
    best = min(entry.options, key=lambda option: (bool(option.hint) and " CPU, " not in option.hint, option.born))
    return replace(entry, texts=(best.value,))


def faults_of(error: ErrorCode | None) -> dict[str, str]:
    """What an error says of each field, in a person's words."""
    if error is None or not error.opaque:
        return {}
    return {wire: readable(str(text)) for wire, text in error.opaque.get("fields", {}).items()}


_WHERE = re.compile(r"^(?:invalid )?(?:valid (?:regex )?value for )?field\[\w+\](?: of message\[[\w.]+\])?[,:]?\s*")


_BOUNDS = re.compile(r"must be in range of \[(.*?), ?(.*?)\], but (.*) found", re.DOTALL)


def readable(text: str) -> str:
    """An error's text without what the page shows anyway: the field it stands at, and the message's class."""
    if "is mandatory, can not be null" in text:
        return "This is needed."
    if text.startswith("valid regex value"):
        return (
            f"A character in it is not allowed here; it must match {text.partition(' are ')[2].partition(', but ')[0]}."
        )
    rest = _WHERE.sub("", text)
    bounds = _BOUNDS.fullmatch(rest)
    if bounds is not None:
        low, high, found = bounds.groups()
        wanted = f"from {low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}"
        return f"Must be {wanted}; this is {found}."
    if rest.startswith("are [") and text.startswith("valid value"):
        rest = f"Must be one of {rest[5:].replace('],', ',', 1)}"
    rest = rest[:1].upper() + rest[1:]
    return rest if rest.endswith((".", "!", "?")) else f"{rest}."
