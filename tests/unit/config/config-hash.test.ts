import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { configHash } from "../../../src/config/config-hash.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { resolveRunConfig } from "../../../src/config/resolve-run-config.js";

async function hashOf(...set: string[]): Promise<string> {
  return (await resolveRunConfig({ set })).hash;
}

test("it is the SHA-256 of the configuration's JSON with sorted keys and no spaces", () => {
  const canonical =
    '{"checkpoint":{"every":1000,"keep":2},"data":{"corpus":null,"held_out":0,"label_shift":"double"},"device":"auto","engine":"trainer","init":{"kind":"singular"},' +
    '"model":{"activation_function":"gelu_new","attn_pdrop":0,"dtype":"bfloat16","embd_pdrop":0,"from":null,"initializer_range":0.02,"layer_norm_epsilon":0.00001,' +
    '"n_embd":64,"n_head":2,"n_inner":null,"n_layer":2,"n_positions":128,"norm":"rmsnorm","reorder_and_upcast_attn":false,"resid_pdrop":0,' +
    '"scale_attn_by_inverse_layer_idx":false,"scale_attn_weights":true,"tie_word_embeddings":true,"vocab_size":128},"noise":{"epsilon":0},' +
    '"record":{"every":1,"rows":"all","tensors":["wte"]},"seed":42,"threads":null,' +
    '"training":{"adam_beta1":0.9,"adam_beta2":0.999,"adam_epsilon":1e-8,"bf16":true,"dataloader_num_workers":0,"decay_norms":"hf","gradient_accumulation_steps":1,' +
    '"learning_rate":0.001,"logging_steps":100,"lr_scheduler_type":"linear","max_grad_norm":1,"max_steps":10000,"optim":"adamw_torch_fused",' +
    '"optimizer_state_dtype":"model","per_device_train_batch_size":32,"train_sampling_strategy":"random","warmup_steps":0,"weight_decay":0.01}}';
  expect(configHash(parseRunConfig({}))).toBe(createHash("sha256").update(canonical).digest("hex"));
});

test("a name, an interpreter and the directory of the corpus do not count; everything else does", async () => {
  const plain = await hashOf("data.corpus=/a/text.txt");
  expect(await hashOf("data.corpus=/b/text.txt", "name=mine", "python=/usr/bin/python3")).toBe(plain);
  expect(await hashOf("data.corpus=/a/other.txt")).not.toBe(plain);
  expect(await hashOf("data.corpus=/a/text.txt", "seed=43")).not.toBe(plain);
  expect(await hashOf("data.corpus=/a/text.txt", "checkpoint.every=10")).not.toBe(plain);
});

test("the order of the keys does not count", () => {
  expect(configHash(parseRunConfig({ training: { bf16: true, max_steps: 3 }, seed: 1 }))).toBe(
    configHash(parseRunConfig({ seed: 1, training: { max_steps: 3, bf16: true } })),
  );
});
