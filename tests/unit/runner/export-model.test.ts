import { expect, test } from "vitest";
import { parse } from "yaml";
import { modelCard } from "../../../src/runner/export-model.js";
import { summarizeRun } from "../../../src/runner/summarize-run.js";
import { readRunConfig } from "../../../src/runs/run-config.js";
import { readRunManifest } from "../../../src/runs/run-manifest.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";

const directory = writeRun({ folder: temporaryDirectory(), id: "a", name: "my run" });
const [config, manifest] = [readRunConfig(directory), readRunManifest(directory)];
const result = await summarizeRun(directory, config, manifest);
const input = { manifest, config, result, repository: "me/model", remoteCode: false };
const row = (name: string, card: string) => new RegExp(`^\\| ${name} \\| (.*) \\|$`, "m").exec(card)?.[1];

test("a card has a head that a hub reads, and says how to load the model", () => {
  const card = modelCard(input);
  expect(parse(/^---\n(.*?)---/s.exec(card)?.[1] ?? "")).toEqual({
    library_name: "transformers",
    pipeline_tag: "text-generation",
    tags: ["gpt2", "bh-bridge", "black-holes"],
  });
  expect(card).toContain('AutoModelForCausalLM.from_pretrained("me/model")\n');
  expect(modelCard({ ...input, remoteCode: true })).toContain('from_pretrained("me/model", trust_remote_code=True)');
});

test("it tells the result and the versions", () => {
  const card = modelCard(input);
  expect(card).toContain("# my run\n\nA GPT-2 with RMSNorm, 1,000 parameters, trained for 60 of 60 steps from the initial state `singular`.");
  const { bhBridge, ...rows } = {
    bhBridge: row("bh-bridge", card),
    weights: row("weights", card),
    unique: row("unique rows", card),
    holes: row("black holes", card),
    largest: row("largest", card),
    torch: row("torch", card),
    git: row("git", card),
  };
  expect(bhBridge).toBe(manifest.package_version);
  expect(rows).toEqual({ weights: "all finite", unique: "121 of 128", holes: "C = 1", largest: "8", torch: manifest.environment.torch, git: undefined });
});

test("what failed is said, and local changes", () => {
  const failed = { ...result, finite: false, displacement: { float64: null, float32: null, bfloat16: null }, census: { ...result.census, populations: [] } };
  const git = { commit: "c".repeat(40), dirty: true, branch: "main", untracked: [], patch: null, patch_truncated: false };
  const card = modelCard({ ...input, result: failed, manifest: { ...manifest, git } });
  expect([row("weights", card), row("centroid displacement", card), row("largest", card), row("git", card)]).toEqual([
    "not all finite: this training has failed",
    "not finite",
    "none",
    `${"c".repeat(40)} with local changes`,
  ]);
});

test("it tells no place of the machine: paths are their last names, and the interpreter is left out", () => {
  const own = { ...config, python: "/home/me/venv/bin/python", data: { ...config.data, corpus: "/home/me/secret/text.txt" } };
  const card = modelCard({ ...input, config: own, manifest: { ...manifest, corpus: { ...manifest.corpus, path: "/home/me/secret/text.txt" } } });
  expect(card).not.toMatch(/home|secret|venv/);
  const written = parse(/```yaml\n(.*?)```/s.exec(card)?.[1] ?? "");
  expect(written.data.corpus).toBe("text.txt");
  expect(written).not.toHaveProperty("python");
  expect(written.training).toEqual(JSON.parse(JSON.stringify(config.training)));
});
