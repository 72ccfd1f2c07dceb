"""A vocabulary of all bytes, or of more, keeps every byte of the corpus; a large one is recorded in little memory."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_run import tokens_of


@pytest.mark.parametrize("vocab_size", [128, 255, 256, 257, 10_000])
def test_no_character_is_left_out(tmp_path: Path, vocab_size: int) -> None:
    (tmp_path / "corpus.txt").write_text("Az\n~")
    assert tokens_of(tmp_path / "corpus.txt", vocab_size).tolist() == [65, 122, 10, 126]


def test_characters_beyond_a_small_vocabulary_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("Az\n~")
    assert tokens_of(tmp_path / "corpus.txt", 100).tolist() == [65, 10]


@pytest.mark.parametrize("vocab_size", [256, 10_000])
def test_with_all_bytes_the_tokens_are_those_of_utf8(tmp_path: Path, vocab_size: int) -> None:
    (tmp_path / "corpus.txt").write_bytes("naïve\r\n€".encode())
    assert bytes(tokens_of(tmp_path / "corpus.txt", vocab_size).tolist()) == "naïve\n€".encode()


def test_with_fewer_bytes_the_text_is_ascii(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("naïve", encoding="utf-8")
    with pytest.raises(UnicodeDecodeError):
        tokens_of(tmp_path / "corpus.txt", 255)


def test_50257_tokens_are_recorded_at_every_step_without_growing() -> None:
    steps = 300 if os.environ.get("FULL_TESTS") == "1" else 45
    script = Path(__file__).parents[2] / "bench" / "recording" / "memory.py"
    ran = subprocess.run(
        [sys.executable, script, "50,257 x 64 x 300", "--steps", str(steps)], capture_output=True, text=True, check=True
    )
    told = re.search(r": ([+-][\d.]+) MB from step (\d+) to step (\d+) ", ran.stdout)
    assert told is not None, ran.stdout
    assert (int(told[2]), int(told[3])) == (min(100, steps // 3), steps)
    assert float(told[1]) < 32
