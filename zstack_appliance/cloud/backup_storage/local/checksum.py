"""The checksum that an image is expected to have: `Expected`, read from text, compared with what came."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass

from zstack_appliance.kernel.remote import HostCommandFailed

_LENGTHS = {"md5": 32, "sha256": 64}


@dataclass(frozen=True, slots=True)
class Expected:
    """One digest.

    Args:
        algorithm: ``md5`` or ``sha256``.
        digest: lower-case hexadecimal.
    """

    algorithm: str
    digest: str

    @classmethod
    def of(cls, text: str) -> Expected:
        """Read ``sha256:…``, ``md5:…`` or the digest alone, whose length then names the algorithm.

        Raises:
            HostCommandFailed: it is none of these.
        """
        prefix, _, digest = text.strip().lower().rpartition(":")
        for algorithm, length in _LENGTHS.items():
            if prefix in ("", algorithm) and re.fullmatch(f"[0-9a-f]{{{length}}}", digest):
                return cls(algorithm, digest)
        raise HostCommandFailed(
            f"the checksum {text!r} is not understood: write sha256: or md5: and the digest in hexadecimal"
        )

    def fault(self, digests: dict[str, str]) -> str | None:
        """Why these digests are not the expected ones, in words; None when they are."""
        found = digests[self.algorithm]
        if hmac.compare_digest(found, self.digest):
            return None
        return f"the image's {self.algorithm} is {found}, not {self.digest}: it is another file, or damaged"
