import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { goOnWith } from "../../../../src/commands/train/go-on-with.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { writeRun } from "../../serve/written-run.js";

/** Give a run a step as Python writes it, with spaces behind the colons: by these it is looked for. */
const asPython = (run: string) => {
  writeFileSync(join(run, "events.jsonl"), '{"seq": 1, "mono": 1.0, "wall": 1.0, "type": "step_end", "global_step": 1, "epoch": 0.1, "loss": 2.0}\n');
  return run;
};

test("a run that has taken a step has the command that goes on with it, from where one is", () => {
  const run = asPython(writeRun({ folder: temporaryDirectory(), id: "it's a run" }));
  expect(goOnWith(run)).toBe(`Go on with:  bh-bridge resume '${relative(process.cwd(), run).replaceAll("'", "'\\''")}'`);
});

test("one that has taken none has nothing to go on from", () => {
  const run = writeRun({ folder: temporaryDirectory(), id: "run" });
  writeFileSync(join(run, "events.jsonl"), "");
  expect(goOnWith(run)).toBeUndefined();
  expect(goOnWith("/nowhere")).toBeUndefined();
});
