import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import { createProgram } from "../../../src/commands/run-program.js";
import {
  type AnalysisDocument,
  type AnalyzeOptions,
  analysisDocumentSchema,
  analyze,
  currentAnalysisSchema,
  openHistory,
  partOf,
  registerAnalysis,
} from "../../../src/index.js";
import { captureStdout } from "../commands/capture-stdout.js";
import { memoryHistory } from "./memory-source.js";
import { module as emptyModule } from "./outside/no-observation.js";
import { observation, reach } from "./outside/reach.js";

const directory = mkdtempSync(join(tmpdir(), "bh-bridge-outside-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Five states of two float32 tokens of two dims: token 1 goes (3, 4) in step 3, five units at once, and by less in the others. */
const values = [
  [1, 0, 0, 0],
  [1, 1, 0, 0],
  [1, 1, 0, -2],
  [1, 1, 3, 2],
  [1.5, 1, 3, 2],
];
const file = join(directory, "history.safetensors");
const data = new Uint8Array(Float32Array.from(values.flat()).buffer);
const header = Buffer.from(JSON.stringify({ embedding_history: { dtype: "F32", shape: [5, 2, 2], data_offsets: [0, data.length] } }));
const length = Buffer.alloc(8);
length.writeBigUInt64LE(BigInt(header.length));
writeFileSync(file, Buffer.concat([length, header, data]));

const expected = { reach: [1, 1, 2, 3, 3], longestStep: 3 };

registerAnalysis(reach);

async function documentOf(options: AnalyzeOptions = {}): Promise<AnalysisDocument> {
  const history = await openHistory(file);
  try {
    return await analyze(history, options);
  } finally {
    history.close();
  }
}

test("its part is in the document, after those of bh-bridge", async () => {
  const document = await documentOf();
  expect(partOf(document, reach)).toEqual(expected);
  expect(Object.keys(document).slice(-3)).toEqual(["geometry", "reach", "notes"]);
});

test("its schema is in that of the document", async () => {
  const document = JSON.parse(JSON.stringify(await documentOf()));
  expect(currentAnalysisSchema().parse(document)).toEqual(document);
  expect(() => currentAnalysisSchema().parse({ ...document, reach: { reach: [], longestStep: "3" } })).toThrow("longestStep");
  expect(z.toJSONSchema(currentAnalysisSchema())).toHaveProperty("properties.reach.properties.longestStep.type", "integer");
  const { reach: _, ...own } = document;
  expect(analysisDocumentSchema.parse(own)).toEqual(own);
});

test("it can be chosen, by the API and by --only, whose help names it", async () => {
  expect(Object.keys(await documentOf({ only: ["reach"] }))).not.toContain("timeline");
  expect(JSON.parse(await captureStdout(await createProgram(), "analyze", file, "--only", "reach", "--json", "--quiet"))).toMatchObject({ reach: expected });
  const help = (await createProgram()).commands.find((command) => command.name() === "analyze")?.helpInformation();
  expect(help?.replaceAll(/\s+/g, " ")).toContain(
    "topology, geometry, rowNorms, phases, kinematics, deadMass, adamw, onset, reach (default: all but rowNorms, phases, kinematics, deadMass, adamw, onset)",
  );
  await expect(documentOf({ only: ["reech"] })).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining("adamw, onset, reach") });
});

test("its lines and its table are printed, under its title", async () => {
  const text = await captureStdout(await createProgram(), "analyze", file, "--only", "statistics,reach", "--quiet", "--no-color");
  expect(text).toContain(`
Reach
  The longest step is step 3
    state  reach
  state 0      1
`);
});

test("worker threads load its observation, each for a range, and find the same", async () => {
  expect(partOf(await documentOf({ workers: 3 }), reach)).toEqual(expected);
});

test("an observation without a module is shown the whole history by this thread", async () => {
  const ranges: string[] = [];
  registerAnalysis({
    name: "here",
    schema: z.int(),
    observation: {
      observe({ first, end }) {
        let seen = 0;
        ranges.push(`${first} to ${end}`);
        return { state: () => seen++, end: () => seen };
      },
      merge: (first, second) => first + second,
    },
    finish: ({ range }) => range,
    title: "Here",
    print: (seen) => [String(seen)],
  });
  expect(await documentOf({ workers: 3, only: ["here", "reach"] })).toMatchObject({ here: 5, reach: expected });
  expect(ranges).toEqual(["0 to 5"]);
});

test("what a history does not admit is left out, with the reason", async () => {
  const truths = memoryHistory("BOOL", [1, 2, 1], Uint8Array.of(0, 1));
  const { notes } = await analyze(truths, { only: ["reach"] });
  expect(notes).toEqual(["left out: reach: truths reach nowhere"]);
  expect((await documentOf({ only: ["reach"], maxTokens: 4 })).notes).toEqual(["left out: reach.reach: 5 entries, more than 4 (maxTokens)"]);
});

test("a module that does not export its observation is named", async () => {
  registerAnalysis({ ...reach, name: "lost", observation: { ...observation, module: emptyModule } });
  const message = expect.stringContaining(`${emptyModule} does not export "observation"`);
  await expect(documentOf({ workers: 2, only: ["lost"] })).rejects.toMatchObject({ code: "USAGE", message });
});

test.each([
  ["reach", "has a field"],
  ["timeline", "has a field"],
  ["finalCensus", "has a field"],
  ["notes", "has a field"],
  ["a,b", "is not a valid name"],
  ["", "is not a valid name"],
])("the name %j is refused", (name, problem) => {
  expect(() => registerAnalysis({ ...reach, name })).toThrow(expect.objectContaining({ code: "USAGE", message: expect.stringContaining(problem) }));
});
