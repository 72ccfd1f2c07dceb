import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { chooseRows } from "../../../../src/commands/terminal/rows-option.js";
import { temporaryFolder } from "../../../e2e/program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const file = join(folder.path, "weights.safetensors");
writeFileSync(file, "");

const choose = (rows: string, corpus?: string) => chooseRows({ rows, corpus }, file, 128);

test.each([
  ["1,5,9-12", [1, 5, 9, 10, 11, 12]],
  ["5 1\n5", [1, 5]],
  ["0-0", [0]],
  ["127", [127]],
])("the list %j is the rows %j", async (rows, expected) => {
  expect(await choose(rows)).toEqual(expected);
});

test("all rows are no choice", async () => {
  expect(await choose("all")).toBeUndefined();
});

test.each([
  ["", "names no row"],
  ["a", '"a" is neither a row nor a range'],
  ["-1", '"-1" is neither'],
  ["9-5", "runs backwards"],
  ["128", "there is no row 128, only 0 to 127"],
  ["1-99999999999999", "there is no row"],
])("the list %j is refused: %s", async (rows, message) => {
  await expect(choose(rows)).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining(message) });
});

test("a list is read from a file, which messages name", async () => {
  const list = join(folder.path, "rows.txt");
  writeFileSync(list, "3\n1\n");
  expect(await choose(`@${list}`)).toEqual([1, 3]);
  writeFileSync(list, "x");
  await expect(choose(`@${list}`)).rejects.toThrow(`${list}: "x"`);
  await expect(choose(`@${join(folder.path, "gone")}`)).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
});

test("dead rows of a file are those that the corpus does not have", async () => {
  const corpus = join(folder.path, "corpus.txt");
  writeFileSync(corpus, "abc");
  const dead = Array.from({ length: 128 }, (_, token) => token).filter((token) => !"abc".includes(String.fromCharCode(token)));
  expect(await choose("dead", corpus)).toEqual(dead);
});

test("dead rows of a file need a corpus, and a corpus needs them", async () => {
  await expect(choose("dead")).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining("--corpus FILE") });
  await expect(choose("all", "corpus.txt")).rejects.toMatchObject({ code: "USAGE" });
});

test("a directory that is no run cannot tell dead rows", async () => {
  const directory = join(folder.path, "directory");
  mkdirSync(directory);
  await expect(chooseRows({ rows: "dead" }, directory, 128)).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
});
