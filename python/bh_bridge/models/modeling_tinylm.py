"""The small model of the notebook series (`tinylm`): torch's encoder layers with a causal mask and a tied head.

A copy of this file is saved with every such model, so that
`AutoModelForCausalLM.from_pretrained(directory, trust_remote_code=True)` loads it without bh-bridge.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from huggingface_hub.dataclasses import strict
from torch import nn
from torch.nn import functional
from transformers import GenerationMixin, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput


@strict
class TinyLMConfig(PreTrainedConfig):
    """Sizes under GPT-2's names. Feed-forward layers are 4 times as wide as the embedding; there is no dropout."""

    model_type = "tinylm"
    attribute_map: ClassVar[dict[str, str]] = {
        "hidden_size": "n_embd",
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    vocab_size: int = 128
    n_positions: int = 128
    n_embd: int = 64
    n_layer: int = 2
    n_head: int = 2
    initializer_range: float = 0.02
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None
    pad_token_id: int | None = None
    use_cache: bool = False
    tie_word_embeddings: bool = True


def gelu(values: torch.Tensor) -> torch.Tensor:
    """The exact GELU. With torch's own function, encoder layers would use a fused kernel with different bits."""
    return functional.gelu(values)


TIED = {"lm_head.weight": "embedding.weight"}


class TinyLMForCausalLM(PreTrainedModel, GenerationMixin):
    """Embeddings of tokens and positions, an nn.TransformerEncoder, a last LayerNorm; logits are hidden @ embedding.T.

    Random numbers are drawn in this order: embedding and positions by torch's default, one encoder layer (all layers
    are copies of it), then embedding and positions again from N(0, initializer_range).
    """

    config_class = TinyLMConfig
    _tied_weights_keys = TIED

    def __init__(self, config: TinyLMConfig) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocab_size, config.n_embd)
        self.positions = nn.Embedding(config.n_positions, config.n_embd)
        layer = nn.TransformerEncoderLayer(
            config.n_embd,
            config.n_head,
            4 * config.n_embd,
            dropout=0.0,
            activation=gelu,
            batch_first=True,
            norm_first=True,
        )
        self.encoder = nn.TransformerEncoder(layer, config.n_layer, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(config.n_embd)
        # Tied to the embedding by transformers. On `meta`, it draws no random numbers.
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False, device="meta")
        nn.init.normal_(self.embedding.weight, std=config.initializer_range)
        nn.init.normal_(self.positions.weight, std=config.initializer_range)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Do nothing: every module is initialized when it is made."""

    def get_input_embeddings(self) -> nn.Module:
        return self.embedding

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head

    def forward(
        self,
        input_ids: torch.Tensor,
        labels: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        num_items_in_batch: torch.Tensor | int | None = None,
        **_: Any,
    ) -> CausalLMOutput:
        """Logits [batch, tokens, vocab] of token ids [batch, tokens], and the loss for labels of the same shape.

        The loss is the mean cross-entropy of each position's prediction of the next label; with `num_items_in_batch` it
        is their sum divided by that number. ValueError for padding, which is not supported.
        """
        if attention_mask is not None and not attention_mask.all():
            raise ValueError("TinyLM does not support padding: pass rows of equal length")
        length = input_ids.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length, device=input_ids.device)
        states = self.embedding(input_ids) + self.positions(torch.arange(length, device=input_ids.device))
        logits = self.lm_head(self.norm(self.encoder(states, mask=mask, is_causal=True)))
        return CausalLMOutput(loss=None if labels is None else _loss(logits, labels, num_items_in_batch), logits=logits)


def _loss(logits: torch.Tensor, labels: torch.Tensor, items: torch.Tensor | int | None) -> torch.Tensor:
    ahead, next_tokens = logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten()
    if items is None:
        return functional.cross_entropy(ahead, next_tokens)
    return functional.cross_entropy(ahead, next_tokens, reduction="sum") / items
