"""Where clients reach this appliance, for replies that have to say it: `Doorplate`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Doorplate:
    """The address of the doors. Whoever opens them writes it here; until then it says the default."""

    scheme: str = "http"
    host: str = "127.0.0.1"
    port: int = 8080
