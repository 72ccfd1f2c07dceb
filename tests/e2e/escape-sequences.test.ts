import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeRunNotes } from "../../src/runs/run-manifest.js";
import { run, temporaryFolder } from "./program.js";

/** Sets a window's title, colours, clears the screen, turns the direction of writing. */
const evil = "x\u001b]0;owned\u0007\u001b[31m\u009b2J\u202ey";
const steering = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const out = join(folder.path, "runs");
const tensors = join(folder.path, `${evil}.safetensors`);
const corpus = join(folder.path, `${evil}.txt`);
let directory = "";
let training = "";

function changeJson(name: string, changes: object): void {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...changes }));
}

beforeAll(async () => {
  writeFileSync(corpus, "It was many and many a year ago, in a kingdom by the sea.\n".repeat(8));
  const small = ["n_embd=8", "n_layer=1", "n_head=2", "n_positions=16"].flatMap((setting) => ["--set", `model.${setting}`]);
  const settings = ["--corpus", corpus, "--steps", "2", "--device", "cpu", "--threads", "1", "--set", `name=${evil}`, ...small];
  const trained = await run(["train", ...settings, "--out", out]);
  expect(trained.exitCode, trained.stderr).toBe(0);
  training = trained.stdout + trained.stderr;
  directory = join(out, readdirSync(out).find((name) => !name.startsWith(".")) ?? "");
  const { environment, corpus: facts } = JSON.parse(readFileSync(join(directory, "run.json"), "utf8"));
  const resumed = { at: evil, from_step: 1, recorded_step: 1, exact: false, differences: [evil] };
  changeJson("run.json", {
    status: "failed",
    reason: `${evil}\n${evil}`,
    preset: evil,
    created: evil,
    environment: { ...environment, torch: evil },
    corpus: { ...facts, path: evil },
    resumes: [resumed],
    model_changes: [evil],
  });
  writeRunNotes(directory, { note: `${evil}\n${evil}`, tags: [evil] });
  writeFileSync(join(directory, evil), "");
  writeFileSync(join(directory, "final", evil), "");
  const header = JSON.stringify({ __metadata__: { [evil]: evil }, [evil]: { dtype: "F32", shape: [2, 2, 1], data_offsets: [0, 16] } });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  writeFileSync(tensors, Buffer.concat([length, Buffer.from(header), Buffer.alloc(16)]));
  writeFileSync(join(folder.path, "config.json"), JSON.stringify({ name: evil, [evil]: evil, training: { lr_scheduler_type: evil } }));
});

test("a training shows its corpus and its name without their escape sequences", () => {
  expect(training).toContain("x\\u{1b}]0;owned");
  expect(training).not.toMatch(steering);
});

test.each<[what: string, args: () => string[]]>([
  ["the list of runs", () => ["runs", "--out", out, "--columns", "run,name,status,reason,preset,created,tags,note,problem"]],
  ["the list as csv", () => ["runs", "--out", out, "--format", "csv", "--columns", "name,note"]],
  ["the list as a document", () => ["runs", "--out", out, "--json"]],
  ["one run", () => ["runs", "show", directory]],
  ["its check", () => ["runs", "verify", directory]],
  ["its note", () => ["runs", "note", directory, evil]],
  ["tensors and metadata", () => ["inspect", tensors]],
  ["an analysis", () => ["analyze", `${tensors}::${evil}`]],
  ["a census", () => ["census", `${tensors}::${evil}`]],
  ["tensors that are not there", () => ["census", `${tensors}::other`]],
  ["a configuration", () => ["config", "check", join(folder.path, "config.json")]],
  ["a resumption that is refused", () => ["resume", directory, "--corpus", corpus]],
  ["an error as a document", () => ["inspect", join(folder.path, evil), "--json"]],
])("%s shows an escape sequence from a file as plain letters", async (_, args) => {
  const { stdout, stderr } = await run(args());
  expect(stdout + stderr).toMatch(/\\u\{?(?:00)?1b|\\u\{9b/);
  expect(stdout + stderr).not.toMatch(steering);
});
