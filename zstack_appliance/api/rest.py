"""ZStack's REST door, ``/zstack/v1``: the ASGI application that SDKs, Terraform and our own CLI talk to.

Primitives: `Rest` (the door) and `CONFIGS` (its settings). It turns a call into one typed message, hands it
to the portal or to a job, and turns what comes back into ZStack's JSON. HTTP statuses are decided here and
nowhere else: 202 for what becomes a job, 200 and 503 for results and errors, plain text for what is refused
before there is a message.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import trio
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from zstack_appliance.api.answers import Answers, with_schema
from zstack_appliance.api.auth import Callers
from zstack_appliance.api.parameters import body_parameters, build, query_parameters, read_body
from zstack_appliance.api.refusal import Refusal
from zstack_appliance.kernel.cloud import Kernel
from zstack_appliance.kernel.conditions import And, Cond, Op, parse_rest
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.derive.route import CallRoute, Misfit, QueryRoute, Route, Routes
from zstack_appliance.kernel.errors import (
    CloudError,
    Conflict,
    ErrorCode,
    InvalidArgument,
    NotFound,
    Unauthenticated,
)
from zstack_appliance.kernel.job import DEFAULT_SECONDS, Job, Jobs, JobState
from zstack_appliance.kernel.message import Delete, Request
from zstack_appliance.kernel.portal import Portal
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.runner import error_code
from zstack_appliance.kernel.validate import prepare
from zstack_appliance.kernel.web_hook import host_of

METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD")

LONGEST_WAIT = 60
"""Seconds that one request may wait for a job; proxies in between give up not much later."""

LOGGED_OUT = "0" * 28 + "1001"
"""The uuid of a job that never was. An asynchronous call whose session is unknown is answered 202 like any
other; its job would be the same failure every time, and strangers must not be able to fill the store."""

EXPIRED_PERIOD = GlobalConfig(
    "rest",
    "completedApi.expiredPeriod",
    "10800",
    "How long the result of a finished API call can be polled, in seconds.",
    kind=int,
    low=1,
)
CONFIGS = (EXPIRED_PERIOD,)


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What the headers of a call ask for beside the call itself."""

    job_uuid: str | None
    seconds: float | None
    web_hook: str | None


class Rest:
    """The door.

    Args:
        routes: what answers at which path.
        portal: serves synchronous calls.
        jobs: serve the others.
        answers: makes bodies.
        callers: reads credentials.

    Raises:
        TypeError: a message cannot be decoded as it is declared.
    """

    def __init__(self, routes: Routes, portal: Portal, jobs: Jobs, answers: Answers, callers: Callers) -> None:
        for route in routes.all:
            if isinstance(route, CallRoute):
                prepare(route.message)
        self._routes = routes
        self._portal = portal
        self._kernel = portal.kernel
        self._jobs = jobs
        self._answers = answers
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        try:
            response = await self._serve(HttpRequest(scope, receive))
        except Refusal as refusal:
            response = refusal.response()
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _serve(self, request: HttpRequest) -> Response:
        method = request.method
        if method not in METHODS:
            raise _not_allowed(method, ", ".join(METHODS))
        path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        if path.startswith("/api-jobs/"):
            return await self._job(request, path.removeprefix("/api-jobs/"))
        found = self._routes.find(path)
        if found is None:
            raise Refusal(404, f"no api mapping to /v1{path}")
        body = await read_body(request) if method in ("POST", "PUT") else {}
        route = found.slot.pick("GET" if method == "HEAD" else method, body)
        if route is Misfit.METHOD:
            raise _not_allowed(method, _allowed(found.slot.routes))
        if route is Misfit.ACTION:
            raise Refusal(400, f"the body doesn't contain action mapping to the URL[/v1{path}]")
        if isinstance(route, QueryRoute):
            return await self._query(request, route, found.values)
        assert isinstance(route, CallRoute)
        return await self._call(request, route, found.values, body)

    # --- calls -----------------------------------------------------------------------------------------

    async def _call(
        self, request: HttpRequest, route: CallRoute, values: tuple[str, ...], body: dict[str, Any]
    ) -> Response:
        wishes = _wishes(request)
        principal = self._callers.caller(request, needs_session=route.declared.session)
        try:
            self._portal.authorise(route.message, principal)
            if route.method in ("POST", "PUT"):
                given = body_parameters(route, body)
            else:
                given = query_parameters(route.message, _pairs(request))
            message = build(route, values, given)
        except CloudError as error:
            if route.declared.sync:
                return _failed(error.to_wire())
            return await self._refused(request, route, error, principal, wishes)
        if isinstance(message, Delete) and _is_dry_run(request):
            return await self._preview(message, principal)
        if route.declared.sync:
            return await self._reply(request, message, principal, wishes)
        seconds = wishes.seconds or route.declared.timeout or DEFAULT_SECONDS
        job = self._jobs.submit(message, principal, job_uuid=wishes.job_uuid, seconds=seconds, web_hook=wishes.web_hook)
        return await _accept(request, job)

    async def _preview(self, message: Delete, principal: Principal) -> Response:
        """Answer at once what a deletion would do."""
        try:
            return _json(200, {"plan": await self._portal.preview(message, principal)})
        except CloudError as error:
            return _failed(error.to_wire())

    async def _reply(
        self, request: HttpRequest, message: Request[Any], principal: Principal, wishes: _Wishes
    ) -> Response:
        seconds = wishes.seconds or DEFAULT_SECONDS
        try:
            with trio.fail_after(seconds):
                reply = await self._portal.serve(message, principal)
                body = await self._answers(message, reply, principal)
        except (CloudError, trio.TooSlowError) as error:
            return _failed(error_code(error))
        return _json(200, with_schema(body) if "x-json-schema" in request.headers else body)

    async def _refused(
        self, request: HttpRequest, route: CallRoute, error: CloudError, principal: Principal, wishes: _Wishes
    ) -> Response:
        """Answer 202 to a call that cannot succeed: ZStack's clients look for its error in the job."""
        if not principal.account_uuid:
            return _accepted(request, LOGGED_OUT, int(DEFAULT_SECONDS * 1000))
        refused = self._jobs.refuse(route.message, error, principal, job_uuid=wishes.job_uuid, web_hook=wishes.web_hook)
        return await _accept(request, refused)

    # --- queries ---------------------------------------------------------------------------------------

    async def _query(self, request: HttpRequest, route: QueryRoute, values: tuple[str, ...]) -> Response:
        principal = self._callers.caller(request, needs_session=True)
        try:
            query = parse_rest(_pairs(request))
        except InvalidArgument as error:
            raise Refusal(400, error.details) from None
        if values:
            query = replace(query, where=And((query.where, Cond("uuid", Op.EQ, values[0]))))
        try:
            if not principal.account_uuid:
                raise Unauthenticated("Session expired or unknown; log in and send the new session's uuid")
            return _json(200, await self._answers.query(route.resource, query, principal))
        except CloudError as error:
            return _failed(error.to_wire())

    # --- jobs ------------------------------------------------------------------------------------------

    async def _job(self, request: HttpRequest, uuid: str) -> Response:
        """The state of a job. Whoever knows its uuid may ask; results hold no secrets."""
        if request.method not in ("GET", "HEAD"):
            raise _not_allowed(request.method, "GET")
        if uuid == LOGGED_OUT:
            return _failed(Unauthenticated("Session expired or unknown; log in again").to_wire())
        try:
            job = await self._jobs.wait(uuid, _patience(request))
        except NotFound:
            job = None
        if job is None or is_forgotten(job, self._kernel):
            raise Refusal(404, "the job has been expired")
        if job.state is JobState.RUNNING:
            return Response(b"{}", 202, media_type=_JSON)
        if job.state is JobState.SUCCEEDED:
            return Response(job.result or "{}", 200, media_type=_JSON)
        return Response(f'{{"error":{job.error}}}', 503, media_type=_JSON)


def is_forgotten(job: Job, kernel: Kernel) -> bool:
    """Whether a job's result can no longer be polled."""
    if job.finished_date is None:
        return False
    kept = kernel.configs.number(EXPIRED_PERIOD.path) * 1000
    return job.finished_date + kept < kernel.clock.millis()


_JSON = "application/json"


def _json(status: int, body: object) -> Response:
    return Response(msgspec.json.encode(body), status, media_type=_JSON)


def _failed(error: ErrorCode) -> Response:
    return _json(503, {"error": error})


async def _accept(request: HttpRequest, writing: Awaitable[Job]) -> Response:
    """Wait until a job is written down, then say where it is."""
    try:
        job = await writing
    except Conflict as twin:
        raise Refusal(400, twin.details) from None
    except CloudError as error:
        return _failed(error.to_wire())
    return _accepted(request, job.uuid, job.timeout)


def _accepted(request: HttpRequest, job_uuid: str, timeout: int) -> Response:
    """202 with where to ask, under the name by which the caller reached us."""
    scope = request.scope
    host = request.headers.get("host") or ":".join(str(part) for part in scope.get("server") or ("localhost",))
    location = f"{scope['scheme']}://{host}/zstack/v1/api-jobs/{job_uuid}"
    return _json(202, {"location": location, "apiTimeout": timeout})


def _pairs(request: HttpRequest) -> list[tuple[str, str]]:
    return parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _is_dry_run(request: HttpRequest) -> bool:
    """Whether a deletion is only to be planned: ``?dryRun=true``.

    Raises:
        Refusal: the value is neither true nor false; nothing is deleted for a slip of the pen.
    """
    value = request.query_params.get("dryRun", "false").lower()
    if value not in ("true", "false"):
        raise Refusal(400, f"[dryRun] must be true or false, but was [{value[:100]}]")
    return value == "true"


def _not_allowed(method: str, allowed: str) -> Refusal:
    return Refusal(405, f"the method {method} is not allowed here; use {allowed}", {"allow": allowed})


def _allowed(routes: list[Route]) -> str:
    return ", ".join(sorted({route.method for route in routes}))


def _wishes(request: HttpRequest) -> _Wishes:
    """Read the headers that concern the job.

    Raises:
        Refusal: one is malformed, or asks for what is not served.
    """
    headers = request.headers
    job_uuid = headers.get("x-job-uuid")
    if job_uuid is not None and not re.fullmatch(r"[0-9a-f]{32}", job_uuid):
        raise Refusal(400, f"X-Job-UUID must be 32 lower-case hexadecimal digits, but was [{job_uuid[:100]}]")
    timeout = headers.get("x-api-timeout")
    if timeout is not None and not re.fullmatch(r"[1-9]\d{0,8}", timeout):
        raise Refusal(400, f"X-API-Timeout must be whole seconds, 1 or more, but was [{timeout[:100]}]")
    web_hook = headers.get("x-web-hook")
    if web_hook is not None:
        try:
            host_of(web_hook)
        except InvalidArgument as error:
            raise Refusal(400, error.details) from None
    return _Wishes(job_uuid, None if timeout is None else float(timeout), web_hook)


def _patience(request: HttpRequest) -> float:
    """Seconds that the caller is willing to wait (RFC 7240); what does not read as such is ignored."""
    for preference in request.headers.get("prefer", "").split(","):
        name, _, value = preference.strip().partition("=")
        if name.lower() == "wait" and value.isdecimal():
            return min(float(value), LONGEST_WAIT)
    return 0.0
