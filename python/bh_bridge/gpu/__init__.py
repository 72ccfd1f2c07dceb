"""Code for GPUs: whole steps in a CUDA graph, and batched runs.

Other packages import from this module only. On a CPU, `obstacle` returns a reason, so WholeStep is never used;
`stacked_trainer` is for batched runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bh_bridge.gpu.graphed_step import WholeStep, obstacle

if TYPE_CHECKING:
    from bh_bridge.gpu.stack import StackedTrainer

__all__ = ["WholeStep", "obstacle", "stacked_trainer"]


def stacked_trainer(**options: Any) -> StackedTrainer:
    """The engine of a batched run of engine `fast`."""
    from bh_bridge.gpu.stack import StackedTrainer  # it imports engine `fast`, which imports this module

    return StackedTrainer(**options)
