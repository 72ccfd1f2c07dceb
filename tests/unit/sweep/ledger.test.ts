import { execFileSync } from "node:child_process";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
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

test("a line that does not fit is undone, and later lines follow whole ones", () => {
  const directory = temporaryDirectory();
  const program = join(directory, "program.ts");
  const text = `
    import { Ledger, readLedger } from ${JSON.stringify(resolve("src/sweep/ledger.ts"))};
    const ledger = new Ledger(${JSON.stringify(directory)});
    const append = (trial, reason) => {
      try {
        ledger.append({ trial, status: "failed", run: null, reason });
        return "appended";
      } catch (error) {
        return error.code;
      }
    };
    const outcomes = [append("a", "x".repeat(400)), append("b", "x".repeat(700)), append("c", "short"), append("a", "short too")];
    console.log(JSON.stringify([outcomes, [...readLedger(${JSON.stringify(directory)})].map(([trial, { reason }]) => [trial, reason.length])]));`;
  writeFileSync(program, text);
  // The shell's limit of 1,024 bytes a file cuts the second write short, as a full disk does.
  const node = [process.execPath, "--import", pathToFileURL(resolve("scripts/typescript-loader.mjs")).href, program];
  const printed = execFileSync("bash", ["-c", 'ulimit -f 1; exec "$@"', "bash", ...node], { encoding: "utf8" });
  expect(JSON.parse(printed)).toEqual([
    ["appended", "DISK_FULL", "appended", "appended"],
    [
      ["a", 9],
      ["c", 5],
    ],
  ]);
  const written = readFileSync(join(directory, "ledger.jsonl"), "utf8");
  expect(written.match(/^\{.*\}\n/gm)?.join("")).toBe(written);
});

test("half a line before a whole one is ignored; a whole line before another, on one line, is damage", () => {
  const directory = temporaryDirectory();
  const path = join(directory, "ledger.jsonl");
  const line = (trial: string, reason = "") => JSON.stringify({ at: "2026-01-01T00:00:00.000Z", trial, status: "planned", run: null, reason });
  const first = `${line("a")}\n`;
  const second = line("b", 'it said {"at":"x"} and }');
  for (let cut = 1; cut < second.length; cut++) {
    writeFileSync(path, `${first}${second.slice(0, cut)}${line("c")}\n${line("d")}\n`);
    expect([...readLedger(directory).keys()], second.slice(0, cut)).toEqual(["a", "c", "d"]);
  }
  writeFileSync(path, `${first}${second}${line("c")}\n`);
  expect(() => readLedger(directory)).toThrow(/ledger\.jsonl is damaged in line 2/);
});

test("half a character at the end of a ledger is cut off exactly", () => {
  const directory = temporaryDirectory();
  const path = join(directory, "ledger.jsonl");
  const whole = '{"at":"x","trial":"a","status":"planned","run":null}\n';
  writeFileSync(path, Buffer.concat([Buffer.from(whole), Buffer.from('{"at":"ä').subarray(0, -1)]));
  using ledger = new Ledger(directory);
  ledger.append({ trial: "b", status: "planned", run: null });
  expect(readFileSync(path, "utf8").startsWith(`${whole}{"at":"2`)).toBe(true);
});
