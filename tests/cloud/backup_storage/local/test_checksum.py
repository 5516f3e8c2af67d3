"""Expected checksums."""

from __future__ import annotations

import pytest

from zstack_appliance.cloud.backup_storage.local.checksum import Expected
from zstack_appliance.kernel.remote import HostCommandFailed

MD5 = "d41d8cd98f00b204e9800998ecf8427e"
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    ("text", "algorithm", "digest"),
    [
        (MD5, "md5", MD5),
        (f"md5:{MD5}", "md5", MD5),
        (f" SHA256:{SHA256.upper()}\n", "sha256", SHA256),
        (SHA256, "sha256", SHA256),
    ],
)
def test_it_is_read_with_or_without_its_algorithm(text: str, algorithm: str, digest: str) -> None:
    assert Expected.of(text) == Expected(algorithm, digest)


@pytest.mark.parametrize("text", ["", "md5:", f"sha256:{MD5}", f"sha1:{MD5}", SHA256[:-1], "g" * 32])
def test_what_cannot_be_checked_is_refused(text: str) -> None:
    with pytest.raises(HostCommandFailed, match="not understood"):
        Expected.of(text)


def test_only_the_named_digest_is_compared() -> None:
    digests = {"md5": MD5, "sha256": "0" * 64}
    assert Expected("md5", MD5).fault(digests) is None
    assert f"is {'0' * 64}, not {SHA256}" in (Expected("sha256", SHA256).fault(digests) or "")
