import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { corpusDocumentSchema } from "../../src/commands/documents.js";
import { readRunManifest } from "../../src/runs/run-manifest.js";
import { run, temporaryFolder } from "./program.js";
import { tensorBytes } from "./tensor-bytes.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

function text(name: string, content: string): string {
  const path = join(folder.path, name);
  writeFileSync(path, content);
  return path;
}

const upper = text("upper.txt", "THE QUICK BROWN FOX ".repeat(40));
const lower = text("lower.txt", "jumps over the lazy dog ".repeat(90));
const small = ["--device", "cpu", "--threads", "1", "--set", "model.n_positions=16", "--set", "training.per_device_train_batch_size=4"];
const constant = ["--set", "training.lr_scheduler_type=constant"];

async function trained(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run(["train", ...small, ...args, "--out", join(folder.path, "runs"), "--json"]);
  expect(exitCode, stderr + stdout).toBe(0);
  return JSON.parse(stdout).run;
}

const embedding = (directory: string) => tensorBytes(join(directory, "history.safetensors"), "embedding_history");

test("several texts: each has its share of the windows, a token is dead that is dead in all, and a run that goes on has the bits of one that did not stop", async () => {
  const corpus = `data.corpus=${JSON.stringify([{ path: upper, weight: 3 }, { path: lower }])}`;
  const whole = await trained("--set", corpus, ...constant, "--steps", "6");
  const windows = 800 - 16 + 2160 - 16;
  const { corpus: facts } = readRunManifest(whole);
  expect(facts).toMatchObject({ tokens: 2960, windows, distinct: new Set("THE QUICK BROWN FOX jumps over the lazy dog ").size });
  expect(facts.files?.map(({ path, windows: share }) => [path, share])).toEqual([
    [upper, Math.round((windows * 3) / 4)],
    [lower, windows - Math.round((windows * 3) / 4)],
  ]);
  const part = await trained("--set", corpus, ...constant, "--steps", "3");
  const resumed = await run(["resume", part, "--steps", "6", "--json"]);
  expect(resumed.exitCode, resumed.stderr).toBe(0);
  expect(embedding(part)).toEqual(embedding(whole));

  writeFileSync(lower, `${"jumps over the lazy cat ".repeat(90)}`);
  const changed = await run(["resume", part, "--steps", "8", "--json"]);
  expect(JSON.parse(changed.stdout)).toMatchObject({ code: "RESUME_MISMATCH", message: expect.stringContaining("the corpus has changed") });
});

test("two of --corpus are halves, with engine portable too", async () => {
  const other = text("other.txt", "pack my box with five dozen liquor jugs ".repeat(60));
  const both = await trained("--corpus", upper, "--corpus", other, "--steps", "2", "--engine", "portable");
  const [first, second] = readRunManifest(both).corpus.files ?? [];
  expect(Math.abs((first?.windows ?? 0) - (second?.windows ?? 0))).toBeLessThanOrEqual(1);
});

test("a compressed text and its bytes as token ids give the bits of the text; a run of documents resumes, and its corpus is noticed when it changes", async () => {
  const ascii = "The quick brown fox jumps over the lazy dog.\n".repeat(40);
  const plain = await trained("--corpus", text("plain.txt", ascii), "--steps", "2");
  writeFileSync(join(folder.path, "plain.txt.gz"), gzipSync(ascii));
  writeFileSync(join(folder.path, "train.bin"), Uint16Array.from(Buffer.from(ascii)));
  for (const name of ["plain.txt.gz", "train.bin"]) {
    expect(embedding(await trained("--corpus", join(folder.path, name), "--steps", "2")), name).toEqual(embedding(plain));
  }
  const lines = (word: string) => Array.from({ length: 30 }, (_, at) => JSON.stringify({ body: `${word} ${at}: ${ascii.slice(0, 40 + at)}` })).join("\n");
  const documents = ["--corpus", text("stories.jsonl", lines("story")), "--set", "data.field=body", "--set", "data.documents=separate", ...constant];
  const whole = await trained(...documents, "--steps", "4");
  const { corpus } = readRunManifest(whole);
  expect(corpus).toMatchObject({ path: join(folder.path, "stories.jsonl"), documents: 30 });
  expect(Object.keys(corpus)).not.toContain("readFrom");
  const part = await trained(...documents, "--steps", "2");
  const resumed = await run(["resume", part, "--steps", "4", "--json"]);
  expect(resumed.exitCode, resumed.stderr).toBe(0);
  expect(embedding(part)).toEqual(embedding(whole));
  text("stories.jsonl", lines("other"));
  const changed = await run(["resume", part, "--steps", "6", "--json"]);
  expect(JSON.parse(changed.stdout)).toMatchObject({ code: "RESUME_MISMATCH", message: expect.stringContaining("the corpus has changed") });
});

test("--dry-run reports what would be read, without training", async () => {
  const path = text("few.jsonl", ["abcdefg", "xy", "12345"].map((each) => JSON.stringify({ text: each })).join("\n"));
  const read = await run(["train", "--corpus", path, "--set", "data.window_length=4", "--dry-run", "--json", "--out", join(folder.path, "none")]);
  expect(corpusDocumentSchema.parse(JSON.parse(read.stdout))).toMatchObject({ path, documents: 3, joint: "\n\n", tokens: 18, dead: 128 - 15, windows: 14 });
  const { stdout } = await run(["train", "--corpus", path, "--set", "data.window_length=4", "--dry-run"]);
  expect(stdout).toContain("3 documents, joined by a blank line\n         18 tokens, 15 distinct, 113 dead of 128; 14 windows");
  expect(existsSync(join(folder.path, "none"))).toBe(false);
});

test.each([
  ["a weight of nothing", [{ path: upper, weight: 0 }, { path: lower }], /data\.corpus\.0\.weight: 0 is not accepted: expected a number above 0/],
  ["a file named twice", [{ path: upper }, { path: upper }], /data\.corpus: .*upper\.txt twice/],
  ["an empty file", [{ path: upper }, { path: text("empty.txt", "") }], /empty\.txt is empty/],
])("%s is refused", async (_, corpus, says) => {
  const { exitCode, stdout } = await run(["train", ...small, "--set", `data.corpus=${JSON.stringify(corpus)}`, "--out", join(folder.path, "none"), "--json"]);
  expect(exitCode).toBe(2);
  expect(JSON.parse(stdout).message).toMatch(says);
});

test("all 256 bytes: a UTF-8 text trains, its bytes are live, and lone bytes are shown as numbers", async () => {
  const naive = text("naive.txt", "naïve café — €5 ".repeat(60));
  const directory = await trained("--corpus", naive, "--set", "model.vocab_size=256", "--steps", "2");
  const live = new Set(new TextEncoder().encode("naïve café — €5 "));
  expect(readRunManifest(directory).corpus).toMatchObject({ distinct: live.size, dead: 256 - live.size });
  const census = JSON.parse((await run(["census", directory, "--rows", "dead", "--json"])).stdout);
  expect(census.rows).toBe(256 - live.size);
  const [members] = census.members;
  expect(census.texts[0][members.indexOf(0xff)]).toBe("<0xFF>");
  expect(census.texts[0][members.indexOf(0x41)]).toBe("A");
});
