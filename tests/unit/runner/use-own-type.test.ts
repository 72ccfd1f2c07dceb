import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { useOwnType } from "../../../src/runner/export-model.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";

const folder = temporaryDirectory();
const kinds = ["gpt2", "llama", "tinylm"] as const;

/** Saves a model of each kind, all weights drawn anew, so that each norm counts; its logits lie beside it. */
const save = `
import sys, torch
sys.path.insert(0, "python")
from pathlib import Path
from bh_bridge.models.model import build_model, save_model
sizes = {"vocab_size": 128, "n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 16}
llama = {"type": "llama", "vocab_size": 128, "hidden_size": 16, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
for name, config, norm in (("gpt2", sizes, "rmsnorm"), ("llama", llama, "layernorm"), ("tinylm", {"type": "tinylm", **sizes}, "rmsnorm")):
    model = build_model(config, norm, "float32", {"kind": "normal"}, 1).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    target = Path(sys.argv[1]) / name
    save_model(model, target)
    with torch.no_grad():
        torch.save(model(input_ids=torch.arange(16)[None]).logits, target / "logits.pt")
print("null")`;

/** What plain transformers makes of each directory: with the code beside it whether the logits are equal, without it the name of the error. */
const load = `
import json, sys, torch
from pathlib import Path
from transformers import AutoModelForCausalLM
found = {}
for name in ("gpt2", "llama", "tinylm"):
    directory = Path(sys.argv[1]) / name
    try:
        AutoModelForCausalLM.from_pretrained(directory, trust_remote_code=False)
        without = "loaded"
    except Exception as error:
        without = type(error).__name__
    model = AutoModelForCausalLM.from_pretrained(directory, trust_remote_code=True)
    with torch.no_grad():
        found[name] = [torch.equal(model(input_ids=torch.arange(16)[None]).logits, torch.load(directory / "logits.pt")), without]
print(json.dumps(found))`;

/** What 0.2 wrote after the static part of modeling_other_norms.py. */
const oldTail = (home: string, native: string, name: string, norm: string) => `

from ${home} import ${native}  # noqa: E402


class ${name}(${native}):
    """${native} with ${norm} in place of its own norms."""

    def __init__(self, config) -> None:
        super().__init__(config)
        replace_own_norms(self, "${norm}")
`;

function edit(path: string, change: (text: string) => string): void {
  writeFileSync(path, change(readFileSync(path, "utf8")));
}

/** Make a directory what 0.2 wrote: the family's own type, and the class of the model alone in \`auto_map\`. */
function makeOld(kind: (typeof kinds)[number]): void {
  const directory = join(folder, kind);
  edit(join(directory, "config.json"), (text) => {
    const old = text.replace(/"model_type": "(\w+?)_with_\w+"/, '"model_type": "$1"');
    return kind === "tinylm" ? old.replace(/"AutoConfig": .*/, '"AutoConfig": "modeling_tinylm.TinyLMConfig",') : old.replace(/ *"AutoConfig": .*\n/, "");
  });
  edit(join(directory, "modeling_gpt2_rmsnorm.py"), (text) =>
    text.replace(/class GPT2RMSNormConfig[\s\S]*?\n\n\n/, "").replace(/ {4}config_class = GPT2RMSNormConfig\n\n/, ""),
  );
  if (kind === "gpt2") return;
  const tail: Parameters<typeof oldTail> =
    kind === "llama"
      ? ["transformers", "LlamaForCausalLM", "LlamaWithLayerNormForCausalLM", "layernorm"]
      : [".modeling_tinylm", "TinyLMForCausalLM", "TinyLMWithRMSNormForCausalLM", "rmsnorm"];
  edit(join(directory, "modeling_other_norms.py"), (text) => text.replace(/\n\n\ndef with_norms[\s\S]*/, "\n") + oldTail(...tail));
}

beforeAll(() => {
  expectedFrom(save, folder);
});

test("a model with replaced norms loads with its code to the same logits, fails without it, and so does an old one once it has been exported", () => {
  const right = Object.fromEntries(kinds.map((kind) => [kind, [true, "ValueError"]]));
  expect(expectedFrom(load, folder)).toEqual(right);
  const saved = kinds.map((kind) => readFileSync(join(folder, kind, "config.json"), "utf8"));
  for (const kind of kinds) makeOld(kind);
  expect(expectedFrom(load, folder)).toEqual({ gpt2: [true, "loaded"], llama: [true, "loaded"], tinylm: [true, "ValueError"] }); // what this is about
  for (const kind of kinds) useOwnType(join(folder, kind));
  expect(expectedFrom(load, folder)).toEqual(right);
  expect(kinds.map((kind) => JSON.parse(readFileSync(join(folder, kind, "config.json"), "utf8")))).toEqual(saved.map((text) => JSON.parse(text)));
  const written = kinds.map((kind) => readFileSync(join(folder, kind, "config.json"), "utf8"));
  for (const kind of kinds) useOwnType(join(folder, kind));
  expect(kinds.map((kind) => readFileSync(join(folder, kind, "config.json"), "utf8"))).toEqual(written);
});
