import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { builtInPath } from "../../src/config/paths-in-config.js";
import { readRunManifest } from "../../src/runs/run-manifest.js";
import { expectedFrom } from "../unit/formats/reference-python.js";
import { run, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const tokenizer = join(folder.path, "tokenizer.json");
const vocabulary = 4000;

interface Counted {
  dead: number[];
  texts: string[];
}

test("a vocabulary of 4,000 tokens from the tokenizer to the report: dead tokens are counted, and told by their text", async () => {
  const made = await run(["tokenizer", "train", "--kind", "char-bpe", "--vocab", String(vocabulary), "--out", tokenizer, "--json"]);
  expect(made.exitCode, made.stderr).toBe(0);
  const { dead, texts } = expectedFrom<Counted>(
    `
import json, sys
from tokenizers import Tokenizer
tokenizer = Tokenizer.from_file(sys.argv[1])
live = set(tokenizer.encode(open(sys.argv[2], encoding="utf-8").read(), add_special_tokens=False).ids)
print(json.dumps({"dead": [token for token in range(4000) if token not in live], "texts": [tokenizer.decode([token], False) for token in range(4000)]}))
`,
    tokenizer,
    builtInPath(),
  );
  expect(dead.length).toBeGreaterThan(0);

  const small = ["--set", "model.n_positions=16", "--set", "training.per_device_train_batch_size=4", "--device", "cpu", "--threads", "1"];
  const of = ["--set", `data.tokenizer=${tokenizer}`, "--set", `model.vocab_size=${vocabulary}`];
  const out = join(folder.path, "runs");
  const trained = await run(["train", ...small, ...of, "--steps", "3", "--out", out, "--json"]);
  expect(trained.exitCode, trained.stderr).toBe(0);
  const { run: directory } = JSON.parse(trained.stdout);
  expect(readRunManifest(directory).corpus).toMatchObject({ deadTokens: dead, distinct: vocabulary - dead.length });

  const census = JSON.parse((await run(["census", directory, "--rows", "dead", "--json"])).stdout);
  expect(census.rows).toBe(dead.length);
  for (const [place, token] of (census.members[0] as number[]).entries()) expect(census.texts[0][place]).toBe(texts[token]);

  const page = join(folder.path, "report.html");
  const reported = await run(["report", directory, "-o", page]);
  expect(reported.exitCode, reported.stderr).toBe(0);
  expect(readFileSync(page, "utf8")).toContain("tokenizer");

  // A pattern of rows is of the tokens' text; the census of the rows that were recorded speaks of tokens.
  const chosen = await run(["train", ...small, ...of, "--set", "record.rows=/^ ?th/", "--steps", "1", "--out", out, "--json"]);
  expect(chosen.exitCode, chosen.stderr).toBe(0);
  const { members, rows } = JSON.parse((await run(["census", JSON.parse(chosen.stdout).run, "--json"])).stdout);
  const expected = texts.flatMap((text, token) => (/^ ?th/.test(text) ? [token] : []));
  expect(rows).toBe(expected.length);
  expect(expected).toEqual(expect.arrayContaining(members.flat()));
  const none = await run(["train", ...small, ...of, "--set", "record.rows=/q{5}/", "--out", out, "--json"]);
  expect(JSON.parse(none.stdout)).toMatchObject({
    code: "CONFIG_INVALID",
    issues: [{ path: "record.rows", message: expect.stringContaining("matches no token") }],
  });
});

test("a sweep with a tokenizer that is missing and one that is none starts nothing", async () => {
  const wrong = join(folder.path, "wrong.json");
  writeFileSync(wrong, "{}");
  const out = join(folder.path, "sweeps");
  const grid = `data.tokenizer=${join(folder.path, "none.json")},${wrong}`;
  const { exitCode, stdout } = await run(["sweep", "--preset", "quick", "--grid", grid, "--seeds", "1..3", "--out", out, "--json"]);
  expect(exitCode).toBe(2);
  const { code, issues } = JSON.parse(stdout);
  expect(code).toBe("CONFIG_INVALID");
  expect(issues.map(({ path, message }: { path: string; message: string }) => [path, message.split(" ").slice(1, 3).join(" ")])).toEqual([
    ["data.tokenizer", "cannot be"],
    ["data.tokenizer", "is not"],
  ]);
});
