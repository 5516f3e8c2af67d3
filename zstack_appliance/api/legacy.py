"""ZStack's first door, ``/zstack/api``: zstack-cli, apibinding and the old UI send every message here.

Primitive: `Legacy`. A call is ``{"<full class of the message>": {fields}}``. What can be answered at once is
``Done``; anything else is a job that is ``Processing`` until it is asked for at ``result/<uuid>``. Either way
the answer is a text that holds JSON: the full class of a reply or an event, and below it ``success`` with the
reply's fields, or the error. HTTP knows none of these errors: they come with 200, as does the plain text that
tells that a call cannot be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import trio
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from zstack_appliance.api.answers import Answers
from zstack_appliance.api.auth import Callers
from zstack_appliance.api.dates import printed
from zstack_appliance.api.legacy_query import read_query
from zstack_appliance.api.parameters import read_body, typed
from zstack_appliance.api.refusal import Refusal
from zstack_appliance.api.rest import is_forgotten
from zstack_appliance.kernel.derive.legacy import CallMessage, LegacyMessage, QueryMessage
from zstack_appliance.kernel.errors import CloudError, ErrorCode, NotFound, Unauthenticated
from zstack_appliance.kernel.job import DEFAULT_SECONDS, Job, Jobs, JobState
from zstack_appliance.kernel.message import Message, Request
from zstack_appliance.kernel.portal import Portal
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.runner import error_code

LEGACY_PATH = "/zstack/api"


class SessionPart(msgspec.Struct, frozen=True):
    """The session inside a message; only its uuid counts."""

    uuid: str | None = None


class Envelope(Message, frozen=True, kw_only=True):
    """What every message may carry besides its own fields."""

    session: SessionPart | None = None
    timeout: Annotated[int, msgspec.Meta(description="milliseconds that the call may take; 0 is the default")] = 0

    @property
    def seconds(self) -> float | None:
        """The time limit; None when the call names none."""
        return self.timeout / 1000 if self.timeout > 0 else None


class Legacy:
    """The door.

    Args:
        messages: every message by its full class.
        portal: serves what is answered at once.
        jobs: serve the others.
        answers: makes bodies.
        callers: finds accounts.
    """

    def __init__(
        self,
        messages: Mapping[str, LegacyMessage],
        portal: Portal,
        jobs: Jobs,
        answers: Answers,
        callers: Callers,
    ) -> None:
        self._messages = messages
        self._portal = portal
        self._jobs = jobs
        self._answers = answers
        self._callers = callers

    @property
    def routes(self) -> list[Route]:
        """Where it answers; clients write the address with and without a slash at its end."""
        return [
            Route(LEGACY_PATH, self._call, methods=["POST"]),
            Route(f"{LEGACY_PATH}/", self._call, methods=["POST"]),
            Route(f"{LEGACY_PATH}/result/{{uuid}}", self._result, methods=["GET"]),
        ]

    async def _call(self, request: HttpRequest) -> Response:
        try:
            message, fields = self._read(await read_body(request))
            envelope = typed(Envelope, fields, message.wire)
            return await self._serve(request, message, fields, envelope)
        except ClientDisconnect:
            return Response(status_code=400)  # Nobody reads it.
        except CloudError as error:
            return PlainTextResponse(f"{error.details}\n")
        except Refusal as refusal:
            return PlainTextResponse(f"{refusal.text}\n", 200 if refusal.status == 400 else refusal.status)

    def _read(self, body: Mapping[str, Any]) -> tuple[LegacyMessage, Mapping[str, Any]]:
        if len(body) != 1:
            raise Refusal(
                400,
                f"the body must have one key, the message's full class, but has {len(body)};"
                ' send {"org.zstack.header.zone.APIQueryZoneMsg": {"session": {"uuid": "..."}}}',
            )
        [(name, fields)] = body.items()
        message = self._messages.get(name)
        if message is None:
            raise Refusal(400, f"no message has the class [{name[:300]}]; check its package and its name")
        if not isinstance(fields, dict | None):
            raise Refusal(400, f"the value of [{name}] must be a JSON object with the message's fields")
        return message, fields or {}

    async def _serve(
        self, request: HttpRequest, message: LegacyMessage, fields: Mapping[str, Any], envelope: Envelope
    ) -> Response:
        session = envelope.session.uuid if envelope.session else None
        principal = self._callers.of_session(request, session)
        if isinstance(message, QueryMessage):
            return await self._query(message, fields, principal)
        try:
            self._portal.authorise(message.message, principal)
            call = typed(message.message, fields, message.wire)
        except CloudError as error:
            return await self._refused(message, error, principal)
        if message.declared.sync:
            return await self._reply(message, call, principal, envelope.seconds)
        seconds = envelope.seconds or message.declared.timeout or DEFAULT_SECONDS
        try:
            return self._state(await self._jobs.submit(call, principal, seconds=seconds))
        except CloudError as error:
            return _done(_failed(message.reply, error.to_wire()))

    async def _reply(
        self, message: CallMessage, call: Request[Any], principal: Principal, seconds: float | None
    ) -> Response:
        try:
            with trio.fail_after(seconds or DEFAULT_SECONDS):
                reply = await self._portal.serve(call, principal)
                body = await self._answers(call, reply, principal)
        except (CloudError, trio.TooSlowError) as error:
            return _done(_failed(message.reply, error_code(error)))
        return _done(_succeeded(message.reply, body))

    async def _query(self, message: QueryMessage, fields: Mapping[str, Any], principal: Principal) -> Response:
        try:
            if not principal.account_uuid:
                raise Unauthenticated("Session expired or unknown; log in and send the new session's uuid")
            body = await self._answers.query(message.resource, read_query(fields, message.wire), principal)
        except CloudError as error:
            return _done(_failed(message.reply, error.to_wire()))
        del body["schema"]
        return _done(_succeeded(message.reply, body))

    async def _refused(self, message: CallMessage, error: CloudError, principal: Principal) -> Response:
        """Answer a call that cannot succeed. Strangers must not be able to fill the store with failed jobs."""
        if message.declared.sync or not principal.account_uuid:
            return _done(_failed(message.reply, error.to_wire()))
        return self._state(await self._jobs.refuse(message.message, error, principal))

    # --- results ---------------------------------------------------------------------------------------

    async def _result(self, request: HttpRequest) -> Response:
        """The state of a job. Whoever knows its uuid may ask; results hold no secrets."""
        uuid = request.path_params["uuid"]
        try:
            job = self._jobs.get(uuid)
        except NotFound:
            job = None
        if job is None or is_forgotten(job, self._portal.kernel):
            return PlainTextResponse("the result is unknown or has been expired\n", 404)
        return self._state(job)

    def _state(self, job: Job) -> Response:
        """A job as clients poll it; one that was refused at once is still asked for, as ZStack has it."""
        state = {"uuid": job.uuid, "createdDate": printed(job.create_date)}
        if job.finished_date is None or job.state is JobState.RUNNING:
            return _json({**state, "state": "Processing"})
        name = self._reply_class(job.api)
        if job.state is JobState.SUCCEEDED:
            result = _succeeded(name, msgspec.json.decode(job.result or "{}"))
        else:
            result = _failed(name, msgspec.json.decode(job.error or "{}"))
        return _json({**state, "state": "Done", "finishedDate": printed(job.finished_date), "result": result})

    def _reply_class(self, wire: str) -> str:
        message = self._messages.get(wire)
        # The plugin that brought the message may have been removed since.
        return f"{wire.removesuffix('Msg')}Event" if message is None else message.reply


def _succeeded(reply: str, body: Mapping[str, Any]) -> str:
    return msgspec.json.encode({reply: {"success": True, **body}}).decode()


def _failed(reply: str, error: ErrorCode | dict[str, Any]) -> str:
    return msgspec.json.encode({reply: {"success": False, "error": error}}).decode()


def _done(result: str) -> Response:
    return _json({"state": "Done", "result": result})


def _json(body: object) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
