import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Ledger, readLedger } from "../../../src/sweep/ledger.js";
import { temporaryDirectory } from "../formats/reference-python.js";

test("the newest line of a trial holds, for its writer and for whoever reads it meanwhile", () => {
  const directory = temporaryDirectory();
  using ledger = new Ledger(directory);
  ledger.append({ trial: "a", status: "running", run: "runs/a", worker: { pid: 7, cores: [0, 1] } });
  ledger.append({ trial: "b", status: "failed", run: null, reason: "no disk" });
  expect(readLedger(directory).get("a")).toMatchObject({ status: "running", worker: { pid: 7, cores: [0, 1] } });
  ledger.append({ trial: "a", status: "lost", run: "runs/a" });
  expect(readLedger(directory).get("a")?.status).toBe("lost");
  expect(ledger.of("b")).toMatchObject({ status: "failed", reason: "no disk" });
});

test("a line that its writer did not finish is passed over, and taken away by the next writer", () => {
  const directory = temporaryDirectory();
  const path = join(directory, "ledger.jsonl");
  {
    using ledger = new Ledger(directory);
    ledger.append({ trial: "ä", status: "planned", run: null });
  }
  const whole = readFileSync(path, "utf8");
  appendFileSync(path, '{"at":"2026-');
  expect([...readLedger(directory).keys()]).toEqual(["ä"]);
  using ledger = new Ledger(directory);
  expect(readFileSync(path, "utf8")).toBe(whole);
  ledger.append({ trial: "b", status: "planned", run: null });
  expect([...readLedger(directory).keys()]).toEqual(["ä", "b"]);
});

test("a damaged line is told with its number, and no ledger is an empty one", () => {
  const directory = temporaryDirectory();
  expect(readLedger(directory).size).toBe(0);
  writeFileSync(join(directory, "ledger.jsonl"), '{"at":"x","trial":"a","status":"planned","run":null}\n{"trial":"b"}\n');
  expect(() => readLedger(directory)).toThrow(/ledger\.jsonl is damaged in line 2/);
});
