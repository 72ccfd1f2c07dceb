// Damages each file of a run in each way, looks at the run with each command, and prints what went wrong as JSON.
// In a process of its own: a read that blocks cannot be interrupted from within. Before each cell its name is printed.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { analyze } from "../../../src/analysis/analyze.js";
import { censusOfRows } from "../../../src/analysis/census/census-of-rows.js";
import { compare } from "../../../src/compare/compare.js";
import { configHash } from "../../../src/config/config-hash.js";
import { BhBridgeError } from "../../../src/errors.js";
import { Matrix } from "../../../src/formats/matrix.js";
import { writeSafetensors } from "../../../src/formats/safetensors/safetensors.js";
import { makeReport } from "../../../src/report/report-page.js";
import { openRun } from "../../../src/runner/open-run.js";
import { runRow } from "../../../src/runner/run-row.js";
import { concludeRun } from "../../../src/runner/summarize-run.js";
import { openEmbedding } from "../../../src/runs/open-embedding.js";
import { openHistory } from "../../../src/runs/open-history.js";
import { readRunConfig } from "../../../src/runs/run-config.js";
import { requireRunEntries } from "../../../src/runs/run-layout.js";
import { readRunManifest, writeRunManifest, writeRunNotes } from "../../../src/runs/run-manifest.js";
import { noLockHolders, scanRuns, unfinishedRuns } from "../../../src/runs/scan-runs.js";
import { verifyRun } from "../../../src/runs/verify-run.js";
import { askedServer } from "../../unit/serve/asking.js";
import { writeRun } from "../../unit/serve/written-run.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-damage-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const out = join(folder, "runs");
const [steps, dims] = [4, 2];

/** A model as training leaves it, in a folder with its manifest. */
function writeModel(directory: string): void {
  mkdirSync(directory, { recursive: true });
  const matrix = new Matrix("F32", [2, 2], new Uint8Array(16));
  const rows = { source: "", dtype: "F32" as const, rows: 2, columns: 2, read: (_: number, __: number, target: Uint8Array) => target.set(matrix.bytes) };
  writeSafetensors(join(directory, "model.safetensors"), [{ name: "wte.weight", shape: [2, 2], rows }]);
  writeFileSync(join(directory, "config.json"), "{}");
  const files = ["config.json", "model.safetensors"].map((name) => {
    const bytes = readFileSync(join(directory, name));
    return [name, { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") }];
  });
  writeFileSync(join(directory, "MANIFEST.json"), JSON.stringify({ format: 1, files: Object.fromEntries(files) }));
}

/** A finished run with every file that the matrix damages. */
async function writeWhole(id: string): Promise<string> {
  const run = writeRun({ folder: out, id, steps, dims });
  const config = readRunConfig(run);
  writeRunManifest(run, { ...readRunManifest(run), config_hash: configHash(config) });
  for (const name of ["final", "checkpoints/step-000002"]) writeModel(join(run, name));
  writeFileSync(join(run, "python.log"), "nothing\n");
  writeFileSync(join(run, "run.lock"), "1\n1\nhost\nboot\nended\n");
  await concludeRun(run, config, { workers: 0 });
  writeRunNotes(run, { note: "as in the paper", tags: ["a"] });
  return run;
}

const damages: Readonly<Record<string, (path: string) => void>> = {
  missing: (path) => rmSync(path, { recursive: true }),
  empty: (path) => replace(path, () => writeFileSync(path, "")),
  truncated: (path) => truncateSync(path, Math.floor(lstatSync(path).size / 2)),
  zeros: (path) => writeFileSync(path, new Uint8Array(lstatSync(path).size)),
  "100 MB of zeros": (path) =>
    replace(path, () => {
      writeFileSync(path, "");
      truncateSync(path, 100e6);
    }),
  "other bytes": (path) =>
    replace(path, () =>
      writeFileSync(
        path,
        Uint8Array.from({ length: 5000 }, (_, at) => (at * 197 + 13) % 251),
      ),
    ),
  "a flipped bit": (path) => {
    const bytes = readFileSync(path);
    const at = bytes.length >> 1;
    writeFileSync(path, bytes.with(at, (bytes[at] ?? 0) ^ 1));
  },
  "a folder": (path) => replace(path, () => mkdirSync(path)),
  "a file": (path) => replace(path, () => writeFileSync(path, "a file")),
  "a link to itself": (path) => replace(path, () => symlinkSync(basename(path), path)),
  "a link to nothing": (path) => replace(path, () => symlinkSync("nothing", path)),
  "a pipe": (path) => replace(path, () => execFileSync("mkfifo", [path])),
  "a device": (path) => replace(path, () => symlinkSync("/dev/zero", path)),
};
/** What `runs` has to list as corrupt, whichever file of the run's directory it happened to. */
const misplaced = ["a folder", "a link to itself", "a link to nothing", "a pipe", "a device"];
const contentDamages = ["empty", "truncated", "zeros", "100 MB of zeros", "other bytes", "a flipped bit"];

function replace(path: string, make: () => void): void {
  rmSync(path, { recursive: true });
  make();
}

const files = [
  "run.json",
  "config.json",
  "notes.json",
  "events.jsonl",
  "history.safetensors",
  "history.idx",
  "SHA256SUMS",
  "analysis.json",
  "run.lock",
  "python.log",
];
/** A file of a length that nobody writes is read in pieces, or refused. */
const longFiles = ["run.json", "events.jsonl", "history.safetensors", "history.idx", "SHA256SUMS"];
const modelFiles = ["model.safetensors", "MANIFEST.json", "config.json"].flatMap((name) => [`final/${name}`, `checkpoints/step-000002/${name}`]);
const folders = ["final", "checkpoints", "checkpoints/step-000002"];
const ofFiles = Object.keys(damages).filter((kind) => kind !== "a file");
const cells: [file: string, kind: string][] = [
  ...files.flatMap((file) => ofFiles.filter((kind) => kind !== "100 MB of zeros" || longFiles.includes(file)).map((kind): [string, string] => [file, kind])),
  ...modelFiles.flatMap((file) => ["missing", "a flipped bit", ...misplaced].map((kind): [string, string] => [file, kind])),
  ...folders.flatMap((file) => ["missing", "a file", "a link to itself", "a pipe", "a device"].map((kind): [string, string] => [file, kind])),
];

const good = await writeWhole("good");
const whole = await writeWhole("victim");
const spare = join(folder, "spare");
cpSync(whole, spare, { recursive: true });
const wrong: string[] = [];
let looks = 0;
const spent: Record<string, number> = {};

async function victimListed() {
  const found = await scanRuns(out, noLockHolders);
  unfinishedRuns(found);
  const rows = await Promise.all(found.map(runRow));
  const other = rows.find(({ run }) => run === good);
  if (other?.status !== "completed") throw new Error(`the other run is ${other?.status ?? "not listed"}: ${other?.problem}`);
  return rows.find(({ run }) => run === whole);
}

/** Each command, as it is without its terminal. */
const commands: Readonly<Record<string, (file: string, kind: string) => Promise<unknown>>> = {
  async runs(file, kind) {
    const row = await victimListed();
    if (!misplaced.includes(kind) || file.includes("/") || (row === undefined && file === "run.json")) return;
    if (row?.status !== "corrupt" || !row.problem?.includes(file)) throw new Error(`it is listed as ${row?.status}, with the problem ${row?.problem}`);
  },
  "runs show": async () => (await openRun(whole)).result({ workers: 0 }),
  async "runs verify"(file, kind) {
    const { problems } = await verifyRun(whole);
    const isCovered = file !== "run.lock" && !(kind === "missing" && ["SHA256SUMS", "checkpoints", "checkpoints/step-000002"].includes(file));
    if (isCovered && (contentDamages.includes(kind) || kind === "missing" || misplaced.includes(kind)) && !problems.some((problem) => problem.includes(file)))
      throw new Error(`it does not name ${file}: ${problems.join("; ")}`);
  },
  report: () => makeReport({ kind: "runs", runs: [whole] }, { workers: 0 }),
  compare: () => compare([whole, good]),
  async analyze() {
    const history = await openHistory(whole);
    try {
      await analyze(history, { workers: 0 });
    } finally {
      history.close();
    }
  },
  async census() {
    const embedding = await openEmbedding(whole);
    try {
      await censusOfRows(embedding.rows, undefined, { workers: 0 });
    } finally {
      embedding.close();
    }
  },
  async resume() {
    requireRunEntries(whole); // what `resume` does first, before it asks Python who holds the lock
    await concludeRun(whole, readRunConfig(whole), { workers: 0 });
  },
};

function complain(text: string): void {
  wrong.push(text);
  writeSync(1, `wrong: ${text}\n`);
}

async function look(file: string, kind: string, command: string, act: () => Promise<unknown>): Promise<void> {
  writeSync(1, `${file}, ${kind}, ${command}\n`);
  looks++;
  const began = performance.now();
  try {
    await act();
  } catch (error) {
    const isTyped = error instanceof BhBridgeError && error.code !== "INTERNAL";
    if (!isTyped) complain(`${file}, ${kind}, ${command}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const seconds = (performance.now() - began) / 1000;
  spent[command] = (spent[command] ?? 0) + seconds;
  if (seconds > 60) complain(`${file}, ${kind}, ${command}: it took ${seconds.toFixed(1)} s`);
}

function restore(): void {
  rmSync(whole, { recursive: true, force: true });
  cpSync(spare, whole, { recursive: true });
}

/** Commands that take long look at every n-th cell alone, each at others. */
const [every = "1"] = process.argv.slice(2);
const quick = ["runs", "runs verify", "census"];
const isLookedAt = (command: string, cell: number) =>
  quick.includes(command) || (cell + [...Object.keys(commands), "serve"].indexOf(command)) % Number(every) === 0;
await using server = await askedServer(out);
const idOf = async (name: string) => (await server.shelf()).runs.find(({ run }) => run === name)?.id;
for (const [at, [file, kind]] of cells.entries()) {
  for (const [command, act] of Object.entries(commands).filter(([name]) => isLookedAt(name, at))) {
    damages[kind]?.(join(whole, file));
    await look(file, kind, command, () => act(file, kind));
    restore();
  }
  if (!isLookedAt("serve", at)) continue;
  damages[kind]?.(join(whole, file));
  await look(file, kind, "serve", async () => {
    await new Promise((resolve) => setTimeout(resolve, 410)); // the list is read anew after 400 ms
    if ((await idOf("good")) === undefined) throw new Error("the other run is not listed");
    const id = await idOf("victim");
    for (const what of id === undefined ? [] : ["", "/series", "/history", "/census?state=0", "/path?row=1", "/states"]) {
      const { status, body } = await server.ask(`/api/runs/${id}${what}`);
      if (status >= 500) throw new Error(`${what || "the run"} is answered with ${status}: ${body}`);
    }
  });
  restore();
}
const left = readdirSync(dirname(whole)).filter((name) => name !== "good" && name !== "victim");
if (left.length > 0) wrong.push(`the commands left ${left.join(", ")}`);
writeSync(1, `${JSON.stringify({ looks, wrong, spent })}\n`);
process.exit(0);
