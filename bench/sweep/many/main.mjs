// A thousand trials of some milliseconds, each a child process, through the workers of this machine: what the controller takes, and what is left of its ledger
// when it is killed again and again.
//
//   npm run bench:trials -- --trials 1000 --kills 50 [--seed 1] [--workers 2]
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { builtInPath } from "../../../dist/config/paths-in-config.js";
import { readSweep } from "../../../dist/sweep/sweep-summary.js";
import { randomFrom } from "../../../scripts/random.mjs";

const { values } = parseArgs({
  options: {
    trials: { type: "string", default: "1000" },
    kills: { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
    workers: { type: "string", default: "2" },
  },
});
const [trials, kills] = [Number(values.trials), Number(values.kills)];
const random = randomFrom(Number(values.seed));
const folder = mkdtempSync(join(tmpdir(), "bh-bridge-many-"));
const corpus = builtInPath();
const program = fileURLToPath(new URL("controller.mjs", import.meta.url));

/** The controller in a folder: its process, and the promise of what it prints; undefined where it was killed. */
function start(out) {
  const child = spawn(process.execPath, [program, corpus, values.trials, values.workers, out], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (data) => {
    said += data;
  });
  const ended = new Promise((resolve, reject) =>
    child.once("close", (code, signal) => {
      if (code === 0) resolve(JSON.parse(said));
      else if (signal === "SIGKILL") resolve(undefined);
      else reject(new Error(`the controller ended with ${code ?? signal}`));
    }),
  );
  return { child, ended };
}

const directoryIn = (out) => join(out, readdirSync(out)[0] ?? "");
const linesOf = (directory) => readFileSync(join(directory, "ledger.jsonl"), "utf8").trim().split("\n");

/** What is not as it should be once all trials have ended. */
function problemsOf(directory) {
  const lines = linesOf(directory).map((line) => JSON.parse(line));
  const completed = lines.filter(({ status }) => status === "completed").map(({ trial }) => trial);
  const runs = readdirSync(join(directory, "runs"));
  const again = runs.filter((run) => readFileSync(join(directory, "runs", run, "trained"), "utf8") !== "trained\n");
  const { counts } = JSON.parse(readFileSync(join(directory, "result.json"), "utf8"));
  return [
    ...(new Set(completed).size === trials ? [] : [`${new Set(completed).size} of ${trials} trials were completed`]),
    ...(completed.length === trials ? [] : [`the ledger has ${completed.length} completions`]),
    ...(runs.length === trials ? [] : [`there are ${runs.length} runs`]),
    ...(counts.completed === trials ? [] : [`the document counts ${counts.completed}`]),
    ...again.map((run) => `${run} was trained more than once`),
  ];
}

async function untouched() {
  const out = join(folder, "whole");
  const { directory, planSeconds, seconds, memory } = await start(out).ended;
  const bytes = statSync(join(directory, "ledger.jsonl")).size;
  const lines = linesOf(directory).length;
  const began = performance.now();
  await readSweep(directory, async () => new Map());
  const scanSeconds = (performance.now() - began) / 1000;
  const againBegan = performance.now();
  await start(out).ended;
  const againSeconds = (performance.now() - againBegan) / 1000;
  const perThousand = (value) => ((value * 1000) / trials).toFixed(2);
  console.log(`${trials} trials, ${values.workers} workers, node ${process.version}`);
  console.log(`  planned in           ${planSeconds.toFixed(2)} s`);
  console.log(`  trained in           ${seconds.toFixed(1)} s: ${((1000 * seconds) / trials).toFixed(1)} ms a trial`);
  console.log(`  controller's memory  ${memory.join(", ")} MB after each fifth`);
  console.log(`  ledger               ${lines} lines, ${Math.round(bytes / lines)} bytes a line`);
  console.log(`  plan.json            ${Math.round(statSync(join(directory, "plan.json")).size / trials)} bytes a trial`);
  console.log(`  result.json          ${Math.round(statSync(join(directory, "result.json")).size / trials)} bytes a trial`);
  console.log(`  sweep status reads   ${perThousand(scanSeconds)} s per 1,000 trials`);
  console.log(`  nothing left to do   ${againSeconds.toFixed(2)} s from start to end`);
  return problemsOf(directory);
}

/** Lines of the ledger in a folder, two per trial; 0 before there is one. */
function linesIn(out) {
  try {
    return linesOf(directoryIn(out)).length;
  } catch {
    return 0;
  }
}

/** Kill the controller until it has been killed as often as asked, each time after more trials, with some left; then let it end. */
async function killed() {
  const out = join(folder, "killed");
  for (let done = 0; ; ) {
    const { child, ended } = start(out);
    if (done < kills) {
      let hasEnded = false;
      child.once("close", () => (hasEnded = true));
      const wanted = (2 * trials * (done + random())) / (kills + 1);
      while (!hasEnded && linesIn(out) <= wanted) await after(2);
      if (!hasEnded && child.kill("SIGKILL")) done++;
    }
    const answer = await ended;
    if (answer !== undefined) return { done, problems: problemsOf(directoryIn(out)) };
  }
}

try {
  const problems = await untouched();
  const { done, problems: others } = kills > 0 ? await killed() : { done: 0, problems: [] };
  const all = [...problems, ...others];
  console.log(`${done} kills of the controller: ${all.length === 0 ? "each trial completed once, the ledger exact" : all.slice(0, 20).join("\n")}`);
  process.exitCode = all.length === 0 && done === kills ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
