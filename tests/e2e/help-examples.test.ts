import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createProgram } from "../../src/commands/run-program.js";
import { ownCommands } from "../code-blocks.js";
import { unknownOptions, wordsOf } from "./docs/command-words.js";
import { projectRoot, run, temporaryFolder, warmPython, withoutTorch } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const cwd = folder.path;

/** The commands that a help page gives as examples, as one would type them. */
function examplesOf(command: Command): string[] {
  let page = "";
  command.configureOutput({ writeOut: (text) => (page += text) });
  command.outputHelp();
  const own = [...page.matchAll(/^ {2}\$ bh-bridge (.*)$/gm)].map((match) => match[1] ?? "");
  return [...own, ...command.commands.flatMap(examplesOf)];
}

/** What is cheap to run instead: a training is resolved only, an environment is not made, a server would not end, and the run of the example is one that exists. */
function cheaply(words: string[]): string[] {
  if (["generate", "reproduce", "rerecord"].includes(words[0] ?? "")) return [...words, "--help"]; // the pages have the same, and those are run
  if (["setup", "serve", "mcp"].includes(words[0] ?? "")) return [...words, "--help"];
  if (words[0] === "sweep" && ["logs", "cancel", "retry"].includes(words[1] ?? "")) return [...words, "--help"]; // there is nothing to stop
  if (words[0] === "train") return [...words, "--print-config"];
  if (words[0] === "doctor" && words.includes("--measure")) return [...words, "--help"];
  if (words[0] === "experiment" || (words[0] === "sweep" && !["status", "export"].includes(words[1] ?? ""))) return [...words, "--dry-run"];
  if (words[1] === "sign" || words.includes("--signers")) return [...words, "--help"]; // sign-run.test.ts has keys
  if (words[1] === "rm") return [...words, "--yes"]; // nobody is there to be asked
  return words.map((word) => (word.startsWith("runs/2026") ? "runs/my-run" : word.startsWith("sweeps/2026") ? "sweeps/mine" : word));
}

beforeAll(async () => {
  writeFileSync(join(cwd, "my.txt"), "A text of its own, long enough for a window. ".repeat(10));
  const trained = await run(["train", "--steps", "3", "--device", "cpu", "--threads", "1", "--corpus", "my.txt", "--quiet"], { cwd });
  expect(trained.exitCode, trained.stderr).toBe(0);
  const [made = ""] = readdirSync(join(cwd, "runs"));
  for (const name of ["my-run", "quick-2", "quick-3"]) {
    const copy = join(cwd, "runs", name);
    cpSync(join(cwd, "runs", made), copy, { recursive: true });
    writeFileSync(join(copy, "run.json"), JSON.stringify({ ...JSON.parse(readFileSync(join(copy, "run.json"), "utf8")), name }));
    rmSync(join(copy, "SHA256SUMS")); // it has the checksum of the manifest that was just replaced
  }
  mkdirSync(join(cwd, "out"));
  cpSync(join(cwd, "runs", made, "final"), join(cwd, "out/checkpoint-20"), { recursive: true });
  writeFileSync(join(cwd, "my.yaml"), "preset: quick\n");
  writeFileSync(join(cwd, "sigma.yaml"), "base: quick\nseeds: 1..2\n");
  mkdirSync(join(cwd, "sweeps/mine"), { recursive: true });
  writeFileSync(
    join(cwd, "sweeps/mine/plan.json"),
    '{"schema":"bh-bridge/plan@1","name":"mine","hash":"","preset":"quick","base":{},"prune":null,"question":null,"trials":[]}',
  );
});

// What removes runs comes last: others name them too.
/** The commands of the pages: docs.test.ts runs them. */
const pages = ["README.md", ...readdirSync("docs").flatMap((name) => (name.endsWith(".md") ? [`docs/${name}`] : []))];
const onPages = new Set(pages.flatMap((page) => ownCommands(readFileSync(page, "utf8")).map((words) => words.join(" "))));

const program = await createProgram();
const examples = [...new Set(examplesOf(program))].sort((a, b) => Number(a.startsWith("runs rm")) - Number(b.startsWith("runs rm")));

test("the help pages have examples, with options that their commands have", () => {
  expect(examples.length).toBeGreaterThan(18);
  expect(examples.flatMap((example) => unknownOptions(wordsOf(example), program))).toEqual([]);
});

const own = examples.filter((example) => !onPages.has(example));

/** Runs commands one after another in one process, which loads the program once; tells how each ended and what it printed. */
const runAll = `
const [, folder, commands] = process.argv;
const { runProgram } = await import(folder + "dist/commands/run-program.js");
const [writers, ended] = [[process.stdout, process.stderr].map((stream) => [stream, stream.write]), []];
for (const { words, env } of JSON.parse(commands)) {
  const said = ["", ""];
  writers.forEach(([stream], at) => (stream.write = (text) => { said[at] += text; return true; }));
  Object.assign(process, { argv: [process.execPath, folder + "dist/cli.js", ...words], exitCode: 0 });
  const before = { ...process.env };
  Object.assign(process.env, env);
  await runProgram();
  for (const name of Object.keys(env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
  ended.push({ exitCode: process.exitCode, stdout: said[0], stderr: said[1] });
}
for (const [stream, write] of writers) stream.write = write;
process.exitCode = 0;
console.log(JSON.stringify(ended));`;

describe("each example of a help page works", () => {
  let ended: readonly { exitCode: number; stdout: string; stderr: string }[] = [];

  beforeAll(async () => {
    const commands = own.map((example) => {
      const words = cheaply(wordsOf(example.split(" > ")[0] ?? ""));
      return { words, env: words.includes("--dry-run") ? withoutTorch : {} };
    });
    const args = ["--input-type=module", "--eval", runAll, projectRoot, JSON.stringify(commands)];
    const { stdout } = await execa(process.execPath, args, { cwd, stdin: "ignore", env: { BH_BRIDGE_PYTHON: warmPython } });
    ended = JSON.parse(stdout);
  }, 300_000);

  test.each(own.map((example, index) => [example, index] as const))("bh-bridge %s", (_, index) => {
    expect(ended[index]?.exitCode, ended[index]?.stderr).toBe(0);
    expect(ended[index]?.stdout).not.toBe("");
  });
});

test.each([[[]], [["config"]], [["help", "trian"]]])("bh-bridge %j prints help, and nothing is wrong", async (args) => {
  const { exitCode, stdout, stderr } = await run(args);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^Usage: bh-bridge/);
  expect(stdout + stderr).not.toContain("outputHelp");
});

test("what is no command is wrong usage", async () => {
  expect(await run(["config", "nope"])).toEqual({ exitCode: 2, stdout: "", stderr: "USAGE: unknown command 'nope'" });
});

test("every column and order that the help of `runs` names works", async () => {
  const { exitCode, stdout, stderr } = await run(["runs", "--columns", "run,status,loss,training.seed", "--sort", "-loss", "--format", "csv"], { cwd });
  expect(exitCode, stderr).toBe(0);
  expect(stdout.split("\n")[1]).toMatch(/,completed,.*,42$/);
});
