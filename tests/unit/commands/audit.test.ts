import { afterEach, expect, test } from "vitest";
import { auditCommand, formatAudit } from "../../../src/commands/audit.js";
import { auditDocumentSchema } from "../../../src/commands/documents.js";
import { terminalColors } from "../../../src/commands/terminal/terminal.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";
import { captureStdout } from "./capture-stdout.js";

const series = temporaryDirectory();
const make = `
import os, sys, numpy as np
from safetensors.numpy import save_file
for step, value in ((0, 0), (10, 1), (20, 2), (30, 1)):
    os.mkdir(f"{sys.argv[1]}/checkpoint-{step}")
    save_file({"wte.weight": np.random.default_rng(value).normal(size=(16, 8)).astype(np.float32)}, f"{sys.argv[1]}/checkpoint-{step}/model.safetensors")
print(0)`;
expectedFrom(make, series);

afterEach(() => {
  process.exitCode = undefined;
});

test("findings set exit code 1, and --json prints the document", async () => {
  const document = auditDocumentSchema.parse(JSON.parse(await captureStdout(auditCommand(), series, "--json")));
  expect(process.exitCode).toBe(1);
  expect(document.findings).toMatchObject([{ kind: "duplicate", checkpoints: [`${series}/checkpoint-10`, `${series}/checkpoint-30`] }]);
  expect(document.bytesRead).toBe(4 * 16 * 8 * 4);
});

test("without findings the exit code is 0", async () => {
  const text = await captureStdout(auditCommand(), `${series}/checkpoint-0`, `${series}/checkpoint-10`, "--no-color");
  expect(process.exitCode).toBeUndefined();
  expect(text).toContain("2 checkpoints, steps 0 to 10\nRead 1.02 kB of 1.02 kB\n\nNo findings\n");
});

test("findings fit 80 columns, and a long list of checkpoints is cut", () => {
  const checkpoints = Array.from({ length: 86 }, (_, index) => `https://huggingface.co/org/model@step${index}000`);
  const finding = { kind: "duplicate" as const, checkpoints, evidence: `step 0, ${"step 1,000, ".repeat(10)}step 2,000 have the same weights` };
  const text = formatAudit({ series: [], findings: [finding], notes: [], bytes: 1e9, bytesRead: 1e5 }, terminalColors(false), 80);
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(text).toContain("  … and 78 more\n");
});
