"""Where clients reach this appliance, for replies that have to say it: `Doorplate`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Doorplate:
    """Where others reach the doors, or this machine alone if others cannot. Whoever opens them hangs it up."""

    scheme: str = "http"
    host: str = "127.0.0.1"
    port: int = 8080
