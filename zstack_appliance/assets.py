"""What is carried beside the code: images. `tiny_image` says where the first one is."""

from __future__ import annotations

from pathlib import Path

from zstack_appliance.kernel.errors import NotFound


def tiny_image() -> Path:
    """The guest image of the first cloud, as ``make setup`` builds it.

    Raises:
        NotFound: it has not been built.
    """
    # A link in the path would be refused where the image is fetched from.
    path = (Path(__file__).parent.parent / ".cache" / "images" / "tiny.qcow2").resolve()
    if not path.is_file():
        raise NotFound(f"the image {path} has not been built; run `make setup`")
    return path
