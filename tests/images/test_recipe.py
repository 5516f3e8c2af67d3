"""Recipes are values read from files; bad ones say what is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from images.build import HERE
from images.recipe import Recipe, RecipeError, load
from images.tree import File, Tree

TINY = """
name = "tiny"
size_mib = 128
boot_mib = 20
kernel = "linux-image-cloud-amd64"
packages = ["busybox-static"]
modes = {"etc/shadow" = 0o600}
"""


def write(folder: Path, text: str, **root: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text(text, "utf-8")
    for name, content in root.items():
        (folder / "root").mkdir(exist_ok=True)
        (folder / "root" / name).write_text(content, "utf-8")
    return folder


def test_a_recipe_extends_another(tmp_path: Path) -> None:
    write(tmp_path / "tiny", TINY, hostname="tiny", issue="hello")
    extended = 'name = "router"\nextends = "tiny"\nsize_mib = 160\npackages = ["nftables", "busybox-static"]\n'
    router = load(write(tmp_path / "router", extended, hostname="router"))
    assert (router.name, router.size_mib, router.boot_mib) == ("router", 160, 20)
    assert router.packages == ("busybox-static", "nftables")
    assert router.modes == {"etc/shadow": 0o600}
    assert router.overlay == {"hostname": File(b"router"), "issue": File(b"hello")}
    assert router.signature != load(tmp_path / "tiny").signature


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("colour = 1", "unknown key colour; known are boot_mib"),
        ('size_mib = "big"', "size_mib is missing or not a positive whole number"),
        ("size_mib = 0", "size_mib is missing or not a positive whole number"),
        ("kernel = 7", 'kernel = "…" is missing or not a string'),
        ("packages = [1]", "packages is a list of strings"),
        ("modes = 3", "modes is a table"),
        ("= 3", "recipe.toml: Invalid"),
    ],
)
def test_a_bad_recipe_says_what_is_wrong(tmp_path: Path, change: str, said: str) -> None:
    key = change.split(" ", maxsplit=1)[0]
    kept = [line for line in TINY.splitlines() if not line.startswith(f"{key} ") or key == "="]
    with pytest.raises(RecipeError, match=said):
        load(write(tmp_path / "tiny", "\n".join([*kept, change])))


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match='name = "…" is missing'):
        load(write(tmp_path / "tiny", "size_mib = 1"))


def test_the_fingerprint_changes_with_everything_that_counts() -> None:
    overlay: Tree = {"a": File(b"1")}
    base = Recipe(name="x", size_mib=64, boot_mib=20, kernel="k", overlay=overlay, initrd=overlay)
    others = [
        replace(base, size_mib=65),
        replace(base, packages=("p",)),
        replace(base, modes={"a": 0o600}),
        replace(base, overlay={"a": File(b"2")}),
        replace(base, overlay={"a": File(b"1", 0o755)}),
        replace(base, overlay={"b": File(b"1")}),
        replace(base, initrd={}),
    ]
    prints = {one.fingerprint() for one in (base, *others)}
    assert len(prints) == 1 + len(others)
    assert replace(base).fingerprint() == base.fingerprint()


def test_identifiers_are_stable_and_differ_by_purpose() -> None:
    recipe = Recipe(name="x", size_mib=64, boot_mib=20, kernel="k")
    assert recipe.uuid("root") == replace(recipe, size_mib=99).uuid("root")
    assert recipe.uuid("root") != recipe.uuid("disk")
    assert int(recipe.signature, 16) >= 0
    assert len(recipe.signature) == 8


def test_the_recipes_of_this_project_can_be_read() -> None:
    recipes = [load(path.parent) for path in sorted(HERE.glob("*/recipe.toml"))]
    assert "tiny" in {recipe.name for recipe in recipes}
    assert all(path.startswith("usr/") for recipe in recipes for path in recipe.files)
