"""The types of requests are those of the protocol's schema."""

import subprocess
from pathlib import Path

import pytest
from bh_bridge.bridge import messages
from bh_bridge.bridge.protocol import schema

ROOT = Path(__file__).resolve().parents[3]
OPERATIONS = sorted(schema()["operations"])


@pytest.mark.parametrize("op", OPERATIONS)
def test_a_request_has_the_fields_of_its_schema(op: str) -> None:
    name = "".join(part.capitalize() for part in op.replace("_", ".").split("."))
    request = schema()["operations"][op]["request"]
    assert set(getattr(messages, name).__annotations__) == set(request.get("properties", {}))


def test_the_generated_module_is_up_to_date() -> None:
    command = ["node", str(ROOT / "scripts" / "generate-protocol.mjs"), "--check"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stderr == ""
