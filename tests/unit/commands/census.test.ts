import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type CensusDocument, censusCommand, censusDocumentSchema, formatCensus } from "../../../src/commands/census.js";
import { terminalColors } from "../../../src/commands/terminal/terminal.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";
import { captureStdout } from "./capture-stdout.js";

const directory = temporaryDirectory();
const history = join(directory, "history.safetensors");
const nested = join(directory, "nested.pt");

interface Expected {
  unique: number;
  populations: number[];
  members: number[][];
}

/** Groups as numpy finds them, in the order that the document promises. */
const groups = `
import numpy as np
def census(t, rows=None):
    rows = list(range(len(t))) if rows is None else rows
    _, inverse = np.unique(t.double().numpy()[rows], axis=0, return_inverse=True)
    classes = {}
    for row, c in zip(rows, inverse.ravel().tolist()): classes.setdefault(c, []).append(row)
    members = sorted((m for m in classes.values() if len(m) > 1), key=lambda m: (-len(m), m[0]))
    return {"unique": len(classes), "populations": [len(m) for m in members], "members": members}`;

const expected = expectedFrom<Record<"last" | "step3" | "dead" | "nested", Expected>>(
  `${groups}
import sys, json, torch
from safetensors.torch import save_file
g = torch.Generator().manual_seed(7)
h = torch.randint(-1, 2, (8, 128, 3), generator=g).to(torch.bfloat16)
save_file({"embedding_history": h, "steps_done": torch.tensor(5)}, sys.argv[1])
w = torch.randint(-1, 2, (40, 2), generator=g).to(torch.float16); torch.save({"model": {"embedding.weight": w}}, sys.argv[2])
dead = [t for t in range(128) if t not in {10, 97, 98, 99}]
print(json.dumps({"last": census(h[5]), "step3": census(h[3]), "dead": census(h[5], dead), "nested": census(w)}))`,
  history,
  nested,
);

async function census(...args: string[]): Promise<CensusDocument> {
  return censusDocumentSchema.parse(JSON.parse(await captureStdout(censusCommand(), "--json", ...args)));
}

test("the document has the fields of the command line's contract, and numpy's groups", async () => {
  const { unique, populations, members } = expected.nested;
  expect(await census(`${nested}::model.embedding.weight`)).toEqual({
    schema: "bh-bridge/census@1",
    source: nested,
    tensor: "model.embedding.weight",
    dtype: "F16",
    shape: [40, 2],
    rows: 40,
    unique,
    C: populations.length,
    P: populations.reduce((sum, population) => sum + population, 0),
    populations,
    members,
  });
});

test("a history is counted at its last recorded state, or at a step", async () => {
  expect(await census(history)).toMatchObject({ tensor: "embedding_history", shape: [128, 3], ...expected.last });
  expect(await census(history, "--step", "3")).toMatchObject(expected.step3);
  await expect(census(history, "--step", "6")).rejects.toThrow(/step 6 is not recorded .*the steps 0 to 5/);
});

test("rows are chosen by number, from a file, and as the tokens that the corpus lacks", async () => {
  const chosen = await census(history, "--rows", "5,1,9-20");
  expect(chosen.rows).toBe(14);
  expect(chosen.members.flat().every((row) => row === 1 || row === 5 || (row >= 9 && row <= 20))).toBe(true);
  const list = join(directory, "rows.txt");
  writeFileSync(list, "9-20\n5 1\n");
  expect(await census(history, "--rows", `@${list}`)).toEqual(chosen);
  const corpus = join(directory, "corpus.txt");
  writeFileSync(corpus, "abc\r\nabc\r\n");
  expect(await census(history, "--rows", "dead", "--corpus", corpus)).toMatchObject({ rows: 124, ...expected.dead });
});

test.each([
  ["1,x", /--rows: "x" is neither a row nor a range/],
  ["9-5", /range 9-5 runs backwards/],
  ["128", /there is no row 128, only 0 to 127/],
  ["1-99999999999999", /there is no row 99999999999999/],
  ["", /names no row/],
  ["-1", /"-1" is neither/],
  ["@/nowhere", /\/nowhere, the file of --rows, cannot be read/],
  ["dead", /name the training text with --corpus FILE/],
])("--rows %s is refused", async (rows, reason) => {
  await expect(census(history, `--rows=${rows}`)).rejects.toThrow(reason);
});

test("people get a table, with ranges of rows", async () => {
  const text = await captureStdout(censusCommand(), `${nested}::model.embedding.weight`);
  expect(text).toContain(`model.embedding.weight of ${nested}: F16 40 × 2\n`);
  expect(text).toContain(`  Black holes  C = ${expected.nested.populations.length}\n`);
  expect(text).toMatch(new RegExp(`^ +1 +${expected.nested.populations[0]} `, "m"));
});

const colors = terminalColors(false);
const document: CensusDocument = {
  schema: "bh-bridge/census@1",
  source: "runs/one",
  tensor: "embedding_history",
  dtype: "BF16",
  shape: [1280, 64],
  rows: 1280,
  unique: 1231,
  C: 1,
  P: 50,
  populations: [50],
  members: [Array.from({ length: 50 }, (_, token) => token)],
};

test("a census says what was counted, its totals with their share, and its black holes", () => {
  expect(formatCensus(document, 1500, colors)).toBe(`embedding_history of runs/one, step 1500: BF16 1,280 × 64

  Rows         1,280
  Unique rows  1,231
  Black holes  C = 1
  Population   P = 50 (3.91 % of the rows)

     population    share  tokens
  1          50  100.0 %  #0…#49`);
});

test("of chosen rows it is said of how many they are, and without a black hole there is no table", () => {
  const text = formatCensus({ ...document, rows: 12, unique: 12, C: 0, P: 0, populations: [], members: [] }, undefined, colors);
  expect(text).toContain("Rows         12 of 1,280\n");
  expect(text.endsWith("Population   P = 0 (0.00 % of the rows)")).toBe(true);
});

test("a matrix without rows has no share", () => {
  const empty = { ...document, shape: [0, 64] as [number, number], rows: 0, unique: 0, C: 0, P: 0, populations: [], members: [] };
  expect(formatCensus(empty, undefined, colors)).toMatch(/P = 0$/);
});

test("of many black holes the largest have a line, and it is said how many are left out", () => {
  const populations = Array.from({ length: 23 }, () => 2);
  const members = populations.map((_, hole) => [2 * hole, 2 * hole + 1]);
  const text = formatCensus({ ...document, C: 23, P: 46, populations, members }, undefined, colors);
  expect(text).toContain("… and 3 smaller ones; --json lists all");
  expect(text.split("\n").filter((line) => line.includes("4.3 %"))).toHaveLength(20);
});
