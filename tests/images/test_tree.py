"""Trees: merged /usr, links, parents, modes, and folders read from disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from images.tree import Entry, File, Folder, Link, merged, read_folder, resolve, with_modes, with_parents


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("./lib/x.so", "usr/lib/x.so"),
        ("/lib64/ld.so", "usr/lib64/ld.so"),
        ("./usr/bin/../sbin/a", "usr/sbin/a"),
        ("./etc/passwd", "etc/passwd"),
        ("library/x", "library/x"),
        ("bin", "usr/bin"),
    ],
)
def test_paths_are_below_usr_where_debian_has_them(written: str, path: str) -> None:
    assert merged(written) == path


def test_links_are_followed() -> None:
    tree: dict[str, Entry] = {
        "usr/lib/a.so": Link("b/a.so.1"),
        "usr/lib/b/a.so.1": Link("/lib/c.so"),
        "usr/lib/c.so": File(b"c"),
        "loop": Link("loop"),
        "folder": Folder(),
        "nowhere": Link("gone"),
    }
    assert resolve(tree, "usr/lib/a.so") == File(b"c")
    for bad in ("loop", "folder", "nowhere", "absent"):
        with pytest.raises(LookupError, match=bad):
            resolve(tree, bad)


def test_parents_come_first_and_keep_their_modes() -> None:
    tree = with_parents({"a/b/c": File(b""), "a": Folder(0o700)})
    assert list(tree) == ["a", "a/b", "a/b/c"]
    assert tree["a"] == Folder(0o700)


def test_modes_change_files_and_folders_and_nothing_else() -> None:
    tree: dict[str, Entry] = {"etc": Folder(), "etc/shadow": File(b"x"), "l": Link("etc")}
    changed = with_modes(tree, {"etc/shadow": 0o600, "etc": 0o700})
    assert changed == {"etc": Folder(0o700), "etc/shadow": File(b"x", 0o600), "l": Link("etc")}
    for bad in ("l", "absent"):
        with pytest.raises(LookupError, match=bad):
            with_modes(tree, {bad: 0o600})


def test_of_a_folder_s_modes_only_executable_counts(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir(mode=0o700)
    (tmp_path / "sub" / "run").write_bytes(b"#!/bin/sh\n")
    (tmp_path / "sub" / "run").chmod(0o711)
    (tmp_path / "plain").write_bytes(b"x")
    (tmp_path / "plain").chmod(0o600)
    (tmp_path / "link").symlink_to("plain")
    assert read_folder(tmp_path) == {
        "link": Link("plain"),
        "plain": File(b"x", 0o644),
        "sub": Folder(),
        "sub/run": File(b"#!/bin/sh\n", 0o755),
    }
