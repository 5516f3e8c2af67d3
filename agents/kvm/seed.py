"""The NoCloud seed: a small CD image from which a guest learns its name, its keys and what to do first."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

from zstack_appliance.cloud.host.driver import SeedSpec

VOLUME_LABEL = "cidata"
"""By this label cloud-init finds the seed."""

NO_USER_DATA = ""


def seed_files(seed: SeedSpec, instance_id: str) -> dict[str, str]:
    """The files of a seed by name.

    Args:
        seed: what the guest learns.
        instance_id: a guest takes a seed whose id it has not seen before; the VM's UUID.
    """
    lines = [f"{key}: {_scalar(value)}" for key, value in sorted(seed.meta_data.items())]
    lines += [f"instance-id: {_scalar(instance_id)}", f"local-hostname: {_scalar(seed.hostname)}"]
    if seed.ssh_keys:
        lines += ["public-keys:", *(f"  - {_scalar(key)}" for key in seed.ssh_keys)]
    return {"meta-data": "\n".join(lines) + "\n", "user-data": seed.user_data or NO_USER_DATA}


def write_seed(path: Path, seed: SeedSpec, instance_id: str) -> None:
    """Write a seed so that it appears whole under its name, in place of an older one. Blocks.

    It is not made durable: it is written anew at each start of its guest.
    """
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_bytes(iso_image(seed_files(seed, instance_id)))
    unfinished.replace(path)


def iso_image(files: dict[str, str]) -> bytes:
    """An ISO 9660 image with these files in its root, named exactly so by Rock Ridge and Joliet both."""
    # Loading pycdlib takes longer than writing a seed with it, and most commands need none.
    import pycdlib

    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=VOLUME_LABEL)
    for name, text in files.items():
        content = text.encode()
        iso_name = name.upper().replace("-", "_")
        iso.add_fp(BytesIO(content), len(content), f"/{iso_name}.;1", rr_name=name, joliet_path=f"/{name}")
    image = BytesIO()
    iso.write_fp(image)
    iso.close()
    return image.getvalue()


def _scalar(text: str) -> str:
    """A double-quoted YAML scalar: JSON's strings are a part of them."""
    return json.dumps(text, ensure_ascii=False)
