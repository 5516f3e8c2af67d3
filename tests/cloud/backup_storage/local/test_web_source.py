"""Reading from the web, against servers that do not mean well."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest
import trio

from tests.cloud.backup_storage.local.origin import Origin, certificate, origin
from tests.contracts.loopback import silent
from tests.hostkit.test_pinned import Names
from zstack_appliance.cloud.backup_storage.driver import FetchPolicy
from zstack_appliance.cloud.backup_storage.local.source import WebSource, parse
from zstack_appliance.cloud.backup_storage.local.web_source import download
from zstack_appliance.hostkit.copying import Checked, Sink
from zstack_appliance.hostkit.egress import Egress
from zstack_appliance.hostkit.pinned import PinnedBackend, resolve
from zstack_appliance.kernel.host_link import Report
from zstack_appliance.kernel.remote import HostCommandFailed

BODY = bytes(range(256)) * 4096
OPEN = ("127.0.0.1",)


class Client:
    """Downloads into a new file each time.

    Args:
        folder: of the files.
        names: resolves names; the system's resolver when None.
        tls: trusts a test's certificate.
    """

    def __init__(self, folder: Path, *, names: Names | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._folder = folder
        self._names = names
        self._tls = tls or ssl.create_default_context()
        self.target = folder / "none yet"

    async def get(self, url: str, policy: FetchPolicy, *, room: int = 2**40, report: Report = silent) -> Checked:
        source = parse(url, ())
        assert isinstance(source, WebSource)
        self.target = self._folder / f"{len(list(self._folder.iterdir()))}.image"
        sink = Sink(self.target, ("sha256",))
        backend = PinnedBackend(Egress.of(policy, lambda _: False), self._names or resolve)
        try:
            return await download(source, sink, policy=policy, room=room, backend=backend, tls=self._tls, report=report)
        finally:
            sink.close()


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path)


def opened(**changes: float) -> FetchPolicy:
    return FetchPolicy(
        allowed=OPEN,
        max_bytes=int(changes.get("max_bytes", 2**30)),
        max_redirects=int(changes.get("max_redirects", 5)),
        idle_seconds=changes.get("idle_seconds", 10.0),
        total_seconds=changes.get("total_seconds", 20.0),
    )


def at(server: Origin, path: str = "/x", *, host: str = "127.0.0.1", scheme: str = "http") -> str:
    return f"{scheme}://{host}:{server.port}{path}"


async def test_what_is_served_arrives_with_its_checksum(client: Client) -> None:
    async with origin() as server:
        server.serve("/x", BODY)
        came = await client.get(at(server), opened())
        assert came == Checked(len(BODY), {"sha256": hashlib.sha256(BODY).hexdigest()})
        assert client.target.read_bytes() == BODY


async def test_a_body_of_unknown_length_arrives_and_reports_bytes(client: Client) -> None:
    heard: list[tuple[float | None, str]] = []
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    async with origin() as server:
        server.answers["/x"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
        came = await client.get(at(server), opened(), report=lambda *said: heard.append(said))
        assert came.size == len(BODY)
        assert heard == [(None, "1 MiB")]


async def test_loopback_is_refused_unless_it_is_opened(client: Client) -> None:
    async with origin() as server:
        server.serve("/x", BODY)
        with pytest.raises(HostCommandFailed, match=r"127\.0\.0\.1 is refused.*administrator can add"):
            await client.get(at(server), FetchPolicy())
        with pytest.raises(HostCommandFailed, match="is a loopback address"):
            await client.get(at(server, host="2130706433"), FetchPolicy())
        assert server.requests == []


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.2/x",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/x",
        "http://[::ffff:7f00:2]/x",
        "http://0.0.0.0/x",
        "http://10.66.0.1/x",
        "https://100.100.100.200/x",
    ],
)
async def test_a_redirect_meets_the_same_rules(client: Client, target: str) -> None:
    policy = FetchPolicy(allowed=OPEN, own_networks=("10.66.0.0/24",))
    async with origin() as server:
        server.redirect("/x", target)
        with pytest.raises(HostCommandFailed, match="is refused: its address"):
            await client.get(at(server), policy)


async def test_a_name_that_changes_its_address_at_the_redirect_is_refused(tmp_path: Path) -> None:
    names = Names(("127.0.0.9",), ("127.0.0.1",))
    client = Client(tmp_path, names=names)
    async with origin(host="127.0.0.9") as server:
        server.redirect("/x", "/y")
        server.serve("/y", BODY)
        with pytest.raises(HostCommandFailed, match=r"its address 127\.0\.0\.1 is a loopback"):
            await client.get(at(server, host="rebound.example"), FetchPolicy(allowed=("127.0.0.9",)))
        assert len(server.requests) == 1


async def test_a_name_is_resolved_once_for_each_request(tmp_path: Path) -> None:
    names = Names(("127.0.0.9",), ("127.0.0.1",))
    client = Client(tmp_path, names=names)
    async with origin(host="127.0.0.9") as server:
        server.serve("/x", BODY)
        await client.get(at(server, host="rebound.example"), FetchPolicy(allowed=("127.0.0.9",)))
        assert names.asked == [("rebound.example", server.port)]


async def test_redirects_are_followed_up_to_a_number(client: Client) -> None:
    async with origin() as server:
        server.redirect("/0", "/1", status=301)
        server.redirect("/1", at(server, "/2"), status=307)
        server.serve("/2", BODY)
        assert (await client.get(at(server, "/0"), opened(max_redirects=2))).size == len(BODY)
        with pytest.raises(HostCommandFailed, match="redirects more than 1 times"):
            await client.get(at(server, "/0"), opened(max_redirects=1))


async def test_a_redirect_in_a_circle_ends(client: Client) -> None:
    async with origin() as server:
        server.redirect("/x", "/x")
        with pytest.raises(HostCommandFailed, match="redirects more than 5 times"):
            await client.get(at(server), opened())
        assert len(server.requests) == 6


async def test_a_redirects_body_is_not_read(client: Client) -> None:
    async with origin() as server:
        server.answers["/x"] = b"HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 99999999999\r\n\r\n"
        server.serve("/y", BODY)
        assert (await client.get(at(server), opened())).size == len(BODY)


@pytest.mark.parametrize("target", ["file:///etc/shadow", "ftp://127.0.0.1/x", "unix:///run/x"])
async def test_a_redirect_to_another_scheme_is_refused(client: Client, target: str) -> None:
    async with origin() as server:
        server.redirect("/x", target)
        with pytest.raises(HostCommandFailed, match=f"redirects to {target.split(':', maxsplit=1)[0]}:"):
            await client.get(at(server), opened())


async def test_a_redirect_to_nonsense_is_named(client: Client) -> None:
    async with origin() as server:
        server.redirect("/x", "http://h:port/")
        with pytest.raises(HostCommandFailed, match=r"does not speak HTTP.*location"):
            await client.get(at(server), opened())


async def test_a_host_name_that_cannot_be_one_is_named(client: Client) -> None:
    with pytest.raises(HostCommandFailed, match="http://xn-- leads to a malformed URL"):
        await client.get("http://xn--/x", opened())
    async with origin() as server:
        server.redirect("/x", "http://xn--/x")
        with pytest.raises(HostCommandFailed, match=r"malformed|does not speak HTTP"):
            await client.get(at(server), opened())


async def test_https_arrives_and_does_not_lead_back_to_http(tmp_path: Path) -> None:
    theirs, ours = certificate(tmp_path, host="127.0.0.1")
    client = Client(tmp_path, tls=ours)
    async with origin(tls=theirs) as secure, origin() as plain:
        secure.serve("/x", BODY)
        secure.redirect("/y", at(plain))
        plain.serve("/x", BODY)
        plain.redirect("/up", at(secure, scheme="https"))
        assert (await client.get(at(secure, scheme="https"), opened())).size == len(BODY)
        assert (await client.get(at(plain, "/up"), opened())).size == len(BODY)
        with pytest.raises(HostCommandFailed, match="from https to plain http"):
            await client.get(at(secure, "/y", scheme="https"), opened())
        assert len(plain.requests) == 1


async def test_a_certificate_for_another_name_or_of_nobody_is_refused(tmp_path: Path) -> None:
    theirs, ours = certificate(tmp_path, host="other.example")
    async with origin(tls=theirs) as server:
        server.serve("/x", BODY)
        with pytest.raises(HostCommandFailed, match="IP address mismatch"):
            await Client(tmp_path, tls=ours).get(at(server, scheme="https"), opened())
        with pytest.raises(HostCommandFailed, match="self-signed certificate"):
            await Client(tmp_path).get(at(server, scheme="https"), opened())
        assert server.requests == []


@pytest.mark.parametrize("limit", ["policy", "room"])
@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_over_the_limit_is_cut_off(client: Client, *, limit: str, announced: bool) -> None:
    policy = opened(max_bytes=1000 if limit == "policy" else 2**30)
    room = 1000 if limit == "room" else 2**40
    async with origin() as server:
        if announced:
            server.serve("/x", BODY)
        else:
            server.answers["/x"] = b"HTTP/1.1 200 OK\r\n\r\n" + BODY
        with pytest.raises(HostCommandFailed, match=r"1000 are allowed|has room for 1000"):
            await client.get(at(server), policy, room=room)
        assert client.target.stat().st_size == 0


async def test_a_body_that_is_announced_too_large_is_not_waited_for(client: Client) -> None:
    async with origin() as server:
        server.answers["/x"] = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"
        with pytest.raises(HostCommandFailed, match="99999999999 bytes or more; at most"):
            await client.get(at(server), opened())


@pytest.mark.parametrize(
    "length", [b"Content-Length: 2000000", b"Content-Length: 2000000\r\nTransfer-Encoding: chunked"]
)
async def test_less_than_announced_is_refused(client: Client, length: bytes) -> None:
    body = BODY if b"chunked" not in length else b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    async with origin() as server:
        server.answers["/x"] = b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n" + body
        with pytest.raises(HostCommandFailed, match=r"broke off|announced 2000000 bytes and sent 1048576"):
            await client.get(at(server), opened())


async def test_a_body_that_breaks_off_in_a_chunk_is_refused(client: Client) -> None:
    async with origin() as server:
        server.answers["/x"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\nabc"
        with pytest.raises(HostCommandFailed, match="broke off"):
            await client.get(at(server), opened())


@pytest.mark.parametrize("status", [b"204 No Content", b"206 Partial", b"304 Not Modified", b"404 Not Found"])
async def test_only_a_whole_answer_counts(client: Client, status: bytes) -> None:
    async with origin() as server:
        server.answers["/x"] = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"
        with pytest.raises(HostCommandFailed, match=f"127.0.0.1 answered {status[:3].decode()}"):
            await client.get(at(server), opened())


async def test_an_encoded_body_is_refused(client: Client) -> None:
    async with origin() as server:
        server.answers["/x"] = b"HTTP/1.1 200 OK\r\nContent-Encoding: GZIP\r\nContent-Length: 3\r\n\r\nabc"
        with pytest.raises(HostCommandFailed, match="encoded as gzip"):
            await client.get(at(server), opened())
        assert b"accept-encoding: identity" in server.requests[0].lower()


async def test_what_is_not_http_is_refused(client: Client) -> None:
    async with origin() as server:
        server.answers["/x"] = b"SSH-2.0-OpenSSH_9.2\r\n\r\n"
        with pytest.raises(HostCommandFailed, match="does not speak HTTP"):
            await client.get(at(server), opened())


async def test_a_server_that_says_nothing_is_given_up(client: Client) -> None:
    async with origin() as server:
        begun = trio.current_time()
        with pytest.raises(HostCommandFailed, match="did not answer in time"):
            await client.get(at(server), opened(idle_seconds=0.1, total_seconds=100))
        with pytest.raises(HostCommandFailed, match=r"longer than 0\.2 s"):
            await client.get(at(server), opened(idle_seconds=100, total_seconds=0.2))
        assert trio.current_time() - begun < 8


async def test_a_closed_port_is_named(client: Client) -> None:
    async with origin() as server:
        port = server.port
    with pytest.raises(HostCommandFailed, match=f"http://127.0.0.1:{port} failed: .*refused"):
        await client.get(f"http://127.0.0.1:{port}/x", opened())


async def test_no_secret_of_a_url_is_in_an_error(client: Client) -> None:
    async with origin() as server:
        server.redirect("/loop?token=secret", "/loop?token=secret")
        server.answers["/bad?token=secret"] = b"nonsense\r\n\r\n"
        for path in ("/loop?token=secret", "/bad?token=secret"):
            with pytest.raises(HostCommandFailed) as failed:
                await client.get(f"http://user:secret@127.0.0.1:{server.port}{path}", opened())
            assert "secret" not in str(failed.value)


async def test_a_password_goes_to_its_own_server_only(client: Client) -> None:
    async with origin() as first, origin() as second:
        first.redirect("/x", at(second))
        second.serve("/x", BODY)
        await client.get(f"http://user:secret@127.0.0.1:{first.port}/x", opened())
        assert b"authorization: basic" in first.requests[0].lower()
        assert b"authorization" not in second.requests[0].lower()


async def test_proxies_of_the_environment_are_not_used(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async with origin() as server, origin() as proxy:
        monkeypatch.setenv("HTTP_PROXY", at(proxy, ""))
        monkeypatch.setenv("ALL_PROXY", at(proxy, ""))
        server.serve("/x", BODY)
        await client.get(at(server), opened())
        assert proxy.requests == []
