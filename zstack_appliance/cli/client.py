"""The HTTP client: `Client` calls APIs, waits for their jobs, and queries.

It is built on the standard library, whose import takes a tenth of that of a full HTTP client: a command
line has to answer at once.
"""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from zstack_appliance.cli.exits import ApiError, CliError, Exit
from zstack_appliance.cli.place import Place
from zstack_appliance.kernel.derive.route import CallRoute, Routes
from zstack_appliance.kernel.message import Request

REST = "/zstack/v1"
PATIENCE_SECONDS = 30
"""How long one request waits for a job before it asks again."""

_ANSWER_SECONDS = 90.0
"""How long a door may take to answer; longer than the longest wait for a job."""

Watch = Callable[[str], None]
"""Told a job's uuid again and again while the job runs, and once after it has ended."""


@dataclass(frozen=True)
class Answer:
    """What a door answered: status, and the body decoded if it is JSON."""

    status: int
    body: Any


class Client:
    """One connection to one appliance.

    Args:
        place: which, and as whom.
        seconds: how long a door may take to answer.
    """

    def __init__(self, place: Place, seconds: float = _ANSWER_SECONDS) -> None:
        self.place = place
        self._connection = _connection(place, seconds)

    def close(self) -> None:
        """Let the connection go; the next request opens another."""
        self._connection.close()

    def send(self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None) -> Answer:
        """One request below ``/zstack/v1``, as it is answered.

        Raises:
            CliError: nobody answers.
        """
        given = {"accept": "application/json", **(headers or {})}
        if self.place.session is not None:
            given["authorization"] = f"OAuth {self.place.session}"
        content = None if body is None else msgspec.json.encode(body)
        if content is not None:
            given["content-type"] = "application/json"
        try:
            self._connection.request(method, f"{REST}{path}", body=content, headers=given)
            response = self._connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise CliError(self._unreachable(error), Exit.UNREACHABLE) from error
        return Answer(response.status, _decoded(data))

    def call(self, message: type[Request[Any]], params: Mapping[str, Any], watch: Watch | None = None) -> Any:
        """Call an API and give its reply, waiting for its job if it becomes one.

        Args:
            message: the API.
            params: wire names to values.
            watch: sees the job.

        Raises:
            ApiError: it was refused, or failed.
        """
        answer = self.start(message, params)
        if answer.status == 202:
            answer = self._await(urlsplit(answer.body["location"]).path.removeprefix(REST), watch)
        return checked(answer)

    def start(self, message: type[Request[Any]], params: Mapping[str, Any]) -> Answer:
        """Call an API and give its first answer: 202 and a location for what becomes a job."""
        route = Routes([message], ()).all[0]
        assert isinstance(route, CallRoute)
        method, path, body = request_of(route, params)
        answer = self.send(method, path, body)
        if answer.status not in (200, 202):
            checked(answer)
        return answer

    def query(self, path: str, conditions: Sequence[str] = (), **params: object) -> dict[str, Any]:
        """The body of a query's answer.

        Raises:
            ApiError: it was refused.
        """
        pairs = [("q", condition) for condition in conditions]
        pairs += [(key, _text(value)) for key, value in params.items() if value is not None]
        found: dict[str, Any] = checked(self.send("GET", f"{path}?{urlencode(pairs)}"))
        return found

    def rows(self, path: str, *conditions: str, **params: object) -> list[dict[str, Any]]:
        """The inventories of a query."""
        found: list[dict[str, Any]] = self.query(path, conditions, **params).get("inventories", [])
        return found

    def _await(self, path: str, watch: Watch | None) -> Answer:
        patience = 1 if watch is not None else PATIENCE_SECONDS
        uuid = path.rpartition("/")[2]
        while True:
            answer = self.send("GET", path, headers={"prefer": f"wait={patience}"})
            if watch is not None:
                watch(uuid)
            if answer.status != 202:
                return answer

    def _unreachable(self, error: Exception) -> str:
        where = self.place.socket or self.place.url
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return f"no appliance answers at {where}: {reason}; start it with 'up', or name another with --url"


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket in place of an address."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _connection(place: Place, seconds: float) -> http.client.HTTPConnection:
    if place.socket is not None:
        return _UnixConnection(str(place.socket), seconds)
    parts = urlsplit(place.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=seconds)


def request_of(route: CallRoute, params: Mapping[str, Any]) -> tuple[str, str, dict[str, Any] | None]:
    """Method, path with its query string, and body of a call."""
    rest = dict(params)
    path = "/".join(
        quote(str(rest.pop(name)), safe="") if segment.startswith("{") else segment
        for segment, name in _with_fields(route)
    )
    if route.method in ("GET", "DELETE"):
        pairs = [pair for key, value in rest.items() for pair in _pairs(key, value)]
        return route.method, f"{path}?{urlencode(pairs)}" if pairs else path, None
    tags: dict[str, Any] = {key: rest.pop(key) for key in ("systemTags", "userTags") if key in rest}
    return route.method, path, {route.key: rest, **tags}


def _with_fields(route: CallRoute) -> list[tuple[str, str]]:
    """Each segment of a path, and for a variable the field that it takes."""
    fields = iter(route.fields)
    return [(segment, next(fields) if segment.startswith("{") else "") for segment in route.path.split("/")]


def _pairs(key: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for name, part in value.items() for pair in _pairs(f"{key}.{name}", part)]
    if isinstance(value, list | tuple):
        return [(key, _text(part)) for part in value]
    return [(key, _text(value))]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def checked(answer: Answer) -> Any:
    """The body of a good answer.

    Raises:
        ApiError: the answer is an error.
        CliError: the answer is a refusal in plain text.
    """
    if answer.status == 200:
        return answer.body
    if isinstance(answer.body, dict) and isinstance(answer.body.get("error"), dict):
        raise ApiError(answer.body["error"])
    text = answer.body.strip() if isinstance(answer.body, str) else f"the appliance answered {answer.status}"
    if "'Authorization'" in text:
        raise CliError("not logged in; log in with 'zstack-appliance login'", Exit.FORBIDDEN)
    raise CliError(text, Exit.NOT_FOUND if answer.status == 404 else Exit.FAILED)


def _decoded(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except msgspec.MsgspecError:
        return data.decode(errors="replace")
