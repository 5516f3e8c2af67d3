"""What ``--listen`` takes, and what is refused without --insecure-http."""

from __future__ import annotations

import pytest

from zstack_appliance.api.listen import CannotListen
from zstack_appliance.doorway import Doorway, parse, plate_of, refuse_open_http
from zstack_appliance.kernel.doorplate import Doorplate


@pytest.mark.parametrize(
    ("text", "door"),
    [
        ("127.0.0.1:8080", Doorway("127.0.0.1", 8080)),
        ("http://localhost:0", Doorway("localhost", 0)),
        ("https://0.0.0.0:8443", Doorway("0.0.0.0", 8443, tls=True)),
        ("https://[::]:8443/", Doorway("::", 8443, tls=True)),
        ("cloud.example:80", Doorway("cloud.example", 80)),
    ],
)
def test_read_and_written_again(text: str, door: Doorway) -> None:
    assert parse(text) == door
    assert parse(str(door)) == door


@pytest.mark.parametrize("text", ["", "8080", ":8080", "a:b", "127.0.0.1:65536", "ftp://a:1", "::1:80", "a:1/path"])
def test_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="give HOST:PORT"):
        parse(text)


def test_plain_http_is_for_loopback() -> None:
    refuse_open_http(parse(text) for text in ("127.0.0.2:1", "[::1]:1", "localhost:1", "https://0.0.0.0:1"))
    for text in ("0.0.0.0:1", "[::]:1", "cloud.example:1"):
        with pytest.raises(CannotListen, match="--insecure-http"):
            refuse_open_http([Doorway(), parse(text)])


@pytest.mark.parametrize(
    ("doors", "told"),
    [
        (["127.0.0.1:0"], Doorplate("http", "127.0.0.1", 1000)),
        (["127.0.0.1:8080", "https://0.0.0.0:0"], Doorplate("https", "192.0.2.7", 1001)),
        (["localhost:0", "[::]:0", "https://cloud.example:0"], Doorplate("http", "192.0.2.7", 1001)),
        (["https://cloud.example:0", "0.0.0.0:0"], Doorplate("https", "cloud.example", 1000)),
    ],
)
def test_replies_name_the_door_that_others_reach(doors: list[str], told: Doorplate) -> None:
    ports = [1000 + place for place in range(len(doors))]
    assert plate_of([parse(text) for text in doors], ports, "192.0.2.7") == told


def test_without_a_network_a_door_is_at_loopback() -> None:
    assert plate_of([Doorway("0.0.0.0", 80)], [80], None) == Doorplate("http", "127.0.0.1", 80)
