"""Doing something: forms of APIs (`new_page`, `act_page`), sending them, and what they would do before that.

Every form becomes one typed message per row that it acts on, and goes the way that every door's messages go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.responses import Response

from zstack_appliance.api.ui import forms
from zstack_appliance.api.ui.details import find_row, inventory_of
from zstack_appliance.api.ui.nouns import Noun
from zstack_appliance.api.ui.security import own_path
from zstack_appliance.api.ui.spoken import command_of_call, curl_of_call, route_of
from zstack_appliance.api.ui.visit import Visit, title_of
from zstack_appliance.api.ui.words import inside, spaced
from zstack_appliance.kernel.conditions import And, Cond, Op, Query
from zstack_appliance.kernel.derive.form import Input, acted_field, inputs, keys_of
from zstack_appliance.kernel.errors import CloudError, ErrorCode, InvalidArgument, NotFound
from zstack_appliance.kernel.job import DEFAULT_SECONDS, JobState
from zstack_appliance.kernel.message import Create, Delete, DeleteMode, Request, Update, api_of, wire_name
from zstack_appliance.kernel.schema import fields_of
from zstack_appliance.kernel.validate import decode

PATIENCE = 1.5
"""Seconds that a form waits for its job, so that what fails at once is said where it was asked for."""

MOST_ROWS = 50
"""Rows that one form acts on."""


@dataclass(frozen=True)
class Sent:
    """What became of one message.

    Args:
        uuid: of the row that was acted on or made, as far as that is known.
        error: why it failed, if it has.
        running: whether it goes on.
    """

    uuid: str = ""
    error: ErrorCode | None = None
    running: bool = False


def api_named(visit: Visit, noun: Noun, name: str) -> type[Request[Any]]:
    """An API of a resource.

    Raises:
        NotFound: it has none of this name.
    """
    for message in noun.acts.every:
        if message.__name__ == name:
            visit.inside.portal.authorise(message, visit.principal)
            return message
    raise NotFound(f"{noun.many} have no API called {name}; go back and choose another")


# --- making ------------------------------------------------------------------------------------------------


async def new_page(visit: Visit, noun: Noun, name: str) -> Response:
    """The form that makes one; without a name the ways to make one, if there are several."""
    makers = noun.can_make(visit.principal, visit.nouns)
    if not makers:
        raise NotFound(f"{noun.many} are not made by hand; they come and go with what they belong to")
    if not name and len(makers) > 1:
        return visit.page("ways.html", noun=noun, makers=makers)
    message = api_named(visit, noun, name) if name else makers[0]
    asked = inputs(message)
    texts = forms.prefilled(asked) | {wire: (value,) for wire, value in visit.pairs if value}
    return await _form_page(visit, noun, message, asked, texts)


async def make(visit: Visit, noun: Noun, name: str, pairs: Sequence[tuple[str, str]]) -> Response:
    """Send the form that makes one."""
    message = api_named(visit, noun, name)
    asked = inputs(message)
    texts = forms.texts_of(asked, pairs)
    sent, _ = await _send(visit, message, asked, texts, {})
    if sent.error is not None:
        return await _form_page(visit, noun, message, asked, texts, sent.error)
    title = (texts.get("name") or (noun.one,))[0]
    if sent.running:
        return visit.go(f"/ui{noun.path}", f"Making {title}. Its steps are below, in Operations.")
    made = f"/ui{noun.path}/{sent.uuid}" if sent.uuid else f"/ui{noun.path}"
    return visit.go(made, f"{title} is made.")


# --- acting ------------------------------------------------------------------------------------------------


async def act_page(visit: Visit, noun: Noun, name: str) -> Response:
    """The form of an API that acts on rows, with what a deletion would do."""
    message = api_named(visit, noun, name)
    if message in noun.acts.keyed:
        return await _keyed_page(visit, noun, message)
    uuids = _uuids(visit.pairs)
    rows = [inventory_of(visit, find_row(visit, noun, uuid)) for uuid in uuids]
    asked = _asked(message, noun)
    texts = forms.prefilled(asked, rows[0] if rows and issubclass(message, Update) else None)
    return await _form_page(visit, noun, message, asked, texts, uuids=uuids)


async def act(visit: Visit, noun: Noun, name: str, pairs: Sequence[tuple[str, str]]) -> Response:
    """Send an API once for each row."""
    message = api_named(visit, noun, name)
    if message in noun.acts.keyed:
        return await _act_keyed(visit, noun, message, pairs)
    uuids = _uuids(pairs)
    asked = _asked(message, noun)
    texts = forms.texts_of(asked, pairs)
    mode = next((value for key, value in pairs if key == "deleteMode"), None)
    field = acted_field(message, noun.cls)
    assert field is not None or issubclass(message, Delete)
    key = field.wire if field is not None else "uuid"
    all_sent: list[tuple[str, Sent]] = []
    for uuid in uuids:
        row = find_row(visit, noun, uuid)
        fixed = {key: uuid, **({"deleteMode": mode} if mode and issubclass(message, Delete) else {})}
        current = inventory_of(visit, row) if issubclass(message, Update) else {}
        sent, _ = await _send(visit, message, asked, texts, fixed, current)
        all_sent.append((title_of(row), sent))
    failed = [(title, sent.error) for title, sent in all_sent if sent.error is not None]
    if failed:
        error = failed[0][1] if len(uuids) == 1 else _joined(failed, len(uuids))
        return await _form_page(visit, noun, message, asked, texts, error, uuids=uuids)
    what = spaced(message.__name__)
    whom = all_sent[0][0] if len(all_sent) == 1 else f"{len(all_sent)} rows"
    running = any(sent.running for _, sent in all_sent)
    gone = issubclass(message, Delete) or len(uuids) > 1
    where = f"/ui{noun.path}" if gone else _tab_of(visit, f"/ui{noun.path}/{uuids[0]}")
    return visit.go(where, f"{what}: {whom}{' is under way' if running else ' is done'}.")


def _tab_of(visit: Visit, page: str) -> str:
    """The tab of a row's page that the browser shows; else the page itself."""
    shown = urlsplit(visit.request.headers.get("hx-current-url", "")).path
    return shown if shown.startswith(f"{page}/") else page


async def _keyed_page(visit: Visit, noun: Noun, message: type[Request[Any]]) -> Response:
    """The form of an API that names its row by the row's own fields, with the row's values in it."""
    keys = keys_of(message, noun.cls)
    named = {key: visit.one(key) for key in keys}
    query = Query(And(tuple(Cond(key, Op.EQ, value) for key, value in named.items())), limit=1)
    rows = (await visit.inside.queries.run(query, noun.cls, visit.principal)).inventories
    if not rows:
        raise NotFound(f"no {noun.one} is called {', '.join(named.values())[:200]}; it may have gone meanwhile")
    asked = inputs(message, fixed=keys)
    return await _form_page(visit, noun, message, asked, forms.prefilled(asked, rows[0]), keys=named)


async def _act_keyed(
    visit: Visit, noun: Noun, message: type[Request[Any]], pairs: Sequence[tuple[str, str]]
) -> Response:
    """Send it."""
    keys = keys_of(message, noun.cls)
    named = {key: value for key, value in pairs if key in keys}
    asked = inputs(message, fixed=keys)
    texts = forms.texts_of(asked, pairs)
    sent, _ = await _send(visit, message, asked, texts, named)
    if sent.error is not None:
        return await _form_page(visit, noun, message, asked, texts, sent.error, keys=named)
    return visit.go(f"/ui{noun.path}", f"{spaced(message.__name__)}: {', '.join(named.values())} is done.")


def _asked(message: type[Request[Any]], noun: Noun) -> tuple[Input, ...]:
    field = acted_field(message, noun.cls)
    return inputs(message, fixed=(field.wire,) if field is not None else ("uuid",))


def _uuids(pairs: Sequence[tuple[str, str]]) -> list[str]:
    uuids = list(dict.fromkeys(value for key, value in pairs if key == "uuid"))
    if not uuids:
        raise InvalidArgument("no row is chosen; tick one or more in the list first")
    if len(uuids) > MOST_ROWS:
        raise InvalidArgument(f"{len(uuids)} rows are chosen; choose at most {MOST_ROWS} at a time")
    return uuids


def _joined(failed: Sequence[tuple[str, ErrorCode | None]], number: int) -> ErrorCode:
    texts = [f"{title}: {error.details if error else ''}" for title, error in failed]
    return ErrorCode(code="SYS.1006", details=f"{len(failed)} of {number} failed. {' '.join(texts)}")


# --- what both share ---------------------------------------------------------------------------------------


async def _send(
    visit: Visit,
    message: type[Request[Any]],
    asked: Sequence[Input],
    texts: Mapping[str, tuple[str, ...]],
    fixed: Mapping[str, Any],
    current: Mapping[str, Any] | None = None,
) -> tuple[Sent, dict[str, Any]]:
    """Decode a message, have it served, and say what became of it."""
    given, faults = forms.given_of(visit, asked, texts)
    if current:
        given = {wire: value for wire, value in given.items() if not _is_same(value, current.get(wire))}
    given |= fixed
    try:
        typed = _decoded(message, given, faults)
        return await submit(visit, typed), given
    except CloudError as error:
        return Sent(error=error.to_wire()), given


def _is_same(entered: Any, stored: Any) -> bool:
    return entered == stored or str(entered).lower() == str(stored).lower()


def _decoded(message: type[Request[Any]], given: Mapping[str, Any], faults: list[Any]) -> Request[Any]:
    """The message.

    Raises:
        InvalidArgument: with the faults of both, names and values.
    """
    try:
        typed = decode(message, given, called=wire_name(message))
    except InvalidArgument as error:
        known = {fault.field for fault in faults}
        faults = [*faults, *(fault for fault in error.faults if fault.field not in known)]
        raise InvalidArgument(faults[0].text if faults else error.details, faults=tuple(faults)) from None
    if faults:
        raise InvalidArgument(faults[0].text, faults=tuple(faults))
    return typed


async def submit(visit: Visit, message: Request[Any]) -> Sent:
    """Have a message served as this person: at once, or as a job that is waited for a little.

    Raises:
        CloudError: what is answered at once failed.
    """
    declared = api_of(type(message))
    assert declared is not None
    if declared.sync:
        reply = await visit.inside.portal.serve(message, visit.principal)
        return Sent(str(getattr(reply, "uuid", "")))
    if isinstance(message, Create) and message.resource_uuid is None:
        message = msgspec.structs.replace(message, resource_uuid=visit.inside.portal.kernel.entropy.uuid())
    made = message.resource_uuid if isinstance(message, Create) else None
    jobs = visit.inside.jobs
    visit.inside.portal.authorise(type(message), visit.principal)
    job = await jobs.submit(message, visit.principal, seconds=declared.timeout or DEFAULT_SECONDS)
    job = await jobs.wait(job.uuid, PATIENCE)
    if job.state is JobState.FAILED:
        error = msgspec.json.decode(job.error or "{}", type=ErrorCode)
        return Sent(made or "", error)
    return Sent(made or "", running=job.state is JobState.RUNNING)


async def _form_page(
    visit: Visit,
    noun: Noun,
    message: type[Request[Any]],
    asked: Sequence[Input],
    texts: Mapping[str, tuple[str, ...]],
    error: ErrorCode | None = None,
    uuids: Sequence[str] = (),
    keys: Mapping[str, str] | None = None,
) -> Response:
    first = noun.looks.inputs if issubclass(message, Create) and _has_all(asked, noun.looks.inputs) else ()
    form = await forms.draw(visit, asked, first, texts, error)
    if error is None and issubclass(message, Create):
        form = forms.with_choices(form, noun.looks.prefill)
    rows = [find_row(visit, noun, uuid) for uuid in uuids]
    deletes = issubclass(message, Delete)
    return visit.page(
        "form.html",
        422 if error is not None else 200,
        noun=noun,
        message=message,
        title=_title(noun, message, rows),
        intent=(message.__doc__ or "").partition("\n")[0],
        form=form,
        hidden=[*(("uuid", uuid) for uuid in uuids), *(keys or {}).items()],
        rows=[("", ", ".join((keys or {}).values()))] if keys else [(row.uuid, title_of(row)) for row in rows],
        deletes=deletes,
        plan=await plan_of(visit, message, uuids) if deletes else [],
        creates=issubclass(message, Create),
        said=spoken(visit, noun, message, asked, form.texts or texts, uuids, keys),
        action=_address(noun, message),
        placement=preview_of(visit, noun, message) is not None,
    )


async def tag(visit: Visit, how: str, pairs: Sequence[tuple[str, str]]) -> Response:
    """Put a tag on a row, or take one off, and go back to its page."""
    given = dict(pairs)
    name = {"add": "CreateUserTag", "remove": "DeleteTag"}[how]
    message = visit.nouns.messages.get(name)
    if message is None:
        raise NotFound("this appliance has no tags; its plugin is missing")
    sent = await submit(visit, decode(message, {k: v for k, v in given.items() if k not in ("csrf", "back")}))
    text = forms.readable(sent.error.details or "") if sent.error is not None else ""
    return visit.go(own_path(given.get("back")), text)


async def placement_part(visit: Visit, noun: Noun, name: str, pairs: Sequence[tuple[str, str]]) -> Response:
    """Where what a form as it stands would make would go; nothing for forms of other APIs."""
    message = api_named(visit, noun, name)
    preview = preview_of(visit, noun, message)
    if preview is None:
        raise NotFound(f"{spaced(name)} has no preview; send the form instead")
    asked = inputs(message)
    given, _ = forms.given_of(visit, asked, forms.texts_of(asked, pairs))
    wires = {field.wire for field in fields_of(preview)}
    try:
        typed = decode(preview, {wire: value for wire, value in given.items() if wire in wires})
        found = await visit.inside.portal.serve(typed, visit.principal)
    except CloudError as error:
        return visit.page("placement.html", found=None, problem=forms.readable(error.details))
    return visit.page("placement.html", found=found, problem="")


def preview_of(visit: Visit, noun: Noun, message: type[Request[Any]]) -> type[Request[Any]] | None:
    """The API that tells where what `message` makes would go, if this person may call it."""
    preview = visit.nouns.messages.get(noun.looks.placement)
    if preview is None or not issubclass(message, Create) or not visit.nouns.may_call(preview, visit.principal):
        return None
    return preview


async def said_part(visit: Visit, noun: Noun, name: str, pairs: Sequence[tuple[str, str]]) -> Response:
    """What a form as it stands would be as curl and as a command."""
    message = api_named(visit, noun, name)
    asked = inputs(message) if issubclass(message, Create) else _asked(message, noun)
    uuids = [value for key, value in pairs if key == "uuid"][:1]
    texts = forms.texts_of(asked, pairs)
    keys = {key: value for key, value in pairs if key in keys_of(message, noun.cls)}
    return visit.page("said.html", said=spoken(visit, noun, message, asked, texts, uuids, keys))


def _has_all(asked: Sequence[Input], wires: Sequence[str]) -> bool:
    return set(wires) <= {each.wire for each in asked}


def _title(noun: Noun, message: type[Request[Any]], rows: Sequence[Any]) -> str:
    if issubclass(message, Create):
        return spaced(message.__name__) if len(noun.acts.makers) > 1 else f"New {inside(noun.one)}"
    return spaced(message.__name__)


def _address(noun: Noun, message: type[Request[Any]]) -> str:
    return f"/ui{noun.path}/{'new' if issubclass(message, Create) else 'do'}/{message.__name__}"


async def plan_of(
    visit: Visit, message: type[Request[Any]], uuids: Sequence[str], mode: DeleteMode = DeleteMode.PERMISSIVE
) -> list[dict[str, Any]]:
    """What a deletion would do, row by row. What forbids it is among that, and then what it would do by force."""
    found: list[dict[str, Any]] = []
    for uuid in uuids:
        try:
            typed = decode(message, {"uuid": uuid, "deleteMode": mode.value})
            assert isinstance(typed, Delete)
            found += [dict(effect) for effect in await visit.inside.portal.preview(typed, visit.principal)]
        except CloudError as error:
            found.append({"type": "", "uuid": uuid, "name": error.details, "effect": "refused"})
            if mode is DeleteMode.PERMISSIVE:
                found += await plan_of(visit, message, [uuid], DeleteMode.ENFORCING)
    seen: dict[tuple[Any, Any], dict[str, Any]] = {}
    for effect in found:
        seen.setdefault((effect["uuid"], effect["effect"]), effect)
    return list(seen.values())


def spoken(
    visit: Visit,
    noun: Noun,
    message: type[Request[Any]],
    asked: Sequence[Input],
    texts: Mapping[str, tuple[str, ...]],
    uuids: Sequence[str],
    keys: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The form as it stands, as curl and as a command."""
    given, _ = forms.given_of(visit, asked, texts)
    defaults = {each.wire: each.default for each in asked}
    given = {wire: value for wire, value in given.items() if str(value).lower() != str(defaults.get(wire)).lower()}
    field = acted_field(message, noun.cls)
    if uuids:
        given = {field.wire if field is not None else "uuid": uuids[0], **given}
    given = {**(keys or {}), **given}
    route = route_of(visit.inside.routes, message)
    base = str(visit.request.base_url).rstrip("/")
    return {
        "curl": curl_of_call(base, route, given) if route is not None else "",
        "command": command_of_call(message, given),
    }
