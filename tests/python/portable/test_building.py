"""scripts/build-native.mjs: local builds of a clone, with any compiler or none, and the prebuilt libraries."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from bh_bridge.portable.choice import FOLDER, SOURCES, TABLE, hash_of_sources
from bh_bridge.portable.machine import machine

SCRIPT = SOURCES.parent / "scripts" / "build-native.mjs"
TABLES = json.loads((FOLDER / TABLE).read_text())
HAS_COMPILER = any(map(shutil.which, ("cc", "gcc", "clang")))
NODE = shutil.which("node") or "node"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the script and one small source."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "native").mkdir()
    shutil.copy(SCRIPT, tmp_path / "scripts")
    (tmp_path / "native" / "one.c").write_text('#include "one.h"\nint one(void) { return ONE; }\n')
    (tmp_path / "native" / "one.h").write_text("#define ONE 1\n")
    (tmp_path / "native" / "README.md").write_text("No source.\n")
    return tmp_path


def build(clone: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    script = str(clone / "scripts" / SCRIPT.name)
    variables = {**os.environ, "CC": "", "ZIG": "", **environment}
    return subprocess.run([NODE, script, *options], capture_output=True, text=True, env=variables, timeout=120)


def builds_of(clone: Path) -> Path:
    return clone / "python" / "bh_bridge" / "portable" / "builds"


@pytest.mark.skipif(not HAS_COMPILER, reason="no C compiler")
def test_a_clone_compiles_once_and_again_after_a_change(clone: Path) -> None:
    builds = builds_of(clone)
    first = build(clone)
    assert (first.returncode, first.stdout) == (0, "")
    assert first.stderr.startswith("Compiling engine portable: native")
    table = json.loads((builds / "local.json").read_text())
    assert table["sources"] == hash_of_sources(clone / "native")
    names = ["native-v4-bf16", "native-v4", "native-v3", "native-v2"] if machine().endswith("x64") else ["native"]
    assert [line["name"] for line in table["builds"]] == names
    assert sorted(path.name for path in builds.iterdir()) == sorted(["local.json", *(f"{name}.so" for name in names)])
    assert build(clone).stderr == ""
    for change in (
        lambda: (clone / "native" / "one.h").write_text("#define ONE 2\n"),
        lambda: (builds / f"{names[0]}.so").write_bytes(b"damaged"),
    ):
        change()
        assert build(clone).stderr.startswith("Compiling")
        assert build(clone).stderr == ""


def test_without_a_compiler_nothing_is_built(clone: Path) -> None:
    (clone / "bin").mkdir()
    done = build(clone, PATH=str(clone / "bin"))
    assert done.returncode == 1
    assert done.stderr == "build-native: no C compiler (cc, gcc, clang): engine portable runs as WebAssembly\n"
    assert not builds_of(clone).exists()


@pytest.mark.skipif(not HAS_COMPILER, reason="no C compiler")
def test_a_compiler_that_fails_leaves_no_build(clone: Path) -> None:
    (clone / "native" / "one.c").write_text("no C\n")
    done = build(clone)
    assert done.returncode == 0
    assert "failed for engine portable: one.c:1:" in done.stderr
    assert json.loads((builds_of(clone) / "local.json").read_text())["builds"] == []
    assert [path.name for path in builds_of(clone).iterdir()] == ["local.json"]


def test_a_package_without_zig_has_webassembly_alone(clone: Path) -> None:
    builds_of(clone).mkdir(parents=True)
    shutil.copy(FOLDER / TABLE, builds_of(clone))
    (clone / "bin").mkdir()
    packed = build(clone, "--package", PATH=str(clone / "bin"))
    assert (packed.returncode, packed.stderr[:8]) == (0, "No zig: ")
    published = build(clone, "--package", "--required", PATH=str(clone / "bin"))
    assert published.returncode == 1
    assert "python3 -m pip install ziglang" in published.stderr


ARM64 = "aarch64-linux-gnu-gcc"
CHECK = """
#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **words) {
  void *library = dlopen(words[1], RTLD_NOW);
  if (library) printf("%016lx", ((unsigned long (*)(void))dlsym(library, "bh_self_check"))());
  return !library;
}
"""


def is_built(name: str) -> bool:
    """Whether a prebuilt library is here, and not one of other sources."""
    line = next(each for each in TABLES["builds"] if each["name"] == name)
    path = FOLDER / line["file"]
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == line["sha256"]


@pytest.mark.skipif(not is_built("linux-arm64"), reason="the prebuilt libraries are not built here")
@pytest.mark.skipif(not all(map(shutil.which, (ARM64, "qemu-aarch64"))), reason=f"{ARM64} or qemu-aarch64 is missing")
def test_the_prebuilt_library_for_arm64_passes_its_self_check(tmp_path: Path) -> None:
    (tmp_path / "check.c").write_text(CHECK)
    subprocess.run([ARM64, str(tmp_path / "check.c"), "-o", str(tmp_path / "check"), "-ldl"], check=True)
    emulated = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", str(tmp_path / "check"), str(FOLDER / "linux-arm64.so")]
    assert subprocess.run(emulated, check=True, capture_output=True, text=True).stdout == TABLES["self_check"]
