import { join } from "node:path";
import { expect, test } from "vitest";
import { type Gpt2Architecture, gpt2Weights } from "../../../../src/formats/hf/gpt2-weights.js";
import { openTensorFile } from "../../../../src/formats/open-tensor-file.js";
import { readMatrix } from "../../../../src/formats/stored-tensor.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

const directory = temporaryDirectory();
const file = (name: string): string => join(directory, name);

/** The names of the weights that transformers' own model has, and the bytes of one of them. */
const expected = expectedFrom<{ names: string[]; c_fc: number[] }>(
  `
import sys, json, torch, numpy as np
from transformers import GPT2Config, GPT2LMHeadModel
d = sys.argv[1]
def model(**more): return GPT2LMHeadModel(GPT2Config(vocab_size=150, n_positions=32, n_embd=12, n_layer=2, n_head=3, **more))
m = model(); state = m.state_dict()
torch.save(state, f"{d}/plain.pt"); torch.save(state, f"{d}/plain.bin")
torch.save({k.removeprefix("transformer."): v for k, v in state.items() if k != "lm_head.weight"} | {"h.0.attn.bias": torch.ones(1, 1, 32, 32), "h.0.attn.masked_bias": torch.tensor(-1e4)}, f"{d}/body.pt")
torch.save({"epoch": 3, "model_state_dict": {"module." + k: v for k, v in state.items()}, "optimizer": {"state": {0: {"exp_avg": torch.zeros(150, 12)}}}}, f"{d}/script.pt")
torch.save({"state_dict": {"_orig_mod." + k: v for k, v in state.items()}}, f"{d}/compiled.pt")
torch.save({"model." + ".".join([*k.split(".")[:-1], "_parameters", k.split(".")[-1]]): v for k, v in state.items()}, f"{d}/tables.pt")
np.savez(f"{d}/arrays.npz", **{k: v.numpy() for k, v in state.items()})
torch.save(model(tie_word_embeddings=False, n_inner=20).to(torch.bfloat16).state_dict(), f"{d}/untied.pt")
torch.save({k: v for k, v in state.items() if not (k.endswith("bias") and ".ln_" in k)}, f"{d}/rms.pt")
torch.save({"a": state, "b": model().state_dict()}, f"{d}/two.pt")
torch.save({k: v for k, v in state.items() if k != "transformer.h.1.mlp.c_proj.bias"}, f"{d}/part.pt")
torch.save({k: v.T.contiguous() if v.dim() == 2 and ".h." in k else v for k, v in state.items()}, f"{d}/linear.pt")
torch.save({"w": torch.zeros(4, 4)}, f"{d}/other.pt")
torch.save(state | {"transformer.h.0.attn.c_attn.lora_A": torch.zeros(2, 2)}, f"{d}/adapted.pt")
print(json.dumps({"names": sorted(k for k in state if k != "lm_head.weight"), "c_fc": list(state["transformer.h.1.mlp.c_fc.weight"].numpy().tobytes())}))`,
  directory,
);

async function architectureOf(name: string): Promise<Gpt2Architecture> {
  const opened = await openTensorFile(file(name));
  try {
    return gpt2Weights(opened.tensors, name).architecture;
  } finally {
    opened.close();
  }
}

const told = { norm: "layernorm", dtype: "float32", vocab_size: 150, n_positions: 32, n_embd: 12, n_layer: 2, n_inner: null, tie_word_embeddings: true };

test.each(["plain.pt", "plain.bin", "body.pt", "script.pt", "compiled.pt", "tables.pt", "arrays.npz"])("%s is the same GPT-2", async (name) => {
  const opened = await openTensorFile(file(name));
  try {
    const { architecture, tensors } = gpt2Weights(opened.tensors, name);
    expect(architecture).toEqual(told);
    expect([...tensors.keys()].sort()).toEqual(expected.names);
    const weight = tensors.get("transformer.h.1.mlp.c_fc.weight");
    expect(weight && [...readMatrix(weight).bytes]).toEqual(expected.c_fc);
  } finally {
    opened.close();
  }
});

test("an output head of its own, a width of its own, bfloat16 and RMSNorm are seen", async () => {
  expect(await architectureOf("untied.pt")).toEqual({ ...told, dtype: "bfloat16", n_inner: 20, tie_word_embeddings: false });
  expect(await architectureOf("rms.pt")).toEqual({ ...told, norm: "rmsnorm" });
});

test.each([
  ["two.pt", 'it has two, one with "a.transformer.wte.weight" and one with "b.transformer.wte.weight"'],
  ["part.pt", "it has no tensor h.1.mlp.c_proj.bias"],
  ["linear.pt", "h.0.attn.c_attn.weight has the shape [36, 12], not [12, 36]. It was saved by a model with nn.Linear"],
  ["other.pt", "it has no tensor wte.weight"],
  ["adapted.pt", "h.0.attn.c_attn.lora_A does not belong to one with layernorm"],
])("%s is refused with its reason", async (name, reason) => {
  await expect(architectureOf(name)).rejects.toMatchObject({ code: "FORMAT_UNSUPPORTED", message: expect.stringContaining(reason) });
});
