"""A build is a function of its inputs: it is skipped when they are unchanged, and repeats bit for bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from images.apt import Package
from images.build import DEFAULT_CACHE, HERE, build, cache_key, main, up_to_date
from images.recipe import Recipe, load
from tests.images.guest import tiny_image

RECIPE = Recipe(name="x", size_mib=64, boot_mib=20, kernel="k")
PACKAGES = [Package("a", "a_1_amd64.deb", "00"), Package("b", "b_1_amd64.deb", "11")]


def test_the_key_changes_with_the_recipe_and_with_every_package() -> None:
    key = cache_key(RECIPE, PACKAGES)
    assert key == cache_key(replace(RECIPE), list(PACKAGES))
    assert key != cache_key(replace(RECIPE, size_mib=65), PACKAGES)
    assert key != cache_key(RECIPE, PACKAGES[:1])
    assert key != cache_key(RECIPE, [PACKAGES[0], replace(PACKAGES[1], file="b_2_amd64.deb")])
    assert key != cache_key(RECIPE, [PACKAGES[0], replace(PACKAGES[1], sha256="22")])


def test_a_file_is_up_to_date_only_with_its_key_and_untouched(tmp_path: Path) -> None:
    image = tmp_path / "x.qcow2"
    assert not up_to_date(image, "k1")
    image.write_bytes(b"image")
    assert not up_to_date(image, "k1")
    key_file = tmp_path / "x.qcow2.key"
    digest = "6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d"
    key_file.write_text(f"k1 {digest}\n")
    assert up_to_date(image, "k1")
    assert not up_to_date(image, "k2")
    image.write_bytes(b"changed")
    assert not up_to_date(image, "k1")
    image.unlink()
    assert not up_to_date(image, "k1")


@pytest.mark.slow
def test_two_builds_give_the_same_bytes_and_the_third_does_nothing(tmp_path: Path) -> None:
    recipe = load(HERE / "tiny")
    reference = tiny_image().read_bytes()
    cache = tmp_path / "cache"
    (cache / "work").mkdir(parents=True)
    (cache / "work" / "boot.bodies").write_text("left by a build that was killed")
    (cache / "packages").symlink_to(DEFAULT_CACHE / "packages")
    out = tmp_path / "deep" / "tiny.qcow2"
    assert build(recipe, out, cache).fresh
    assert out.read_bytes() == reference
    assert not build(recipe, out, cache).fresh
    assert sorted(path.name for path in out.parent.iterdir()) == ["tiny.qcow2", "tiny.qcow2.key"]
    assert sorted(path.name for path in cache.iterdir()) == ["lock", "packages"]


def test_a_failed_build_leaves_nothing_behind(tmp_path: Path) -> None:
    tiny_image()
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "packages").symlink_to(DEFAULT_CACHE / "packages")
    recipe = replace(load(HERE / "tiny"), files=("usr/bin/absent",))
    with pytest.raises(LookupError, match="usr/bin/absent"):
        build(recipe, tmp_path / "x.qcow2", cache)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["cache", "lock", "packages"]


def test_a_mistake_on_the_command_line_is_one_sentence(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["--out", str(tmp_path / "x"), "--recipe", "absent"])
    assert done.exit_code == 1
    assert "absent/recipe.toml" in done.output
    assert "Traceback" not in done.output
