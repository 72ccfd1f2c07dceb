import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { unfinishedRuns } from "../../../src/runs/unfinished-runs.js";
import { temporaryFolder } from "../../e2e/program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

test("a run that took no step is not offered to go on with, wherever in its log the first step would be", () => {
  const before = '{"type": "evaluate"}\n'.repeat(6000); // longer than what is read at once
  const logs = {
    none: "",
    evaluated: before,
    stepped: '{"type": "step_end"}\n',
    late: `${before}{"type": "step_end"}\n`,
    "across-two-reads": `${" ".repeat(65_530)}{"type": "step_end"}\n`,
  };
  const runs = Object.entries(logs).map(([id, log]) => {
    const directory = join(folder.path, "unfinished", id);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "events.jsonl"), log);
    return { directory, id, status: "interrupted" as const, manifest: undefined, problem: undefined, pid: undefined };
  });
  expect(unfinishedRuns(runs).map(({ id }) => id)).toEqual(["stepped", "late", "across-two-reads"]);
});
