"""``simulate`` whose hosts fail half of what they are asked comes up all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.simulated import Connection, simulated


@pytest.mark.slow
def test_bad_hosts_do_not_keep_the_first_cloud_from_being_made(tmp_path: Path) -> None:
    with simulated(tmp_path / "data", "--hosts", "5", "--fault-rate", "0.5", "--no-ui") as appliance:
        with Connection(appliance.host, appliance.port, appliance.session) as connection:
            images = json.loads(connection.get("/images"))["inventories"]
        assert [image["name"] for image in images] == ["tiny"]
