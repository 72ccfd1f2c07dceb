import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { checkTorch } from "../../src/commands/doctor/checks.js";
import { probePython } from "../../src/python/require-packages.js";
import { realPython } from "./real-python.js";

const folder = mkdtempSync(join(tmpdir(), "drift-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

test("a transformers with other settings than the types is told by doctor: what it lacks, what it adds, and how to mend it", async () => {
  const otherVersion = `
import dataclasses
fields = dataclasses.fields
def other_fields(kind):
    found = fields(kind)
    if getattr(kind, "__name__", "") != "TrainingArguments":
        return found
    return [field for field in found if field.name != "lr_scheduler_type"] + [dataclasses.field(default=None)]
class Named:
    name = "brand_new"
dataclasses.fields = lambda kind: [Named if field.name is None else field for field in other_fields(kind)]
`;
  writeFileSync(join(folder, "sitecustomize.py"), otherVersion);
  const report = await probePython(realPython);
  vi.stubEnv("PYTHONPATH", folder);
  const check = (await checkTorch(report)).checks.find(({ name }) => name === "training arguments");
  expect(check).toMatchObject({
    ok: false,
    found: `transformers ${report.packages.transformers} lacks lr_scheduler_type; brand_new cannot be set yet`,
    fix: expect.stringMatching(/-m pip install "transformers==\d/),
  });
  const older = { ...report, packages: { ...report.packages, transformers: "5.4.0" } };
  expect((await checkTorch(older)).checks.find(({ name }) => name === "training arguments")).toMatchObject({
    ok: true,
    found: "transformers 5.4.0 lacks lr_scheduler_type, which cannot be set; brand_new cannot be set yet",
    fix: null,
  });
});
