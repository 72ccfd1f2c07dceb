import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa, execaSync } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { completionDocumentSchema } from "../../src/commands/shell/completion.js";
import { fieldPaths } from "../../src/config/json-schema.js";
import { presetNames } from "../../src/config/presets.js";
import { projectRoot, run, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const cwd = folder.path;

/** A name with everything that a shell could misread, or execute. */
const oddName = 'my run: "a" it\'s $(touch executed) `touch executed`';

beforeAll(() => {
  for (const [path, name] of [
    ["runs/2026-11-24T16-20-34-quick-1f2e3d4c", "deep blue: x"],
    [`runs/${oddName}`, "odd"],
    ["other/zzz", "zzz"],
    ["runs/no-run", ""],
  ] as const) {
    mkdirSync(join(cwd, path), { recursive: true });
    if (name !== "") writeFileSync(join(cwd, path, "run.json"), JSON.stringify({ name }));
  }
  mkdirSync(join(cwd, "experiments/norms"), { recursive: true });
  mkdirSync(join(cwd, "texts"));
  writeFileSync(join(cwd, "a text.txt"), "");
  const header = JSON.stringify({ __metadata__: { format: "pt" }, "wte.weight": { dtype: "F32", shape: [0], data_offsets: [0, 0] } });
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  for (const path of ["model.safetensors", "runs/2026-11-24T16-20-34-quick-1f2e3d4c/history.safetensors"])
    writeFileSync(join(cwd, path), Buffer.concat([size, Buffer.from(header)]));
});

/** The candidates for the last of these words. */
async function candidates(...words: string[]): Promise<string[]> {
  const { stdout, exitCode } = await run(["complete", "fish", ...words], { cwd });
  expect(exitCode).toBe(0);
  return stdout === "" ? [] : stdout.split("\n").map((line) => line.split("\t")[0] ?? "");
}

const quick = "2026-11-24T16-20-34-quick-1f2e3d4c";

test.each<[words: string[], expected: string[]]>([
  [["tra"], ["train"]],
  [["runs", "v"], ["verify"]],
  [["--json", "runs", "v"], ["verify"]],
  [["train", "--pre"], ["--preset"]],
  [["train", "--preset", ""], [...presetNames]],
  [["train", "--engine=p"], ["--engine=portable"]],
  [["train", "--set", "training.lr_scheduler_t"], ["training.lr_scheduler_type="]],
  [
    ["train", "--set", "model.norm="],
    ["model.norm=rmsnorm", "model.norm=layernorm", "model.norm=native"],
  ],
  [["train", "--set", "data.corpus=a"], ["data.corpus=a text.txt"]],
  [["sweep", "--grid", "training.bf16=true,f"], ["training.bf16=true,false"]],
  [["experiment", "--arm", "a:seed=1,model.norm=la"], ["a:seed=1,model.norm=layernorm"]],
  [["experiment", "jig"], ["jiggle-vs-still"]],
  [["analyze", quick, "--only", "timeline,mo"], ["timeline,motion"]],
  [["rerecord", quick, "--tensors", "wte.exp_avg_"], ["wte.exp_avg_sq"]],
  [["compare", quick, "--assert-equal", "history,lo"], ["history,loss"]],
  [["export", "--to", "saf"], ["safetensors"]],
  [["runs", "show", "2026"], [quick]],
  [["runs", "show", "deep"], ["deep blue: x"]],
  [["runs", "show", "no"], []],
  [["compare", "--out", "other", ""], ["zzz"]],
  [["census", `${quick}::`], [`${quick}::wte.weight`]],
  [["census", "deep blue: x::w"], ["deep blue: x::wte.weight"]],
  [["census", "model.safetensors::"], ["model.safetensors::wte.weight"]],
  [["sweep", "status", "exp"], ["experiments/norms"]],
  [["train", "--corpus", "te"], ["texts/"]],
  [["inspect", "--", "mod"], ["model.safetensors"]],
  [
    ["completion", ""],
    ["bash", "zsh", "fish"],
  ],
  [["train", "--steps", ""], []],
  [["nothing", "x"], []],
])("bh-bridge %j completes to %j", async (words, expected) => {
  expect(await candidates(...words)).toEqual(expected);
});

test("every field of the configuration is completed", () => {
  const { fields } = JSON.parse(readFileSync(join(projectRoot, "dist/completion.json"), "utf8")) as { fields: { path: string }[] };
  const paths = fields.map(({ path }) => path);
  expect(fieldPaths().filter((path) => !paths.includes(path))).toEqual([]);
});

test("every command of the program is completed, in the order of its help", async () => {
  const { stdout } = await run(["--help", "--json"]);
  const { commands } = JSON.parse(stdout) as { commands: { name: string }[] };
  expect(await candidates("")).toEqual(commands.map(({ name }) => name));
});

test("a completion loads no command and no package", async () => {
  const env = { NODE_V8_COVERAGE: join(cwd, "loaded") };
  await run(["complete", "fish", "train", "--preset", ""], { cwd, env });
  const [report = ""] = readdirSync(env.NODE_V8_COVERAGE);
  const { result } = JSON.parse(readFileSync(join(env.NODE_V8_COVERAGE, report), "utf8")) as { result: { url: string }[] };
  const loaded = result.map(({ url }) => url).filter((url) => url.startsWith("file:"));
  expect(loaded.map((url) => url.replace(/.*\/dist\//, ""))).toEqual(["cli.js", "commands/shell/complete.js", "commands/shell/candidates.js"]);
});

const odd = {
  plain: String.raw`my\ run:\ \"a\"\ it\'s\ \$\(touch\ executed\)\ \`touch\ executed\``,
  double: String.raw`"my run: \"a\" it's \$(touch executed) \`touch executed\`"`,
  single: String.raw`'my run: "a" it'\''s $(touch executed) ${"`touch executed`"}'`,
  plainInFish: String.raw`my\ run:\ \"a\"\ it\'s\ \$\(touch\ executed\)\ ${"`touch"}\ ${"executed`"}`,
  singleInFish: String.raw`'my run: "a" it\'s $(touch executed) ${"`touch executed`"}'`,
  doubleInFish: String.raw`"my run: \"a\" it's \$(touch executed) ${"`touch executed`"}"`,
};

describe.each(["bash", "zsh", "fish"] as const)("%s", (shell) => {
  const isThere = execaSync(shell, ["--version"], { reject: false }).exitCode === 0;

  test("completion prints a script, and a document under --json", async () => {
    const [{ stdout: script }, { stdout: json }] = await Promise.all([run(["completion", shell]), run(["completion", shell, "--json"])]);
    expect(completionDocumentSchema.parse(JSON.parse(json))).toEqual({ schema: "bh-bridge/completion@1", shell, script });
  });

  test.skipIf(!isThere)("Tab completes lines", async () => {
    const { stdout: script } = await run(["completion", shell]);
    writeFileSync(join(cwd, `script.${shell}`), script);
    const isFish = shell === "fish";
    const ends: Record<string, string> = {
      "bh-bridge tra": "bh-bridge train ",
      "bh-bridge train --set training.lr_scheduler_t": "bh-bridge train --set training.lr_scheduler_type=",
      "bh-bridge train --set training.lr_scheduler_type=cosine_with_r": "bh-bridge train --set training.lr_scheduler_type=cosine_with_restarts ",
      "bh-bridge train --engine=po": "bh-bridge train --engine=portable ",
      "bh-bridge runs show my": `bh-bridge runs show ${isFish ? odd.plainInFish : odd.plain} `,
      "bh-bridge runs show my\\ run:": `bh-bridge runs show ${isFish ? odd.plainInFish : odd.plain} `,
      "bh-bridge runs show 'my": `bh-bridge runs show ${isFish ? odd.singleInFish : odd.single}${shell === "bash" ? "" : " "}`,
      'bh-bridge runs show "my': `bh-bridge runs show ${isFish ? odd.doubleInFish : odd.double}${shell === "bash" ? "" : " "}`,
      "bh-bridge runs show de": "bh-bridge runs show deep\\ blue:\\ x ",
      [`bh-bridge census ${quick}::w`]: `bh-bridge census ${quick}::wte.weight `,
      [`bh-bridge census runs/${quick}::w`]: `bh-bridge census runs/${quick}::wte.weight `,
      "bh-bridge train --corpus a\\ t": "bh-bridge train --corpus a\\ text.txt ",
      "bh-bridge train --corpus te": "bh-bridge train --corpus texts/",
      "bh-bridge census ~/in": "bh-bridge census ~/init ",
      "bh-bridge nothing x": "bh-bridge nothing x",
    };
    const { stdout } = await execa("python3", [join(projectRoot, "tests/e2e/press_tab.py"), shell, join(cwd, `script.${shell}`)], {
      cwd,
      input: JSON.stringify(Object.keys(ends)),
    });
    const found = JSON.parse(stdout) as string[];
    expect(Object.fromEntries(Object.keys(ends).map((line, index) => [line, found[index]]))).toEqual(ends);
    expect(readdirSync(cwd)).not.toContain("executed");
  });
});
