"""The kind of a processor, from what Linux says of it."""

import io
import platform
from pathlib import Path
from typing import Any

import pytest
import torch
from bh_bridge.process import processor


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (
            "vendor_id\t: GenuineIntel\nflags\t\t: fpu avx512_bf16 amx_tile amx_bf16\n\nvendor_id: Other\n",
            "Intel with AMX",
        ),
        ("vendor_id\t: GenuineIntel\nflags\t\t: fpu avx512f avx512_bf16\n", "Intel with AVX512-BF16"),
        ("vendor_id\t: AuthenticAMD\nflags\t\t: fpu avx2\n", "AMD"),
        ("vendor_id\t: HygonGenuine\nflags\t\t: fpu avx512_bf16_of_another_name\n", "HygonGenuine"),
    ],
)
def test_the_kind_is_the_maker_and_the_best_instructions_for_bfloat16(
    said: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "open", lambda *_, **__: io.StringIO(said))
    assert processor.kind() == kind


def test_where_linux_says_nothing_it_is_what_python_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "open", missing)
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    assert (processor.kind(), processor.model_name()) == ("arm", "arm")


def test_it_names_the_instructions_that_pytorch_finds() -> None:
    found = torch.cpu.get_capabilities()
    if found["architecture"] != "x86_64":
        pytest.skip("PyTorch names these instructions on x86-64 alone")
    expected = "AMX" if found["amx_bf16"] else "AVX512-BF16" if found["avx512_bf16"] else ""
    assert processor.kind().partition(" with ")[2] == expected
