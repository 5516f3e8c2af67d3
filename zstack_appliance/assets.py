"""What is carried beside the code: `tiny_image` says where the first image is, `web_folder` where pages are.

In the tree it lies where ``make setup`` built it; an installed program has it in a folder beside itself; the
one-file program carries it behind its own code, from where it is copied at the first start.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from installer.archive import NotOurProgram, carried
from zstack_appliance.kernel.errors import NotFound

TINY = "tiny.qcow2"


def tiny_image(images: Path) -> Path:
    """The guest image of the first cloud. Blocks while it is copied, if it has to be.

    Args:
        images: a folder to put it into where there is no file of it yet.

    Raises:
        NotFound: it has not been built, or the program was cut short.
    """
    # A link in the path would be refused where the image is fetched from.
    if not getattr(sys, "frozen", False):
        path = (Path(__file__).parent.parent / ".cache" / "images" / TINY).resolve()
        if not path.is_file():
            raise NotFound(f"the image {path} has not been built; run `make setup`")
        return path
    program = Path(sys.executable).resolve()
    beside = program.parent / "images" / TINY
    return beside if beside.is_file() else _copied(program, images / TINY)


def web_folder() -> Path:
    """Templates, styles and scripts of the web interface, with what npm brings for it.

    Raises:
        NotFound: npm has not brought that yet.
    """
    # A program made of one file unpacks its modules and this folder side by side.
    path = Path(__file__).parent.parent / "webui"
    if not (path / "vendor" / "htmx").is_dir():
        raise NotFound(f"what npm brings is missing below {path}; run `make setup`")
    return path


def _copied(program: Path, to: Path) -> Path:
    """Take the image out of the one-file program."""
    part = to.with_name(f".{to.name}.part")
    try:
        with carried(program) as files, files.open(f"images/{TINY}") as source, part.open("wb") as target:
            shutil.copyfileobj(source, target, 2**20)
            target.flush()
            os.fsync(target.fileno())
    except (NotOurProgram, KeyError) as error:
        raise NotFound(f"the program {program} carries no image {TINY}: {error}; get the program again") from error
    part.replace(to)
    return to.resolve()
