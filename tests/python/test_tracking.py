"""A tracker's library is looked for before the training."""

import re
import sys

import pytest
from bh_bridge.errors import DependencyUnfit
from bh_bridge.training.tracking import TRACKERS, require_trackers


def test_a_library_that_is_not_installed_is_named_with_its_command() -> None:
    command = re.escape(f"Install it with: {sys.executable} -m pip install no_such_tracker")
    with pytest.raises(DependencyUnfit, match=rf"track: no_such_tracker is not installed\. {command}"):
        require_trackers(["json", "no_such_tracker"])


def test_every_tracker_of_the_configuration_has_its_class() -> None:
    assert list(TRACKERS) == ["tensorboard", "wandb", "mlflow", "trackio"]
