"""AdamW with wide moments is AdamW: compared with torch's own where both can compute."""

import pytest
import torch
from bh_bridge.training.optimizers import WideAdamW
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn


def stepped(optimizer: torch.optim.Optimizer, weight: nn.Parameter, gradients: list[torch.Tensor]) -> torch.Tensor:
    for gradient in gradients:
        weight.grad = gradient.clone().to(weight.dtype)
        optimizer.step()
    return weight.detach()


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    lr=st.floats(1e-5, 1e-1),
    beta1=st.floats(0.0, 0.99),
    beta2=st.floats(0.5, 0.9999),
    weight_decay=st.floats(0.0, 0.5),
    steps=st.integers(1, 12),
)
def test_in_float32_it_is_torchs_adamw(
    seed: int, lr: float, beta1: float, beta2: float, weight_decay: float, steps: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(7, 3, generator=generator)
    gradients = [torch.randn(7, 3, generator=generator) for _ in range(steps)]
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    options = {"lr": lr, "betas": (beta1, beta2), "eps": 1e-8, "weight_decay": weight_decay}
    expected = stepped(torch.optim.AdamW([theirs], foreach=False, **options), theirs, gradients)
    for keep_master in (False, True):
        weight = nn.Parameter(ours.detach().clone())
        result = stepped(WideAdamW([weight], keep_master=keep_master, **options), weight, gradients)
        torch.testing.assert_close(result, expected, rtol=2e-6, atol=2e-7)


def test_the_moments_of_bfloat16_weights_are_float32() -> None:
    weight = nn.Parameter(torch.ones(4, dtype=torch.bfloat16))
    optimizer = WideAdamW([weight], lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
    stepped(optimizer, weight, [torch.full((4,), 0.5)])
    state = optimizer.state[weight]
    assert state["exp_avg"].dtype == state["exp_avg_sq"].dtype == torch.float32
    assert weight.dtype == torch.bfloat16


def test_the_second_moment_decays_in_float32_where_bfloat16_ratchets_up() -> None:
    def second_moment(make: type[torch.optim.Optimizer]) -> float:
        weight = nn.Parameter(torch.ones(1, dtype=torch.bfloat16))
        options = {"lr": 0.0, "betas": (0.9, 0.999), "eps": 1e-8}
        optimizer = make([weight], **options)  # type: ignore[call-arg]
        stepped(optimizer, weight, [torch.ones(1)] + [torch.zeros(1)] * 1000)
        return float(optimizer.state[weight]["exp_avg_sq"])

    assert second_moment(WideAdamW) == pytest.approx(0.001 * 0.999**1000, rel=1e-4)
    assert second_moment(torch.optim.AdamW) > 0.9 * 0.001  # 0.999·v rounds back to v


def test_small_steps_add_up_in_a_master_copy_and_are_lost_without_one() -> None:
    def after(keep_master: bool) -> float:
        weight = nn.Parameter(torch.ones(1, dtype=torch.bfloat16))
        # Each step moves the weight by lr = 2^-10; bfloat16 below 1 has steps of 2^-8, which rounds it away.
        optimizer = WideAdamW([weight], lr=2.0**-10, betas=(0.0, 0.0), eps=0.0, keep_master=keep_master)
        return float(stepped(optimizer, weight, [torch.ones(1)] * 64))

    assert after(keep_master=False) == 1.0
    assert after(keep_master=True) == 1 - 64 * 2.0**-10
