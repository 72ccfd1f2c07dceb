import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { tokensDocumentSchema } from "../../../src/commands/documents.js";
import { type UntrainedTokens, untrainedTokens } from "../../../src/runner/untrained-tokens.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";

const folder = temporaryDirectory();
const names = ["norm", "cosine", "cosineCentred", "cosineWithoutPc1", "l2"] as const;

/** Models of 448 tokens with 40 untrained rows: a tokenizer of 400, tied and untied embeddings in several dtypes. */
const make = `
import json, pathlib, sys, torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, decoders, trainers
base = pathlib.Path(sys.argv[1])
t = Tokenizer(models.BPE()); t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False); t.decoder = decoders.ByteLevel()
text = "the cat sat on the mat while another caterpillar was eating lettuce and thinking about the weather of the other cities. " * 20
t.train_from_iterator([text], trainers.BpeTrainer(vocab_size=400, special_tokens=["<|endoftext|>", "<|reserved_special_token_0|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
size = t.get_vocab_size(); g = torch.Generator().manual_seed(1)
planted = list(range(290, 300)) + list(range(size, size + 30)); trained = size + 30
def rows():
    w = torch.randn(size + 31, 32, generator=g, dtype=torch.float64) + 0.3
    w[planted] = torch.randn(32, generator=g, dtype=torch.float64) * 0.3 + torch.randn(len(planted), 32, generator=g, dtype=torch.float64) * 0.01
    return w
for name, dtype in (("tied", torch.float32), ("bfloat16", torch.bfloat16), ("float16", torch.float16), ("untied", torch.float32)):
    d = base / name; d.mkdir()
    w = {"model.embed_tokens.weight": rows().to(dtype)}
    if name == "untied": w["lm_head.weight"] = rows().to(dtype)
    save_file(w, d / "model.safetensors"); (d / "config.json").write_text(json.dumps({"tie_word_embeddings": name != "untied"})); t.save(str(d / "tokenizer.json"))
v = base / "files"; v.mkdir(); t.model.save(str(v))
def reachable(i):
    s = t.decode([i], skip_special_tokens=False)
    return "\\ufffd" in s or t.encode(s).ids == [i] or t.encode("«" + s).ids[-1] == i
unreachable = [i for i in range(2, size) if not reachable(i)]
print(json.dumps({"planted": planted, "trained": trained, "size": size, "unreachable": unreachable}))`;

interface Made {
  planted: number[];
  trained: number;
  size: number;
  unreachable: number[];
}
let made: Made;
beforeAll(() => {
  made = expectedFrom<Made>(make, folder);
});

/** The five indicators of all rows, by numpy in float64. */
const oracle = `
import json, sys, torch, numpy as np
from safetensors.torch import load_file
w = load_file(sys.argv[1] + "/model.safetensors"); u = json.loads(sys.argv[2])
i = w["model.embed_tokens.weight"].double().numpy(); w = w.get("lm_head.weight", w["model.embed_tokens.weight"]).double().numpy()
m = w[u].mean(0); c = w - w.mean(0); pc = np.linalg.svd(c, full_matrices=False)[2][0]; p = w - np.outer(w @ pc, pc)
cos = lambda a, b: 1 - a @ b / np.clip(np.linalg.norm(a, axis=1) * np.linalg.norm(b), 1e-6, None)
print(json.dumps({"norm": np.linalg.norm(i, axis=1).tolist(), "cosine": cos(w, m).tolist(), "cosineCentred": cos(c, c[u].mean(0)).tolist(), "cosineWithoutPc1": cos(p, p[u].mean(0)).tolist(), "l2": np.linalg.norm(w - m, axis=1).tolist()}))`;

function expectNumpy(directory: string, { unused, candidates }: UntrainedTokens): void {
  const expected = expectedFrom<Record<(typeof names)[number], number[]>>(oracle, directory, JSON.stringify(unused.ids));
  for (const { id, indicators } of candidates) for (const name of names) expect(indicators[name]).toBeCloseTo(expected[name][id] ?? Number.NaN, 10);
}

const idsOf = ({ candidates }: UntrainedTokens) => candidates.map(({ id }) => id).sort((a, b) => a - b);

test.each(["tied", "bfloat16", "float16", "untied"])("%s: the untrained rows are found, also those of usual tokens, with numpy's indicators", async (name) => {
  const found = await untrainedTokens(join(folder, name));
  expect(tokensDocumentSchema.parse({ schema: "bh-bridge/tokens@1", ...found })).toBeTruthy();
  expect(idsOf(found)).toEqual(made.planted);
  expect(found.unused.ids).not.toContain(made.trained); // beyond the tokenizer, but its row is not like the others
  expect(found.unused.how).toContain("31 beyond the tokenizer");
  expect(found.tensors.output).toBe(name === "untied" ? "lm_head.weight" : "model.embed_tokens.weight");
  expectNumpy(join(folder, name), found);
});

test("reasons are the tokenizer's: as Python's tokenizers encodes, bytes that no UTF-8 has, names, tokens beyond it", async () => {
  const all = Array.from({ length: made.size }, (_, id) => id);
  const { unusedTokens } = await import("../../../src/formats/unused-tokens.js");
  const { reasons, text } = unusedTokens(join(folder, "tied"), made.size + 31) ?? { reasons: new Map(), text: () => null };
  const having = (reason: string) => all.filter((id) => reasons.get(id) === reason);
  expect(having("its text encodes to other tokens")).toEqual(made.unreachable);
  expect(having("byte that no UTF-8 has").map((id) => text(id))).toEqual(
    expect.arrayContaining(["<0xC0>", "<0xC1>", ...Array.from({ length: 11 }, (_, index) => `<0xF${(index + 5).toString(16).toUpperCase()}>`)]),
  );
  expect(having("named as unused").map((id) => text(id))).toEqual(["<|reserved_special_token_0|>"]);
  expect(reasons.get(made.size)).toBe("beyond the tokenizer");
});

test("vocab.json and merges.txt are read as GPT-2's tokenizer, without the special tokens of other files", async () => {
  const { unusedTokens } = await import("../../../src/formats/unused-tokens.js");
  const [files, whole] = ["files", "tied"].map((name) => unusedTokens(join(folder, name), made.size + 31)?.reasons ?? new Map());
  expect(files?.size).toBeGreaterThan(31);
  for (const [id, reason] of whole ?? []) expect(files?.get(id), String(id)).toBe(reason);
});

test("without a tokenizer, the rows with the smallest norms are taken for unused; --unused overrides", async () => {
  const bare = join(folder, "bare");
  cpSync(join(folder, "tied"), bare, { recursive: true });
  rmSync(join(bare, "tokenizer.json"));
  const found = await untrainedTokens(bare);
  expect(found.unused.how).toContain("smallest norms");
  expect(idsOf(found)).toEqual(made.planted);
  const chosen = await untrainedTokens(bare, { unused: made.planted.slice(0, 5) });
  expect(chosen.unused.ids).toEqual(made.planted.slice(0, 5));
  expect(idsOf(chosen)).toEqual(made.planted);
  expect(new Set(chosen.candidates.map(({ reason }) => reason))).toEqual(new Set(["chosen as unused", "row like those of unused tokens"]));
  expectNumpy(bare, chosen);
  await expect(untrainedTokens(bare, { unused: [100_000] })).rejects.toMatchObject({ code: "USAGE" });
});

test("a damaged tokenizer is named", async () => {
  const damaged = join(folder, "damaged");
  mkdirSync(damaged);
  cpSync(join(folder, "tied"), damaged, { recursive: true });
  writeFileSync(join(damaged, "tokenizer.json"), '{"model": {}}');
  await expect(untrainedTokens(damaged)).rejects.toMatchObject({ code: "FORMAT_INVALID", message: expect.stringContaining("tokenizer.json") });
});
