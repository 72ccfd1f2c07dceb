"""Communication between the processes of a training: gradients, controls, weights."""

from __future__ import annotations

import ctypes
import hashlib
import zlib
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import nn

from bh_bridge.errors import BridgeError, RankEnded
from bh_bridge.ranks.peers import Peers
from bh_bridge.training.control import CONTROL_FIELDS, Control

LOOK = timedelta(seconds=1)  # how long to wait for the others before looking whether they are still there


class Group:
    """The processes of a training as seen by one of them. All call the same methods in the same order."""

    def __init__(self, rank: int, processes: int, seed: int, peers: Peers | None = None) -> None:
        """peers: connections to the others; without them, their end is noticed by gloo alone."""
        self.rank = rank
        self.processes = processes
        self._seed = seed
        self._peers = Peers({}) if peers is None else peers

    def close(self) -> None:
        self._peers.close()

    def part(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The windows of a batch [windows, tokens] that this process computes; none if there are fewer than ranks.

        They are split in order and as evenly as possible.
        """
        return {name: tensor.tensor_split(self.processes)[self.rank] for name, tensor in batch.items()}

    @contextmanager
    def own_draws(self, step: int, batch: int, device: torch.device) -> Generator[None]:
        """Draw random numbers from a stream of this rank, step and batch, so that dropout differs between parts.

        The common stream is unchanged, so that the noise drawn next is the same in every process.
        """
        text = f"{self._seed} {step} {batch} {self.rank}"
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(seed)
            yield

    @torch.no_grad()
    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its sum over all processes, computed in float32 and rounded to its dtype.

        All gradients are summed at once in a fixed order, so that a resumed training has the same bits.
        """
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        for parameter in trained:
            if parameter.grad is None:  # this process had no window of the batch
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
        """Copy the control of rank 0 to every process."""
        flags = torch.tensor([bool(getattr(control, field)) for field in CONTROL_FIELDS], dtype=torch.uint8)
        self._broadcast(flags)
        if self.rank != 0:
            for field, flag in zip(CONTROL_FIELDS, flags.tolist(), strict=True):
                setattr(control, field, bool(flag))

    @torch.no_grad()
    def share_start(self, model: nn.Module) -> None:
        """Copy the weights and the random stream of rank 0 to every process."""
        for tensor in model.state_dict().values():
            self._broadcast(tensor)
        stream = torch.get_rng_state()
        self._broadcast(stream)
        torch.set_rng_state(stream)

    def require_equal_weights(self, model: nn.Module) -> None:
        """BridgeError if the weights differ between processes."""
        checksum = 0
        for tensor in model.state_dict().values():
            checksum = zlib.crc32(tensor.detach().cpu().contiguous().view(torch.uint8).numpy(), checksum)
        sums = [torch.zeros(1, dtype=torch.int64) for _ in range(self.processes)]
        with _rank_errors():
            self._finish(dist.all_gather(sums, torch.tensor([checksum]), async_op=True), on_cpu=True)
        others = [rank for rank, other in enumerate(sums) if other.item() != sums[0].item()]
        if others:
            raise BridgeError(
                f"the weights of rank {others[0]} differ from those of rank 0: their machines compute differently. "
                "Train on machines of one kind"
            )

    def _all_reduce(self, sums: torch.Tensor) -> None:
        with _rank_errors():
            self._finish(dist.all_reduce(sums, async_op=True), on_cpu=sums.device.type == "cpu")

    def _broadcast(self, tensor: torch.Tensor) -> None:
        with _rank_errors():
            self._finish(dist.broadcast(tensor, 0, async_op=True), on_cpu=tensor.device.type == "cpu")

    def _finish(self, work: dist.Work | None, *, on_cpu: bool) -> None:
        """Wait for a collective operation. RankEnded if a process has ended, also where gloo would wait on.

        Gloo wakes no wait for a message that it could not send because the connection had just broken
        (signalException in gloo/transport/tcp/pair.cc passes over such messages).
        """
        assert work is not None
        if not on_cpu:
            work.wait()
            return
        while True:
            try:
                work.wait(LOOK)
                return
            except RuntimeError:
                if work.is_completed():
                    raise
            rank = self._peers.ended()
            if rank is not None:
                # Destroying the group would wait for gloo's thread, which is stuck.
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(dist.group.WORLD))
                raise RankEnded(f"another process of this training has ended: the connection to rank {rank} is closed")


@contextmanager
def _rank_errors() -> Generator[None]:
    """Turn PyTorch's error about a process that has ended into RankEnded."""
    try:
        yield
    except RuntimeError as error:
        raise RankEnded(f"another process of this training has ended: {error}") from error
