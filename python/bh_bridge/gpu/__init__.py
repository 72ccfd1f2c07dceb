"""What only a GPU needs: whole steps from a CUDA graph, and several runs in one batch.

This module is its door: the rest of the package imports from here only. On a CPU `obstacle` gives a reason, so that
WholeStep is never made, and `stacked_trainer` is for batched runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bh_bridge.gpu.graphed_step import WholeStep, obstacle

if TYPE_CHECKING:
    from bh_bridge.gpu.stack import StackedTrainer

__all__ = ["WholeStep", "obstacle", "stacked_trainer"]


def stacked_trainer(**options: Any) -> StackedTrainer:
    """The engine of one of several runs of engine `fast` whose gradients are computed together."""
    from bh_bridge.gpu.stack import StackedTrainer  # which extends engine `fast`

    return StackedTrainer(**options)
