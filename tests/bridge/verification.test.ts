import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { analyze } from "../../src/analysis/analyze.js";
import { train } from "../../src/runner/train.js";
import { parseChecksums, sealRun, sha256, writeChecksums } from "../../src/runs/checksums.js";
import { openHistory } from "../../src/runs/open-history.js";
import { writeAnalysis } from "../../src/runs/recorded-run.js";
import { writeRunNotes } from "../../src/runs/run-manifest.js";
import { verifyRun } from "../../src/runs/verify-run.js";
import { corpusFile } from "./corpus-file.js";
import { warmPython } from "./real-python.js";

const out = mkdtempSync(join(tmpdir(), "bh-bridge-verification-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));
let whole = "";
beforeAll(async () => {
  const model = { vocab_size: 128, n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 };
  const settings = { python: warmPython, model, training: { max_steps: 3 }, data: { corpus: corpusFile(out) }, threads: 1, device: "cpu" as const };
  ({ directory: whole } = await train(settings, { out }));
});

const note = { note: "as in the paper", tags: ["baseline"] };
const onlyTheLock = [expect.objectContaining({ file: "run.lock" })];

function copyOf(run: string, name: string): string {
  const copy = join(out, name);
  cpSync(run, copy, { recursive: true });
  return copy;
}

function checksumsOf(run: string) {
  const sums = parseChecksums(readFileSync(join(run, "SHA256SUMS"), "utf8"));
  if (!sums) throw new Error(`the checksums of ${run} are damaged`);
  return sums;
}

/** A run as one that was killed: nothing has noted its end. */
function interrupt(run: string): string {
  unlinkSync(join(run, "SHA256SUMS"));
  const manifest = readFileSync(join(run, "run.json"), "utf8");
  writeFileSync(join(run, "run.json"), manifest.replace('"status": "completed"', '"status": "running"'));
  return run;
}

test("plain sha256sum checks every file of a finished run but its lock and the states of its history", async () => {
  const { stdout } = await execa("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: whole });
  const checked = stdout.split("\n").map((line) => line.replace(/: OK$/, ""));
  const files = readdirSync(whole, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name).slice(whole.length + 1));
  expect(checked.sort()).toEqual(paths.filter((path) => !["run.lock", "SHA256SUMS", "history.safetensors"].includes(path)).sort());
});

test("a note, a tag and an analysis that come later are covered like the rest", async () => {
  const run = copyOf(whole, "annotated");
  writeRunNotes(run, note);
  writeRunNotes(run, { ...note, tags: ["pin"] });
  const history = await openHistory(run);
  writeAnalysis(run, await analyze(history, { only: ["motion"] }));
  history.close();
  expect(await verifyRun(run)).toEqual({ problems: [], uncovered: onlyTheLock });
  await execa("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: run });
  writeFileSync(join(run, "notes.json"), readFileSync(join(run, "notes.json"), "utf8").replace("paper", "pager"));
  expect((await verifyRun(run)).problems).toEqual([`${join(run, "notes.json")} is damaged: its SHA-256 is not the one in SHA256SUMS`]);
});

test("a note whose writer died at any instant is not taken for damage, and the next one goes through", async () => {
  const written = copyOf(whole, "written");
  writeRunNotes(written, note);
  const [before, after] = [undefined, readFileSync(join(written, "notes.json"), "utf8")];
  for (const [name, content] of [["announced", before] as const, ["renamed", after] as const]) {
    const run = copyOf(whole, name);
    const sums = checksumsOf(run);
    sums.next.set("notes.json", sha256(after));
    writeChecksums(run, sums);
    if (content !== undefined) writeFileSync(join(run, "notes.json"), content);
    expect(await verifyRun(run), name).toEqual({ problems: [], uncovered: onlyTheLock });
    writeRunNotes(run, { note: null, tags: [] });
    expect(await verifyRun(run), name).toEqual({ problems: [], uncovered: onlyTheLock });
    expect(checksumsOf(run).next.size).toBe(0);
  }
});

test("a run of an earlier version is sound, and says which of its files have no checksum", async () => {
  const run = copyOf(whole, "earlier");
  unlinkSync(join(run, "SHA256SUMS"));
  const index = readFileSync(join(run, "history.idx"));
  for (let at = 0; at < index.length; at += 24) index.writeUInt32LE(0, at + 12);
  writeFileSync(join(run, "history.idx"), index);
  const { problems, uncovered } = await verifyRun(run);
  expect(problems).toEqual([]);
  const reasons = new Map(uncovered.map(({ file, reason }) => [file, reason]));
  expect(reasons.get("run.json")).toContain("the run has no sound SHA256SUMS");
  expect(reasons.get("history.idx")).toContain("records of an earlier version");
  expect(reasons.get("history.safetensors")).toContain("only its states have checksums");
  expect(reasons.has("final/model.safetensors")).toBe(false);
  sealRun(run);
  expect(await verifyRun(run)).toEqual({ problems: [], uncovered: onlyTheLock });
});

test("an interrupted run is checked as far as its index goes, losses included, and names the rest as not covered yet", async () => {
  const run = interrupt(copyOf(whole, "interrupted"));
  const { problems, uncovered } = await verifyRun(run);
  expect(problems).toEqual([]);
  expect(uncovered.map(({ file }) => file)).toEqual(expect.arrayContaining(["run.json", "events.jsonl", "python.log", "history.safetensors"]));
  expect(uncovered.map(({ file }) => file)).not.toContain("history.idx");
  expect(uncovered.find(({ file }) => file === "run.json")?.reason).toBe("SHA256SUMS is written when the run has come to its end");
  const index = readFileSync(join(run, "history.idx"));
  index.writeUInt8(index.readUInt8(2 * 24 + 20) ^ 4, 2 * 24 + 20); // a bit of the loss of step 2
  writeFileSync(join(run, "history.idx"), index);
  expect((await verifyRun(run)).problems).toEqual([`${join(run, "history.idx")}: record 2 is damaged: it does not have its own CRC-32`]);
});

test("files that are gone, that came later and that are not the run's are told apart", async () => {
  const run = copyOf(whole, "changed");
  unlinkSync(join(run, "python.log"));
  writeFileSync(join(run, "notes.json"), JSON.stringify(note));
  writeFileSync(join(run, "figure.png"), "");
  expect(await verifyRun(run)).toEqual({
    problems: [`${join(run, "python.log")} is missing`],
    uncovered: [{ file: "figure.png", reason: "it is not a part of the run" }, { file: "notes.json", reason: "it came after the checksums" }, ...onlyTheLock],
  });
});

test("damaged checksums are told of, and left for whoever looks into it", async () => {
  const run = copyOf(whole, "damaged");
  const path = join(run, "SHA256SUMS");
  const damaged = readFileSync(path, "utf8").replace("config.json", "config.jsom");
  writeFileSync(path, damaged);
  writeRunNotes(run, note);
  expect((await verifyRun(run)).problems).toEqual([`${path} is damaged: its last line is not the checksum of the others`]);
  expect(readFileSync(path, "utf8")).toBe(damaged);
});
