import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { RunSource } from "../../../src/figures/runs/run-figure.js";
import { storyFacts, storyOf } from "../../../src/report/story.js";
import { openRun } from "../../../src/runner/open-run.js";
import { type RunOfStates, runOfStates, type StateRows } from "../figures/run-of-states.js";

async function scenesOf(states: RunOfStates) {
  using run = runOfStates(states);
  const { verdict } = await (await openRun(run.directory)).result(run.scan);
  const facts = await storyFacts(run, verdict);
  if (!facts) throw new Error("the run has no facts for a story");
  return storyOf(facts);
}

const rows = (...values: number[]): StateRows => values.map((value) => [value, value]);

test("five scenes tell a run whose dead tokens stay together, each at a recorded step", async () => {
  const states = [rows(1, 1, 1, 1, 1), rows(2, 1, 1, 1, 1), rows(2, 3, 4, 1, 1), rows(5, 3, 4, 1, 1)];
  const scenes = await scenesOf({ states, dead: [1, 2], tokens: [65, 66, 67, 1, 2] });
  expect(scenes.map(({ title, step }) => [title, step])).toEqual([
    ["Start", 0],
    ["First exits", 1],
    ["What stays", 3],
    ["Why", 2],
    ["Verdict and rule", 3],
  ]);
  expect(scenes.map(({ sentences }) => sentences.join(" "))).toEqual([
    "At step 0, all 5 rows are equal: C = 1 and P = 5. 2 tokens are dead, because they never occur in the training text; all of them share a row with another token.",
    "At step 1, the first live token leaves a black hole: “A”. C = 1 and P = 4 afterwards. The last to leave are “B” and “C”, at step 2.",
    "After step 3, C = 1 and P = 2. In black holes are 2 dead tokens; 3 tokens are alone.",
    expect.stringMatching(/^A dead token is never an input or a target.* they stay equal in every bit\.$/),
    expect.stringMatching(/^The verdict is null: no split: the 2 dead tokens .* Rule: positive if any/),
  ]);
});

test("a step that was not recorded is not named as that of an exit", async () => {
  const scenes = await scenesOf({ states: [rows(1, 1, 1), rows(1, 1, 1), rows(2, 1, 1)], steps: [0, 100, 200], dead: [1, 2] });
  expect(scenes[1]?.sentences[0]).toMatch(/^Between steps 100 and 200, the first live token leaves/);
  expect(scenes[1]?.sentences[1]).toBe("No live token leaves later.");
});

test("a story mentions no dead tokens, black holes or exits when there are none", async () => {
  const lone = await scenesOf({ states: [rows(1, 2, 3), rows(4, 5, 6)] });
  const texts = lone.map(({ sentences }) => sentences.join(" "));
  expect(texts[0]).toBe("At step 0, 3 of 3 rows are distinct: C = 0 and P = 0. None of the 3 recorded tokens is dead: all of them occur in the training text.");
  expect(texts[1]).toMatch(/^No live token is ever in a black hole\./);
  expect(texts[2]).toBe("After step 1, C = 0 and P = 0. No token shares its row with another: all 3 are alone.");
  expect(texts[3]).toMatch(/^A live token occurs in the text/);
  expect(texts[4]).toMatch(/^The verdict is degenerate: not scored: none of the 3 rows belongs to a dead token/);
  const stuck = await scenesOf({ states: [rows(1, 1, 1), rows(2, 2, 2)], dead: [2] });
  expect(stuck[0]?.sentences[1]).toBe("One token is dead, because it never occurs in the training text; its row is shared.");
  expect(stuck[1]?.sentences[0]).toBe("No live token leaves a black hole.");
  expect(stuck[2]?.sentences[1]).toBe("In black holes are 1 dead token and 2 live tokens; 0 tokens are alone.");
});

test("dead tokens that parted are not said to stay together", async () => {
  const [start, , stays, why, verdict] = await scenesOf({ states: [rows(1, 1, 1, 2), rows(1, 1, 3, 3)], dead: [0, 1, 2] });
  expect(start?.sentences[1]).toMatch(/^3 tokens are dead, .* all of them share/);
  expect(stays?.sentences[1]).toBe("In black holes are 3 dead tokens and 1 live token; of the live ones, 0 returned and 1 joined; 0 tokens are alone.");
  expect(why?.sentences[1]).toBe("In exact arithmetic such rows stay equal. This run adds no noise, so rounding or a change by a callback has separated them.");
  expect(verdict?.sentences[0]).toMatch(/^The verdict is positive:/);
});

test("a story with noise says how long it lasts, and what separates the rows", async () => {
  const noisy = async (last_step: number | null, states: StateRows[]) => {
    using run = runOfStates({ states, dead: [1, 2] });
    const path = join(run.directory, "config.json");
    const config = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...config, noise: { epsilon: 1e-3, last_step } }));
    using changed = new RunSource(run.directory, { workers: 0 });
    const { verdict } = await (await openRun(run.directory)).result(changed.scan);
    const facts = await storyFacts(changed, verdict);
    return facts ? (storyOf(facts)[3]?.sentences[1] ?? "") : "";
  };
  const parted = [rows(1, 2, 2), rows(1, 2, 3)];
  expect(await noisy(1, parted)).toBe("This run adds random noise to every row up to step 1, which separates equal rows.");
  expect(await noisy(null, parted)).toBe("This run adds random noise to every row after every step, which separates equal rows.");
  expect(await noisy(null, [rows(1, 2, 2), rows(5, 2, 2)])).toBe(
    "This run adds random noise to every row, but they are equal at the end: noise below half the distance to the next number is rounded away.",
  );
});

test("a frozen run has a story in which nothing leaves and nothing has moved", async () => {
  const frozen = await scenesOf({ states: [rows(1, 2, 2), rows(1, 2, 2), rows(1, 2, 2)], dead: [1, 2] });
  expect(frozen.map(({ step }) => step)).toEqual([0, 2, 2, 2, 2]);
  expect(frozen.map(({ sentences }) => sentences[0])).toEqual([
    "At step 0, 2 of 3 rows are distinct: C = 1 and P = 2.",
    "No live token is ever in a black hole.",
    "After step 2, C = 1 and P = 2.",
    expect.stringContaining("A dead token is never an input or a target"),
    "The verdict is degenerate: not scored: no weight changed in any step.",
  ]);
});

test("rows that became NaN are counted as such, and a run before its first step has no story", async () => {
  const broken = await scenesOf({ states: [rows(1, 1, 1), rows(Number.NaN, 1, 1)], dead: [1, 2] });
  expect(broken[2]?.sentences[1]).toContain("of which 1 row with NaN");
  expect(await scenesOf({ states: [rows(1, 1)] })).toEqual([]);
});
