"""What an image's URL may look like."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from zstack_appliance.cloud.backup_storage.local.source import FileSource, WebSource, parse
from zstack_appliance.kernel.remote import HostCommandFailed

ALLOWED = ("/srv/images", "/opt/a/b")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://example.org/x.qcow2", "http://example.org"),
        ("HTTPS://user:secret@Example.org:8443/x?token=secret", "https://example.org:8443"),
        ("http://[2001:db8::1]:80/x", "http://[2001:db8::1]:80"),
    ],
)
def test_web_urls_are_shown_without_what_may_be_secret(url: str, shown: str) -> None:
    assert parse(url, ()) == WebSource(url, shown)


@pytest.mark.parametrize(
    ("url", "directory", "names"),
    [
        ("file:///srv/images/x.qcow2", "/srv/images", ("x.qcow2",)),
        ("file:/srv/images/x", "/srv/images", ("x",)),
        ("file://localhost/opt/a/b/c/d%20e", "/opt/a/b", ("c", "d e")),
        ("file:///srv/images/a%3Fb%23c", "/srv/images", ("a?b#c",)),
    ],
)
def test_files_below_an_allowed_directory(url: str, directory: str, names: tuple[str, ...]) -> None:
    assert parse(url, ALLOWED) == FileSource(PurePosixPath(directory), names)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/shadow",
        "file:///srv/images",
        "file:///srv/images/",
        "file:///srv/images-private/x",
        "file:///srv/images/../../etc/shadow",
        "file:///srv/images/%2e%2e/%2e%2e/etc/shadow",
        "file:///srv/images/..%2f..%2fetc/shadow",
        "file:////srv/images/x",
        "file:///srv/images/x%00.qcow2",
        "file:srv/images/x",
        "file://evil/srv/images/x",
        "file:///srv/images/x?y",
        "file:///srv/images/x#y",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(HostCommandFailed):
        parse(url, ALLOWED)


def test_without_allowed_directories_no_file_is_read() -> None:
    with pytest.raises(HostCommandFailed, match="none so far"):
        parse("file:///srv/images/x", ())


def test_a_relative_directory_allows_nothing() -> None:
    with pytest.raises(HostCommandFailed, match="not below"):
        parse("file:///srv/images/x", ("srv/images", ""))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.org/x", "use http://, https:// or file:///"),
        ("data:text/plain,x", "not fetched by data"),
        ("/srv/images/x", "without a scheme"),
        ("", "without a scheme"),
        ("http://", "names no host"),
        ("https:///x", "names no host"),
        ("http://h:99999/", "malformed"),
        ("http://h/\x00", "control character"),
        ("http://h/a\r\nHost: b", "control character"),
    ],
)
def test_what_is_not_fetched_says_why(url: str, why: str) -> None:
    with pytest.raises(HostCommandFailed, match=why):
        parse(url, ALLOWED)
