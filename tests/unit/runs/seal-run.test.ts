import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { coverFiles, sealRun } from "../../../src/runs/checksums.js";
import { verifyRun } from "../../../src/runs/verify-run.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";

const written = () => writeRun({ folder: temporaryDirectory(), id: "a" });
const sumsOf = (directory: string) => readFileSync(join(directory, "SHA256SUMS"), "utf8");

test("the checksums of a sealed run are right by sha256sum, cover all that it consists of, and nothing else", () => {
  const directory = written();
  writeFileSync(join(directory, "run.lock"), "1");
  writeFileSync(join(directory, "my notes.txt"), "");
  sealRun(directory);
  const checked = execFileSync("sha256sum", ["-c", "--strict", "SHA256SUMS"], { cwd: directory, encoding: "utf8" });
  expect(checked.trim().split("\n").sort()).toEqual(["config.json: OK", "events.jsonl: OK", "history.idx: OK", "run.json: OK"]);
  const head = createHash("sha256")
    .update(readFileSync(join(directory, "history.safetensors")).subarray(0, 4104))
    .digest("hex");
  expect(sumsOf(directory)).toContain(`#head ${head}  history.safetensors`);
});

test("a run that has checksums keeps them", () => {
  const directory = written();
  sealRun(directory);
  const before = sumsOf(directory);
  appendFileSync(join(directory, "events.jsonl"), "more\n");
  sealRun(directory);
  expect(sumsOf(directory)).toBe(before);
});

test("what a manifest has a checksum of is not read again", () => {
  const directory = written();
  mkdirSync(join(directory, "final"));
  writeFileSync(join(directory, "final/model.safetensors"), "m");
  const sum = "5".repeat(64); // another than its own
  writeFileSync(join(directory, "final/MANIFEST.json"), JSON.stringify({ format: 1, files: { "model.safetensors": { size: 1, sha256: sum } } }));
  sealRun(directory);
  expect(sumsOf(directory)).toContain(`${sum}  final/model.safetensors\n`);
});

test("files that come later are covered whole where there are checksums, and make none where there are none", () => {
  const directory = written();
  const later = ["history.wte.grad.2-3.safetensors", "notes.json"];
  for (const name of later) writeFileSync(join(directory, name), name);
  coverFiles(directory, later);
  expect(existsSync(join(directory, "SHA256SUMS"))).toBe(false);
  for (const name of later) execFileSync("rm", [join(directory, name)]);
  sealRun(directory);
  for (const name of later) writeFileSync(join(directory, name), name);
  coverFiles(directory, later);
  for (const name of later) expect(sumsOf(directory)).toContain(`${createHash("sha256").update(name).digest("hex")}  ${name}\n`);
});

test("damaged checksums are left as they are, for a check to tell of", async () => {
  const directory = written();
  sealRun(directory);
  const damaged = sumsOf(directory).replace(/^[0-9a-f]/m, "x");
  writeFileSync(join(directory, "SHA256SUMS"), damaged);
  coverFiles(directory, ["run.json"]);
  expect(sumsOf(directory)).toBe(damaged);
  expect((await verifyRun(directory)).problems).toContainEqual(expect.stringContaining("SHA256SUMS"));
});
