"""What a RunStep is told and asks for has the names of transformers, so that Trainer's own objects fit."""

import dataclasses

from bh_bridge.bridge.protocol import schema
from bh_bridge.training.control import Control, TrainingState
from transformers import TrainerControl, TrainerState


def test_the_control_has_every_field_of_transformers_and_no_other() -> None:
    assert set(Control.__annotations__) == {name for name in vars(TrainerControl()) if name.startswith("should_")}


def test_the_state_has_fields_of_transformers_and_those_that_the_protocol_sends() -> None:
    assert set(TrainingState.__annotations__) <= {field.name for field in dataclasses.fields(TrainerState)}
    assert set(TrainingState.__annotations__) == set(schema()["operations"]["trainer.state"]["reply"]["properties"])
