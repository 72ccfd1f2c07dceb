"""What the processes of one training say to each other: gradients, controls, weights."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Generator, Iterable
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import nn

from bh_bridge.errors import BridgeError, RankEnded
from bh_bridge.training.control import CONTROL_FIELDS, Control


class Group:
    """The place of this process among those of its training. All of them call the same methods in the same order."""

    def __init__(self, rank: int, processes: int, seed: int) -> None:
        self.rank = rank
        self.processes = processes
        self._seed = seed

    def part(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The windows of a batch [windows, tokens] that this process computes; none when there are fewer than ranks.

        In their order, as even as can be: the last batch of an epoch may not divide.
        """
        return {name: tensor.tensor_split(self.processes)[self.rank] for name, tensor in batch.items()}

    @contextmanager
    def own_draws(self, step: int, batch: int, device: torch.device) -> Generator[None]:
        """Draw from a stream of this rank, step and batch: each part has a dropout of its own.

        The common stream is left as it was, so that the noise that is drawn next is the same in every process.
        """
        text = f"{self._seed} {step} {batch} {self.rank}"
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(seed)
            yield

    @torch.no_grad()
    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Put into every gradient the sum over all processes, taken in float32 and rounded to its dtype.

        One sum over all of them in one order, so that a training that goes on has the bits of one that never ended.
        """
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        for parameter in trained:
            if parameter.grad is None:  # this process had no part of the batch
                parameter.grad = torch.zeros_like(parameter)
        grads = [parameter.grad for parameter in trained if parameter.grad is not None]
        sums = torch.cat([grad.reshape(-1).float() for grad in grads])
        self._all_reduce(sums)
        for grad, total in zip(grads, sums.split([grad.numel() for grad in grads]), strict=True):
            grad.copy_(total.view_as(grad))

    def add(self, number: torch.Tensor) -> torch.Tensor:
        """The sum of a number [] over all processes, in its dtype."""
        total = number.detach().float().reshape(1)
        self._all_reduce(total)
        return total[0].to(number.dtype)

    def agree(self, control: Control) -> None:
        """Give every process the control of rank 0."""
        flags = torch.tensor([bool(getattr(control, field)) for field in CONTROL_FIELDS], dtype=torch.uint8)
        with _told():
            dist.broadcast(flags, 0)
        if self.rank != 0:
            for field, flag in zip(CONTROL_FIELDS, flags.tolist(), strict=True):
                setattr(control, field, bool(flag))

    @torch.no_grad()
    def share_start(self, model: nn.Module) -> None:
        """Give every process the weights of rank 0, and its random stream."""
        with _told():
            for tensor in model.state_dict().values():
                dist.broadcast(tensor, 0)
            stream = torch.get_rng_state()
            dist.broadcast(stream, 0)
        torch.set_rng_state(stream)

    def require_equal_weights(self, model: nn.Module) -> None:
        """Make sure that every process has the same weights; BridgeError when they have gone apart."""
        checksum = 0
        for tensor in model.state_dict().values():
            checksum = zlib.crc32(tensor.detach().cpu().contiguous().view(torch.uint8).numpy(), checksum)
        sums = [torch.zeros(1, dtype=torch.int64) for _ in range(self.processes)]
        with _told():
            dist.all_gather(sums, torch.tensor([checksum]))
        others = [rank for rank, other in enumerate(sums) if other.item() != sums[0].item()]
        if others:
            raise BridgeError(
                f"the weights of rank {others[0]} are no longer those of rank 0: their machines compute differently. "
                "Train with processes of one kind of machine"
            )

    def _all_reduce(self, sums: torch.Tensor) -> None:
        with _told():
            dist.all_reduce(sums)


@contextmanager
def _told() -> Generator[None]:
    """What PyTorch raises when another process is gone."""
    try:
        yield
    except RuntimeError as error:
        raise RankEnded(f"another process of this training is gone: {error}") from error
