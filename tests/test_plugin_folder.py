"""Which folders may be imported from, and why not the others."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.plugin_folder import candidates, fault, import_from, make_importable

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="files of other users can be made by root alone")

NOBODY = 65534


@pytest.fixture
def rack(tmp_path: Path) -> Path:
    """A sound plugin in its folder."""
    folder = tmp_path / "plugins" / "rack"
    (folder / "deep").mkdir(parents=True)
    for name in ("__init__.py", "plugin.py", "deep/more.py"):
        (folder / name).write_text("VALUE = 1\n")
    return folder


def test_a_sound_one(rack: Path) -> None:
    (rack / "again.py").symlink_to(rack / "plugin.py")
    assert fault(rack) is None
    assert candidates(rack.parent) == (rack,)


def test_what_is_left_alone(rack: Path) -> None:
    for name in ("shelf.off", "__pycache__", ".git"):
        (rack.parent / name).mkdir()
    (rack.parent / "README").write_text("mine")
    assert candidates(rack.parent) == (rack,)
    assert candidates(rack / "nothing") == ()
    with pytest.raises(Conflict, match="cannot be read: Not a directory"):
        candidates(rack / "plugin.py")


SPOILS: dict[str, tuple[Callable[[Path], object], str]] = {
    "group may write to the folder": (lambda rack: rack.chmod(0o775), "others may write to {rack}; chmod go-w {rack}"),
    "everybody may write to the folder above": (lambda rack: rack.parent.chmod(0o777), "chmod go-w {rack.parent}"),
    "everybody may write to a file": (
        lambda rack: (rack / "deep" / "more.py").chmod(0o666),
        "chmod go-w {rack}/deep/more.py",
    ),
    "another's file": (
        lambda rack: os.chown(rack / "deep" / "more.py", NOBODY, 0),
        "{rack}/deep/more.py belongs to the user 65534, who could change what runs here; chown root",
    ),
    "another's folder above": (lambda rack: os.chown(rack.parent.parent, NOBODY, 0), "{rack.parent.parent} belongs"),
    "a link out": (lambda rack: (rack / "out.py").symlink_to("/etc/hostname"), "{rack}/out.py is a link out"),
    "a folder linked out": (lambda rack: (rack / "out").symlink_to("/etc"), "{rack}/out is a link out"),
    "a pipe": (lambda rack: os.mkfifo(rack / "pipe"), "{rack}/pipe is neither a file nor a folder"),
    "no plugin.py": (lambda rack: (rack / "plugin.py").unlink(), "it has no plugin.py"),
    "no package": (lambda rack: (rack / "__init__.py").unlink(), "it has no __init__.py"),
}


@pytest.mark.parametrize(("spoil", "text"), SPOILS.values(), ids=SPOILS.keys())
def test_what_is_refused(spoil: Callable[[Path], object], text: str, rack: Path) -> None:
    spoil(rack)
    said = fault(rack)
    assert said is not None
    assert text.format(rack=rack) in said


def test_names_links_and_bare_files(rack: Path) -> None:
    renamed = rack.rename(rack.with_name("Rack-1"))
    link = rack.with_name("link")
    link.symlink_to(renamed)
    bare = rack.with_name("bare.py")
    bare.write_text("")
    assert candidates(rack.parent) == (renamed, bare, link)
    assert "use small letters" in str(fault(renamed))
    assert "it is a link" in str(fault(link))
    assert f"put the file into {rack.with_name('bare')} as plugin.py" in str(fault(bare))


def test_a_fresh_import_sees_the_files_as_they_are(rack: Path) -> None:
    make_importable(rack.parent, fresh=True)
    assert import_from(rack, "plugin").VALUE == 1
    (rack / "plugin.py").write_text("VALUE = 'another'\n")
    make_importable(rack.parent, fresh=False)
    assert import_from(rack, "plugin").VALUE == 1
    make_importable(rack.parent, fresh=True)
    assert import_from(rack, "plugin").VALUE == "another"
