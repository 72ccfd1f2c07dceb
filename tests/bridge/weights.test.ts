import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bridge } from "../../src/index.js";
import { expectedFrom, temporaryDirectory } from "../unit/formats/reference-python.js";
import { warmPython } from "./real-python.js";

const directory = temporaryDirectory();
const file = (name: string): string => join(directory, name);

/** Logits of transformers' own model for the tokens 1, 2, 3, whose weights lie in several files. */
const logits = expectedFrom<number[]>(
  `
import sys, os, json, torch, numpy as np
from transformers import GPT2Config, GPT2LMHeadModel
d = sys.argv[1]; torch.manual_seed(1)
m = GPT2LMHeadModel(GPT2Config(vocab_size=130, n_positions=32, n_embd=12, n_layer=2, n_head=3)).eval(); state = m.state_dict()
torch.save(state, f"{d}/plain.pt")
torch.save({"epoch": 3, "model_state_dict": {"module." + k: v for k, v in state.items()}}, f"{d}/script.bin")
np.savez(f"{d}/arrays.npz", **{k: v.numpy() for k, v in state.items()})
os.mkdir(f"{d}/pickled"); m.config.save_pretrained(f"{d}/pickled"); torch.save(state, f"{d}/pickled/pytorch_model.bin")
m.save_pretrained(f"{d}/saved")
class Evil:
    def __reduce__(self): return (os.mkdir, (f"{d}/executed",))
torch.save(state | {"evil": Evil()}, f"{d}/evil.pt")
print(json.dumps(m(torch.tensor([[1, 2, 3]])).logits.flatten().tolist()))`,
  directory,
);

let bridge: Bridge;
beforeAll(async () => {
  bridge = await Bridge.start({ python: warmPython });
});
afterAll(async () => bridge.close());

test.each(["plain.pt", "script.bin", "arrays.npz", "evil.pt", "pickled", "saved"])(
  "a model made from %s computes what the saved one computed",
  async (name) => {
    await using model = await bridge.createModel({ from: file(name), config: { n_head: 3 } });
    expect(model.norm).toBe("layernorm");
    const computed = await model.forward([[1, 2, 3]]);
    for (const [index, logit] of logits.entries()) expect(computed.at(Math.floor(index / 130), index % 130)).toBeCloseTo(logit, 5);
  },
);

test("what the weights do not tell is asked for, and what they tell is not overruled", async () => {
  await expect(bridge.createModel({ from: file("plain.pt") })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [{ path: "model.n_head", message: expect.stringContaining("the number of heads does not follow from the weights") }],
  });
  const given = { from: file("plain.pt"), config: { n_head: 3, n_layer: 3 } };
  await expect(bridge.createModel(given)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [{ path: "model.n_layer", message: `is 3, but the weights in ${file("plain.pt")} have 2` }],
  });
});

test("what is set beside a saved model is what the model is built with", async () => {
  await using model = await bridge.createModel({ from: file("saved"), config: { resid_pdrop: 0.25 } });
  await model.save(file("again"));
  expect(JSON.parse(readFileSync(join(file("again"), "config.json"), "utf8"))).toMatchObject({ resid_pdrop: 0.25, n_head: 3, n_embd: 12 });
});
