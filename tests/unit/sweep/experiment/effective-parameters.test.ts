import { expect, test } from "vitest";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import { effectiveParameters } from "../../../../src/sweep/experiment/effective-parameters.js";
import { expectedFrom } from "../../formats/reference-python.js";

const architectures = [{}, { n_layer: 3, n_embd: 12, n_inner: 20, tie_word_embeddings: false }];
const cases = (["rmsnorm", "layernorm"] as const).flatMap((norm) =>
  (["hf", "never", "always", "all"] as const).flatMap((decay_norms) =>
    architectures.map((model) => parseRunConfig({ model: { ...model, norm }, training: { decay_norms, weight_decay: 0.03 } })),
  ),
);

/** The parameters of the model that Python builds, and whether the Trainer of a run lets each decay. */
const program = `
import json, sys
sys.path.insert(0, "python")
from bh_bridge.engines.run_trainer import RunTrainer
from bh_bridge.models.model import build_model

def parameters(case):
    architecture = {name: value for name, value in case["model"].items() if name not in ("norm", "dtype", "from")}
    model = build_model(architecture, case["model"]["norm"], "bfloat16", {"kind": "normal"}, 1)
    trainer = RunTrainer.__new__(RunTrainer)  # without data and optimizer, which say nothing about names
    trainer._decay_norms = case["training"]["decay_norms"]
    decays = trainer.get_decay_parameter_names(model)
    return {name: [each.numel(), case["training"]["weight_decay"] if name in decays else 0] for name, each in model.named_parameters()}

print(json.dumps([parameters(case) for case in json.loads(sys.argv[1])]))
`;

test("names, sizes and weight decay are those of the model and the Trainer in Python, for both norms and every decay_norms", () => {
  const found = cases.map((config) => Object.fromEntries(effectiveParameters(config).map(({ name, size, weightDecay }) => [name, [size, weightDecay]])));
  expect(found).toEqual(
    expectedFrom(
      program,
      JSON.stringify(cases.map(({ model, training: { decay_norms, weight_decay } }) => ({ model, training: { decay_norms, weight_decay } }))),
    ),
  );
});

test("the seed's model has 116,160 parameters with RMSNorm, 116,480 with LayerNorm", () => {
  const sizeOf = (norm: string) => effectiveParameters(parseRunConfig({ model: { norm } })).reduce((sum, { size }) => sum + size, 0);
  expect([sizeOf("rmsnorm"), sizeOf("layernorm")]).toEqual([116_160, 116_480]);
});
