import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { verifyDocumentSchema } from "../../../../src/commands/runs/format-runs.js";
import { runsCommand } from "../../../../src/commands/runs/runs.js";
import { configHash } from "../../../../src/config/config-hash.js";
import { sealRun } from "../../../../src/runs/checksums.js";
import { readRunConfig } from "../../../../src/runs/run-config.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { writeRun } from "../../serve/written-run.js";
import { captureStdout } from "../capture-stdout.js";

let code: typeof process.exitCode;
beforeEach(() => {
  code = process.exitCode;
});
afterEach(() => {
  process.exitCode = code;
});

/** A run that stopped before its end, which so has no final model. */
function sealed(): string {
  const run = writeRun({ folder: temporaryDirectory(), id: "run", steps: 5, status: "stopped" });
  const manifest = join(run, "run.json");
  writeFileSync(manifest, readFileSync(manifest, "utf8").replace(`"config_hash": "${"0".repeat(64)}"`, `"config_hash": "${configHash(readRunConfig(run))}"`));
  sealRun(run);
  return run;
}

const verify = (...args: string[]) => captureStdout(runsCommand(), "verify", ...args);

test("a sound run says so, and which files no checksum covers, by reason", async () => {
  const run = sealed();
  for (const name of ["a.txt", "b\u001b.txt"]) writeFileSync(join(run, name), "mine");
  const text = await verify(run);
  expect(text).toMatch(new RegExp(`^${run}: all checksums match\n`));
  expect(text).toMatch(/Not covered: a\.txt, b\S+ \(/);
  expect(text).not.toContain("\u001b");
  expect(process.exitCode).toBe(code);
});

test("a damaged run names what is wrong, and its exit code says that something is", async () => {
  const run = sealed();
  appendFileSync(join(run, "config.json"), " ");
  const document = verifyDocumentSchema.parse(JSON.parse(await verify("--json", run)));
  expect(document).toMatchObject({ run, ok: false, problems: [expect.stringContaining("config.json")] });
  expect(process.exitCode).toBe(1);
});

test("one flipped bit of a recorded state is found", async () => {
  const run = sealed();
  const path = join(run, "history.safetensors");
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(path, bytes);
  expect(await verify(run)).toContain("history.safetensors: state 5 (step 5) has CRC-32");
  expect(process.exitCode).toBe(1);
});
