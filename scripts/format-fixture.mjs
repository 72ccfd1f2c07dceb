// Write what a version leaves on disk, for tests/e2e/formats.test.ts, which later versions open, resume and verify:
//
//   node scripts/format-fixture.mjs tests/e2e/formats/0.3.0.zip [--program dist/cli.js]
//
// A stopped run with checkpoints, a finished run, and where the version has them a stopped experiment and a report. To write one of an earlier version, build its tag
// in another folder and name its program. A fixture of a released version is never written again.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { parseArgs } from "node:util";
import { root } from "./prepare.mjs";

const { positionals, values } = parseArgs({ allowPositionals: true, options: { program: { type: "string", default: join(root, "dist/cli.js") } } });
const target = resolve(positionals[0]);
if (existsSync(target)) throw new Error(`${target} exists, and the fixture of a version is not written again`);
const python = join(root, ".venv/bin/python");
const folder = mkdtempSync(join(tmpdir(), "bh-bridge-fixture-"));

const settings = [
  "model.n_embd=8",
  "model.n_layer=1",
  "model.n_head=1",
  "model.n_positions=16",
  "training.per_device_train_batch_size=2",
  "checkpoint.every=10",
].flatMap((setting) => ["--set", setting]);
const common = ["--device", "cpu", "--threads", "1"];
const corpus = ["--corpus", "corpus.txt"];
const options = { cwd: folder, env: { ...process.env, BH_BRIDGE_PYTHON: python }, stdio: ["ignore", "ignore", "pipe"] };
const program = (...args) => execFileSync(process.execPath, [resolve(values.program), ...args], options);
const knows = (command) => execFileSync(process.execPath, [resolve(values.program), "--help"], { encoding: "utf8" }).includes(`\n  ${command} `);
const runIn = (out) => readdirSync(out).filter((name) => !name.startsWith("."))[0];

/** Run a command that trains, ask it to stop when `isEnough`, and return the directory that it leaves in `making`. */
async function stopped(command, isEnough) {
  const child = spawn(process.execPath, [resolve(values.program), ...command, ...common, "--out", "making"], options);
  const making = join(folder, "making");
  const made = () => join(making, (existsSync(making) && runIn(making)) || "");
  while (child.exitCode === null && !isEnough(made())) await after(2);
  if (child.exitCode !== null) throw new Error(`${command.join(" ")} ended before it was asked to stop`);
  child.kill("SIGINT");
  await new Promise((ended) => child.once("close", ended));
  return made();
}

const textOf = (path) => (existsSync(path) ? readFileSync(path, "utf8") : "");
const stepsIn = (run) => textOf(join(run, "events.jsonl")).split('"step_end"').length - 1;
const finishedIn = (experiment) =>
  (existsSync(join(experiment, "runs")) ? readdirSync(join(experiment, "runs")) : []).filter((run) => existsSync(join(experiment, "runs", run, "SHA256SUMS")))
    .length;

try {
  // All characters of the notebook's vocabulary are ASCII; a text of its own keeps the fixture small and complete.
  writeFileSync(join(folder, "corpus.txt"), "A text of its own, long enough for some windows of sixteen tokens. ".repeat(12));
  const run = await stopped(["train", "--preset", "quick", "--steps", "300", ...settings, ...corpus], (made) => stepsIn(made) >= 15);
  renameSync(run, join(folder, "stopped"));
  program("train", "--preset", "quick", "--steps", "12", ...settings, ...common, ...corpus, "--out", "making");
  renameSync(join(folder, "making", runIn(join(folder, "making"))), join(folder, "finished"));
  if (knows("report")) program("report", "finished", "--output", "report.html");
  if (knows("experiment")) {
    // The built-in corpus: a plan names a text by its path, which would be gone.
    const arms = "arms: { layernorm: { model: { norm: layernorm } }, rmsnorm: {} }";
    const model = "model: { n_embd: 8, n_layer: 1, n_head: 1, n_positions: 16 }";
    const training = "training: { max_steps: 8, per_device_train_batch_size: 2 }";
    writeFileSync(join(folder, "norms.yaml"), `base: { preset: quick, ${model}, ${training} }\n${arms}\nseeds: 1..3\n`);
    await stopped(["experiment", "norms.yaml", "--workers", "1"], (made) => finishedIn(made) >= 1);
    renameSync(join(folder, "making"), join(folder, "experiments")); // a directory with a plan keeps its name
  }
  mkdirSync(dirname(target), { recursive: true });
  execFileSync(python, ["-c", "import shutil, sys; shutil.make_archive(*sys.argv[1:2], 'zip', sys.argv[2])", target.replace(/\.zip$/, ""), folder]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
