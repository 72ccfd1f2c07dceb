import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { figureSchema } from "../../../src/figures/figure.js";
import { RunSource } from "../../../src/figures/runs/run-figure.js";
import type { Block, Page } from "../../../src/report/page.js";
import { pairSection, runPage, runsPage } from "../../../src/report/run-page.js";
import { unpackedColumn } from "../../../web/report/unpacked.js";
import { type RunOfStates, writeRunOfStates } from "../figures/run-of-states.js";

const apart = [
  [1, 1],
  [2, 5],
  [3, 2],
  [4, 7],
];
const fallen = [
  [1, 1],
  [2, 5],
  [2, 5],
  [2, 5],
];

interface Changes {
  config?: (config: Record<string, Record<string, unknown>>) => void;
  manifest?: object;
  /** Mean losses that were logged, every ten steps. */
  logged?: readonly (number | string)[];
}

function opened({ config, manifest, logged = [] }: Changes, states: RunOfStates = { states: [apart, fallen], tokens: [65, 66, 67, 7] }): RunSource {
  const directory = writeRunOfStates(states);
  const change = (name: string, edit: (document: Record<string, Record<string, unknown>>) => void) => {
    const path = join(directory, name);
    const document = JSON.parse(readFileSync(path, "utf8"));
    edit(document);
    writeFileSync(path, JSON.stringify(document));
  };
  if (config) change("config.json", config);
  if (manifest) change("run.json", (document) => Object.assign(document, manifest));
  for (const [index, loss] of logged.entries()) {
    const event = { seq: 100 + index, mono: 1, wall: 1e9 + 1, type: "log", global_step: 10 * (index + 1), epoch: 0, logs: { loss } };
    appendFileSync(join(directory, "events.jsonl"), `${JSON.stringify(event)}\n`);
  }
  return new RunSource(directory, { workers: 0 });
}

async function pageOf(changes: Changes = {}, states?: RunOfStates): Promise<Page> {
  using run = opened(changes, states);
  return await runPage({ label: "run", run }, []);
}

const blocksOf = (page: Page, title: string) => page.sections.find((section) => section.title === title)?.blocks ?? [];
const tablesOf = (blocks: readonly Block[]) => blocks.flatMap((block) => (block.kind === "table" ? [block.rows] : []));

test("a page says first what came out: black holes, steps, loss, and what it was made from", async () => {
  const page = await pageOf({ logged: [3.5, 2.25] });
  const summary = Object.fromEntries(page.summary);
  expect(summary).toMatchObject({ "Black holes": "C = 1, P = 3: 2 of 4 rows are distinct", Steps: "1 of 1, completed", "Loss at the last log": "2.2500" });
  expect(summary["Configuration"]).toContain("preset quick");
  expect(page.title).toBe("made-up");
});

test("black holes list the names of their tokens", async () => {
  expect(tablesOf(blocksOf(await pageOf(), "Black holes at the end"))).toEqual([[["3", "\\x07 B C"]]]);
  expect(blocksOf(await pageOf({}, { states: [apart, apart] }), "Black holes at the end")).toEqual([{ kind: "text", text: "None." }]);
});

test("a run to weights that are no numbers says that it failed", async () => {
  const page = await pageOf(
    {},
    {
      states: [
        apart,
        [
          [1, 1],
          [2, Number.NaN],
          [3, 2],
          [4, 7],
        ],
      ],
    },
  );
  expect(Object.fromEntries(page.summary)).toMatchObject({
    Steps: "1 of 1, completed; failed: at the end the weights are not all finite numbers",
    "Displacement of the centroid": expect.stringContaining("not finite"),
  });
});

test("of many logged losses at most 20 are listed, the last among them, and one that is no number says so", async () => {
  const logged = Array.from({ length: 45 }, (_, index) => (index === 44 ? "NaN" : 4 - index / 20));
  const [rows = []] = tablesOf(blocksOf(await pageOf({ logged }), "Loss"));
  expect(rows.length).toBeLessThanOrEqual(20);
  expect(rows[0]).toEqual(["30", (4 - 2 / 20).toFixed(4)]);
  expect(rows.at(-1)).toEqual(["450", "not finite"]);
  expect(blocksOf(await pageOf(), "Loss").at(0)).toMatchObject({ kind: "text", text: expect.stringContaining("Single steps") });
});

test("a report, which is sent to others, names no folder of this machine", async () => {
  const secret = "/home/ann/secret";
  const page = await pageOf({
    config: (config) => {
      Object.assign(config, { python: `${secret}/bin/python` });
      Object.assign(config["data"] ?? {}, { corpus: `${secret}/text.txt` });
    },
  });
  const whole = JSON.stringify(page);
  expect(whole).not.toContain(secret);
  expect(whole).toContain("text.txt");
});

test("what was changed of the preset is listed with both values", async () => {
  const [rows = []] = tablesOf(
    blocksOf(await pageOf({ config: (config) => Object.assign(config["training"] ?? {}, { learning_rate: 0.5 }) }), "Configuration"),
  );
  expect(rows).toContainEqual(["training.learning_rate", expect.any(String), "0.5"]);
});

test("resumptions and changes of the model are told with the environment", async () => {
  const resume = { at: "2026-01-01T10:00:00.000Z", from_step: 40, recorded_step: 50, exact: false, differences: [] };
  const page = await pageOf({ manifest: { resumes: [resume, { ...resume, exact: true }], model_changes: ["a head was replaced"] } });
  expect(blocksOf(page, "Environment")).toContainEqual({
    kind: "list",
    items: ["resumed 2026-01-01T10:00:00.000Z from step 40 (inexact)", "resumed 2026-01-01T10:00:00.000Z from step 40", "a head was replaced"],
  });
});

test("what there is no figure of is listed with the reason", async () => {
  using run = opened({});
  const page = await runPage({ label: "run", run }, [{ name: "optimizer", run: "run", absent: "it recorded neither" }]);
  expect(blocksOf(page, "Omitted figures")).toEqual([{ kind: "list", items: ["optimizer, run: it recorded neither"] }]);
});

test("several runs stand side by side with their results, and what differs in what they were made from", async () => {
  using first = opened({ config: (config) => Object.assign(config["training"] ?? {}, { learning_rate: 0.5 }) });
  using second = opened({}, { states: [apart, apart] });
  const page = await runsPage(
    [
      { label: "fast", run: first },
      { label: "slow", run: second },
    ],
    [],
  );
  const [results = []] = tablesOf(blocksOf(page, "Results"));
  expect(results).toContainEqual(["C", "1", "0"]);
  expect(results).toContainEqual(["distinct rows", "2 of 4", "4 of 4"]);
  const [differing = []] = tablesOf(blocksOf(page, "Differences"));
  expect(differing.find(([what]) => what === "config: training.learning_rate")).toEqual(["config: training.learning_rate", "0.5", expect.any(String)]);
});

test("runs that were made from the same say that nothing differs", async () => {
  using first = opened({});
  using second = opened({});
  const page = await runsPage(
    [
      { label: "a", run: first },
      { label: "b", run: second },
    ],
    [],
  );
  expect(blocksOf(page, "Differences")).toEqual([{ kind: "text", text: "None in configuration, data, environment and code." }]);
});

test("a pair shows the difference of P at the steps that both runs have recorded, also after runs are exchanged", async () => {
  const tokens = [65, 66, 67, 7];
  const half = [
    [1, 1],
    [2, 5],
    [2, 5],
    [4, 7],
  ];
  using a = opened({}, { states: [apart, half, fallen], steps: [0, 1, 3], tokens });
  using b = opened({}, { states: [apart, fallen], steps: [0, 3], tokens });
  using c = opened({}, { states: [apart, half], steps: [0, 3], tokens });
  const [section] = await pairSection([
    { label: "a", run: a },
    { label: "b", run: b },
    { label: "c", run: c },
  ]);
  const [pair, drawn] = section?.blocks ?? [];
  if (pair?.kind !== "pair" || drawn?.kind !== "figure") throw new Error("no pair with its figure");
  const figure = figureSchema.parse(drawn.figure);
  expect(figure.caption).toContain("A: a. B: b.");
  // P is 0, 2, 3 at the steps 0, 1, 3 of a, and 0, 3 at the steps 0, 3 of b.
  expect(figure.panels.map(({ marks }) => marks.map((mark) => mark.mark === "line" && [mark.x, mark.y]))).toEqual([
    [
      [
        [0, 3],
        [0, 0],
      ],
    ],
    [
      [
        [0, 3],
        [0, 3],
      ],
      [
        [0, 3],
        [0, 3],
      ],
    ],
  ]);
  const counts = await Promise.all(pair.runs.map(({ counts }) => Promise.all([counts?.steps ?? "", counts?.P ?? ""].map(unpackedColumn))));
  expect(counts).toEqual([
    [
      [0, 1, 3],
      [0, 2, 3],
    ],
    [
      [0, 3],
      [0, 3],
    ],
    [
      [0, 3],
      [0, 2],
    ],
  ]);
});
