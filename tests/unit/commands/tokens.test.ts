import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { tokensCommand } from "../../../src/commands/tokens.js";
import { unusedTokens } from "../../../src/formats/unused-tokens.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { captureStdout } from "./capture-stdout.js";

const folder = temporaryDirectory();
const file = join(folder, "model.safetensors");
const [rows, columns] = [40, 8];

/** Rows of a sine, but from 30 on nearly one value; 38 and 39 are equal. */
const values = Float32Array.from({ length: rows * columns }, (_, at) => {
  const [row, column] = [Math.floor(at / columns), at % columns];
  return row < 30 ? 2 * Math.sin(17 * row + 5 * column * column) : 0.5 + column / 8 + 1e-4 * Math.sin(3 * Math.min(row, 38) + column);
});
const header = Buffer.from(JSON.stringify({ "wte.weight": { dtype: "F32", shape: [rows, columns], data_offsets: [0, values.byteLength] } }).padEnd(96));
writeFileSync(file, Buffer.concat([Buffer.from(BigUint64Array.of(96n).buffer), header, Buffer.from(values.buffer)]));
const untrained = Array.from({ length: 10 }, (_, index) => 30 + index);

async function printed(...words: string[]): Promise<string> {
  return await captureStdout(tokensCommand(), file, ...words);
}

test("the table, the CSV and the document have the same candidates; equal and nearly equal rows are named", async () => {
  const document = JSON.parse(await printed("--unused", "31-34,36", "--json"));
  expect(document).toMatchObject({
    schema: "bh-bridge/tokens@1",
    unused: { ids: [31, 32, 33, 34, 36] },
    near: [untrained],
    equal: { C: 1, members: [[38, 39]] },
  });
  const ids: number[] = document.candidates.map(({ id }: { id: number }) => id);
  expect([...ids].sort()).toEqual(untrained);
  const csv = (await printed("--unused", "31-34,36", "--csv")).trimEnd().split("\n");
  expect(csv[0]).toBe("id,text,reason,norm,cosine,cosineCentred,cosineWithoutPc1,l2");
  expect(csv.slice(1).map((line) => Number(line.split(",")[0]))).toEqual(ids);
  const text = stripVTControlCharacters(await printed("--unused", "31-34,36", "--top", "4"));
  expect(text).toContain("Candidates  10");
  expect(text).toContain("and 6 more");
  expect(text).toContain("Nearly equal: 1 group of candidates, of which the largest has 10: 30, 31");
});

test("a list of unused tokens is checked before anything is computed", async () => {
  await expect(printed("--unused", "5-3")).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining("--unused: the range 5-3 runs backwards") });
  await expect(printed("--unused", "40")).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining("only 0 to 39") });
});

test("a vocab.txt is read as BERT's tokenizer: names, and pieces that its words never have", () => {
  const directory = temporaryDirectory();
  const pieces = ["[PAD]", "[unused0]", "[UNK]", "the", "##s", "##成", "##？", "...", "café"];
  writeFileSync(join(directory, "vocab.txt"), `${pieces.join("\n")}\n`);
  const { reasons } = unusedTokens(directory, 10) ?? { reasons: new Map() };
  const unreachable = "its text encodes to other tokens";
  expect(Object.fromEntries(reasons)).toEqual({
    1: "named as unused",
    5: unreachable, // Chinese characters are words of their own
    6: unreachable, // punctuation likewise
    7: unreachable, // three words
    8: unreachable, // accents are removed
    9: "beyond the tokenizer",
  });
});
