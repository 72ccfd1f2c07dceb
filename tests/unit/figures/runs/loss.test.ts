import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { figureSchema } from "../../../../src/figures/figure.js";
import { isAbsent } from "../../../../src/figures/runs/run-figure.js";
import { loss } from "../../../../src/figures/runs/training.js";
import { linesOf, runOfStates } from "../run-of-states.js";

const step = (global_step: number, of: number | string) => ({ type: "step_end", global_step, loss: of });
const held = (global_step: number, of: number) => ({ type: "evaluate", global_step, metrics: { eval_loss: of } });

async function drawn(events: readonly object[]) {
  using run = runOfStates({ states: [[[1]], [[2]]] });
  const log = join(run.directory, "events.jsonl");
  writeFileSync(log, "");
  for (const [seq, event] of events.entries()) appendFileSync(log, `${JSON.stringify({ seq, mono: seq, wall: seq, epoch: 0, ...event })}\n`);
  const data = await loss.read(run);
  if (isAbsent(data)) return data.absent;
  return figureSchema.parse(loss.describe([{ label: "run", source: { name: "run", hash: "0" }, data }]));
}

test("the loss of each step is shown, and that of held-out text at its own steps", async () => {
  const figure = await drawn([step(1, 5), step(2, 4), held(2, 4.5), step(3, 3)]);
  if (typeof figure === "string") throw new Error(figure);
  expect(linesOf(figure)).toEqual({
    loss: [
      [1, 2, 3],
      [5, 4, 3],
    ],
    "held-out text": [[2], [4.5]],
  });
  expect(figure.caption).toContain("held-out");
});

test("a loss that is no number is a gap, and one line needs no name", async () => {
  const figure = await drawn([step(1, 5), step(2, "NaN"), step(3, "Infinity"), step(4, 2)]);
  if (typeof figure === "string") throw new Error(figure);
  expect(linesOf(figure)).toEqual({
    "": [
      [1, 2, 3, 4],
      [5, null, null, 2],
    ],
  });
  expect(figure.caption).not.toContain("held-out");
});

test("before its first step a run has no loss", async () => expect(await drawn([])).toContain("no step yet"));
