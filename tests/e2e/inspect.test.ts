import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inspectDocumentSchema } from "../../src/commands/inspect/next-steps.js";
import type { RunInput } from "../../src/config/resolve-run-config.js";
import { printedBy } from "../unit/formats/reference-python.js";
import { projectRoot, run, temporaryFolder, warmPython } from "./program.js";
import { trainTogether } from "./train-together.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const training = ["--steps", "4", "--corpus", "corpus.txt", "--quiet"];

const files = `
import os, json, torch, h5py, numpy as np
from safetensors.torch import save_file
from transformers import BertConfig, BertModel, GPT2Config, GPT2LMHeadModel, GPTNeoXConfig, GPTNeoXForCausalLM, LlamaConfig, LlamaForCausalLM, OPTConfig, OPTForCausalLM, Trainer, TrainingArguments
open("corpus.txt", "w").write("A text of its own, long enough for a window. " * 10)
def model(): return GPT2LMHeadModel(GPT2Config(vocab_size=128, n_positions=32, n_embd=12, n_layer=1, n_head=3, bos_token_id=None, eos_token_id=None))
m = model(); state = m.state_dict(); w = state["transformer.wte.weight"].clone(); h = torch.stack([w, w + 1, w + 2])
torch.save(state, "state.pt"); torch.save({"model_state_dict": state, "epoch": 1}, "script.pt"); torch.save({"a": w, "b": w}, "-dash.pt")
np.savez("arrays.npz", **{k: v.numpy() for k, v in state.items()}); np.save("history.npy", h.numpy()); np.save("row.npy", np.zeros(3)); np.save("ids.npy", np.zeros((3, 3), dtype="i8"))
save_file({"wte.weight": w}, "matrix.safetensors"); save_file({"W": h.to(torch.bfloat16)}, "history.safetensors"); save_file({"f8": torch.zeros(4, 4, dtype=torch.float8_e4m3fn), "m": w}, "f8.safetensors")
with h5py.File("lzf.h5", "w") as f: f.create_dataset("W", data=h.numpy(), compression="lzf"); f["other"] = w.numpy()
with h5py.File("plain.h5", "w") as f: f["W"] = h.numpy()
os.mkdir("pickled"); m.config.save_pretrained("pickled"); torch.save(state, "pickled/pytorch_model.bin")
data = [{"input_ids": torch.arange(32), "labels": torch.arange(32)}] * 8
Trainer(m, TrainingArguments("trainer", max_steps=2, save_steps=1, per_device_train_batch_size=2, use_cpu=True, report_to="none", disable_tqdm=True), train_dataset=data).train()
def older(name, carried, dtype):
    config = json.load(open(name + "/config.json")); config.pop("dtype"); config.pop("rope_parameters", None)
    json.dump({**config, "torch_dtype": dtype, "_name_or_path": "someone/model", "transformers_version": "4.24.0", **carried}, open(name + "/config.json", "w"))
small = dict(vocab_size=128, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=256)
neox = GPTNeoXForCausalLM(GPTNeoXConfig(**small)).half(); neox.save_pretrained("neox", max_shard_size="20KB"); older("neox", {"rotary_emb_base": 10000, "rotary_pct": 0.25}, "float16")
opt = OPTForCausalLM(OPTConfig(vocab_size=128, hidden_size=32, word_embed_proj_dim=32, ffn_dim=64, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=64))
opt.config.save_pretrained("opt"); torch.save(opt.state_dict(), "opt/pytorch_model.bin"); json.dump({**json.load(open("opt/config.json")), "prefix": "</s>"}, open("opt/config.json", "w"))
BertModel(BertConfig(**small)).save_pretrained("bert")
LlamaForCausalLM(LlamaConfig(**small)).save_pretrained("quantized"); older("quantized", {"quantization_config": {"quant_method": "gptq", "bits": 4}}, "float16")
os.mkdir("optimizer"); os.rename("trainer/checkpoint-1/optimizer.pt", "optimizer/optimizer.pt"); os.rename("trainer/checkpoint-1/trainer_state.json", "optimizer/trainer_state.json")
`;

beforeAll(async () => {
  await printedBy(files, [], folder.path);
  const input: RunInput = { preset: "quick", training: { max_steps: 4 }, data: { corpus: join(folder.path, "corpus.txt") } };
  const [whole = "", chosen = ""] = await trainTogether(join(folder.path, "runs"), input, { ...input, record: { rows: [1, 2] } });
  renameSync(whole, join(folder.path, "whole"));
  renameSync(chosen, join(folder.path, "chosen"));
}, 300_000);

/** Where training itself is tried; elsewhere its configuration is resolved, which reads the weights. */
const trained = ["state.pt", "trainer/checkpoint-2", "neox", "opt"];

/** A command as it was suggested; training is cut short. */
async function runSuggested(command: string, path: string): Promise<void> {
  const cut = trained.includes(path) ? training : ["--print-config"];
  const short = command.startsWith("bh-bridge train ") ? `${command} ${cut.join(" ")}` : command;
  const line = short.replace(/^bh-bridge/, `"${process.execPath}" "${join(projectRoot, "dist/cli.js")}"`);
  const { exitCode, all } = await execa("sh", ["-c", line], {
    cwd: folder.path,
    env: { BH_BRIDGE_PYTHON: warmPython },
    all: true,
    reject: false,
    stdin: "ignore",
  });
  expect(exitCode, `${command}\n${all}`).toBe(0);
}

test.each([
  ["state.pt", ["census", "train", "export"]],
  ["script.pt", ["census", "train", "export"]],
  ["./-dash.pt", ["census"]],
  ["arrays.npz", ["census", "train", "export"]],
  ["history.npy", ["census", "analyze", "export"]],
  ["row.npy", []],
  ["ids.npy", ["census", "export"]],
  ["matrix.safetensors", ["census", "export"]],
  ["history.safetensors", ["census", "analyze", "export"]],
  ["f8.safetensors", ["census"]],
  ["lzf.h5", ["census"]],
  ["plain.h5", ["census", "analyze", "export"]],
  ["pickled", ["census", "tokens", "train", "export"]],
  ["trainer/checkpoint-1", ["census", "tokens", "train", "export"]],
  ["trainer/checkpoint-2", ["census", "tokens", "train", "train", "export"]],
  ["neox", ["census", "tokens", "train", "export"]],
  ["opt", ["census", "tokens", "train", "export"]],
  ["bert", ["census", "tokens", "export"]],
  ["quantized", ["census", "tokens", "export"]],
  ["optimizer", ["census"]],
  ["whole", ["census", "analyze", "train", "export", "export"]],
  ["chosen", ["census", "analyze", "export", "export"]],
])(
  "everything that inspect says of %s can be done",
  async (path, expected) => {
    const { stdout, stderr } = await run(["inspect", path, "--json"], { cwd: folder.path });
    expect(stderr).toBe("");
    const { next } = inspectDocumentSchema.parse(JSON.parse(stdout));
    expect(next.map(({ command }) => command.split(" ")[1])).toEqual(expected);
    for (const { command } of next) await runSuggested(command, path);
  },
  300_000,
);

test("inspect says beforehand what cannot be read, and its remedy works", async () => {
  const { stdout } = await run(["inspect", "lzf.h5"], { cwd: folder.path });
  const [, remedy = ""] = /W is packed with LZF; readable are gzip, shuffle and fletcher32\. Copy it in Python: (.*)/.exec(stdout) ?? [];
  await printedBy(`import h5py; ${remedy}`, [], folder.path);
  expect(existsSync(join(folder.path, "copy.h5"))).toBe(true);
  const { exitCode, stderr } = await run(["census", "copy.h5", "--step", "1"], { cwd: folder.path });
  expect(exitCode, stderr).toBe(0);
});

test("the configuration from a file of weights is that of the weights", async () => {
  const args = ["train", "--from", "state.pt", "--set", "model.n_head=3", "--print-config", "--json"];
  const { exitCode, stdout, stderr } = await run(args, { cwd: folder.path });
  expect(exitCode, stderr).toBe(0);
  const { model, init } = JSON.parse(stdout).config;
  expect(model).toMatchObject({ from: join(folder.path, "state.pt"), norm: "layernorm", dtype: "float32", n_embd: 12, n_head: 3, n_layer: 1, n_positions: 32 });
  expect(init).toEqual({ kind: "normal" });
});
