"""Which build of engine `portable` is used, and how one that is damaged, wrong or missing is refused."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from bh_bridge.errors import ConfigInvalid
from bh_bridge.portable import choice, machine
from bh_bridge.portable.choice import FOLDER, SOURCES, TABLE, VARIABLE, Candidate, Unusable, candidates, load

TABLES = json.loads((FOLDER / TABLE).read_text())
V2 = "fpu sse sse2 cx16 lahf_lm popcnt ssse3 sse4_1 sse4_2"
V3 = f"{V2} abm avx avx2 bmi1 bmi2 f16c fma movbe xsave"
V4 = f"{V3} avx512f avx512bw avx512cd avx512dq avx512vl"


@pytest.fixture(autouse=True)
def _no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the builds, to damage."""
    return Path(shutil.copytree(FOLDER, tmp_path / "builds"))


def refusal(build: str, folder: Path) -> str:
    with pytest.raises(Unusable) as caught:
        load(next(each for each in candidates(folder) if each.name == build), folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("flags", "levels"),
    [
        ("fpu sse sse2", ()),
        (V2, ("v2",)),
        (V3, ("v2", "v3")),
        (V4, ("v2", "v3", "v4")),
        (V4.replace(" fma", ""), ("v2",)),  # a virtual machine that hides instructions
        (V4.replace(" avx512vl", ""), ("v2", "v3")),  # Knights Landing
    ],
)
def test_a_processor_has_the_levels_up_to_the_first_whose_flags_it_lacks(flags: str, levels: tuple[str, ...]) -> None:
    assert machine.levels_of(frozenset(flags.split())) == levels


@pytest.mark.parametrize(("vendor", "first"), [("Intel", "own4"), ("AMD", "own4-bf16")])
def test_avx512_bf16_comes_first_where_it_is_faster(
    vendor: str, first: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = ("v3", "v4", "v4-bf16")
    lines = [
        {"name": f"own{level[1:]}", "file": level, "sha256": "", "platform": "x", "level": level} for level in levels
    ]
    for level in levels:
        (tmp_path / level).touch()
    (tmp_path / TABLE).write_text(json.dumps({"builds": lines}))
    monkeypatch.setattr(choice, "machine", lambda: "x")
    monkeypatch.setattr(machine.processor, "vendor", lambda: vendor)
    names = [each.name for each in candidates(tmp_path)]
    assert (names[0], names[-1]) == (first, "own3")


def test_the_best_level_comes_first_and_webassembly_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def line(name: str, platform: str, level: str | None = None) -> dict[str, Any]:
        (tmp_path / name).touch()
        return {"name": name, "file": name, "sha256": "", "platform": platform, "level": level}

    prebuilt = [line("wasm", "wasm"), line("x2", "linux-x64", "v2"), line("x3", "linux-x64", "v3")]
    prebuilt += [line("arm", "linux-arm64"), line("mac", "macos-x64", "v3")]
    (tmp_path / TABLE).write_text(json.dumps({"builds": [*prebuilt, line("gone", "linux-x64", "v4")]}))
    (tmp_path / "gone").unlink()
    own = [line("own2", "linux-x64", "v2"), line("own4", "linux-x64", "v4")]
    (tmp_path / "local.json").write_text(json.dumps({"sources": "", "builds": own}))
    names: dict[str, list[str]] = {}
    for here in ("linux-x64", "linux-arm64", "macos-x64", "macos-arm64"):
        monkeypatch.setattr(choice, "machine", lambda here=here: here)
        names[here] = [each.name for each in candidates(tmp_path)]
    assert names == {
        "linux-x64": ["own4", "x3", "own2", "x2", "wasm"],
        "linux-arm64": ["arm", "wasm"],
        "macos-x64": ["mac", "wasm"],
        "macos-arm64": ["wasm"],
    }


def test_the_first_usable_build_is_used_unless_the_variable_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    usable = [each for each in choice.builds() if each.usable]
    assert choice.library().name == usable[0].name
    assert choice.library() is choice.library()
    monkeypatch.setenv(VARIABLE, usable[-1].name)
    assert (choice.library().name, choice.library().sha256) == (usable[-1].name, usable[-1].sha256)


def test_a_variable_that_names_no_build_is_refused_with_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "native-v9")
    known = ", ".join(each.name for each in candidates())
    with pytest.raises(ConfigInvalid) as caught:
        choice.library()
    assert str(caught.value) == (
        f'{VARIABLE}: "native-v9" is not a build for {machine.machine()}. Use {known}, or unset it'
    )


def test_a_damaged_file_is_not_loaded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    best, *others = [each for each in choice.builds(folder) if each.usable]
    if not others:
        pytest.skip("WebAssembly is the only build here")
    path = folder / next(each.file for each in candidates(folder) if each.name == best.name)
    damaged = path.read_bytes()[:-4096]  # loading it would end this process
    path.unlink()  # a new file: this process has loaded the old one
    path.write_bytes(damaged)
    assert (
        refusal(best.name, folder) == f"{path} is damaged or of another version: its SHA-256 is not that of its table"
    )
    assert best.name not in [each.name for each in choice.builds(folder) if each.usable]
    assert choice._choose(folder, None).name == others[0].name
    with pytest.raises(ConfigInvalid, match=rf"^{VARIABLE}: no usable build \({best.name}: .*is damaged"):
        choice._choose(folder, best.name)


def test_a_build_that_computes_other_bits_is_refused(folder: Path) -> None:
    names = [each.name for each in choice.builds(folder) if each.usable]
    for wrong in ({"self_check": "0123456789abcdef"}, {"recipe": TABLES["recipe"] + 1}):
        (folder / TABLE).write_text(json.dumps({**TABLES, **wrong}))
        for name in names:
            reason = refusal(name, folder)
            if "recipe" in wrong:
                recipe = TABLES["recipe"]
                assert reason == f"it computes version {recipe} of the recipe, not {recipe + 1}"
            else:
                assert reason.startswith(f"its self-check gives {TABLES['self_check']}, not 0123456789abcdef")


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_the_self_check_refuses_contraction(folder: Path) -> None:
    """gcc and clang contract by default where the processor can: such a build is the negative control."""
    if "v3" not in machine.levels() and not machine.machine().endswith("arm64"):
        pytest.skip("this processor has no fused multiply-add")
    path = folder / "contracted.so"
    flags = ["-std=gnu11", "-O2", "-ffp-contract=fast", "-fno-math-errno", "-fPIC", "-shared", "-pthread"]
    flags += ["-march=x86-64-v3"] if "v3" in machine.levels() else []
    subprocess.run(["cc", *flags, *map(str, SOURCES.glob("*.c")), "-o", str(path)], check=True, capture_output=True)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(Unusable, match=f"its self-check gives [0-9a-f]+, not {TABLES['self_check']}"):
        load(Candidate("contracted", path.name, sha256, machine.machine(), None, None), folder)


def test_a_build_of_other_sources_is_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = [each.name for each in candidates(folder) if each.sources is not None]
    if not own:
        pytest.skip("no C compiler")
    changed = Path(shutil.copytree(SOURCES, tmp_path / "native"))
    (changed / "adamw.c").write_text("int x;\n")
    monkeypatch.setattr(choice, "SOURCES", changed)
    assert "Run: node scripts/build-native.mjs" in refusal(own[-1], folder)


def test_without_a_usable_build_the_message_has_all_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (TABLE, "portable.wasm"):
        shutil.copy(FOLDER / name, tmp_path / name)
    monkeypatch.setattr(choice, "find_node", lambda: None)
    with pytest.raises(ConfigInvalid) as caught:
        choice._choose(tmp_path, None)
    assert str(caught.value) == (
        "engine: portable: no usable build (wasm: it runs in Node.js, which is not in PATH). "
        "Install Node.js or a C compiler"
    )


def test_the_table_is_of_these_sources_and_has_the_hash_of_webassembly() -> None:
    """A change of native/ is followed by: node scripts/build-native.mjs --release."""
    assert TABLES["sources"] == choice.hash_of_sources(SOURCES)
    levels = ["v4-bf16", "v4", "v3", "v2"]
    names = [*(f"linux-x64-{level}" for level in levels), "linux-arm64", "macos-x64", "macos-arm64", "wasm"]
    assert [line["name"] for line in TABLES["builds"]] == names
    wasm = TABLES["builds"][-1]
    assert hashlib.sha256((FOLDER / wasm["file"]).read_bytes()).hexdigest() == wasm["sha256"]


@pytest.mark.parametrize("index", [0, -1], ids=["compiled", "wasm"])
def test_a_forked_process_loads_its_own_library(index: int) -> None:
    build = [each.name for each in choice.builds() if each.usable][index]
    first = choice._choose(FOLDER, build)
    pid = os.fork()
    if pid == 0:
        other = choice._choose(FOLDER, build)
        os._exit(0 if other is not first and other.self_check() == TABLES["self_check"] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert first.self_check() == TABLES["self_check"]
