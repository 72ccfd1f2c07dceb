import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { receiveRun, runChunks } from "../../../../../src/sweep/executors/ray/run-transfer.js";
import { temporaryDirectory } from "../../../formats/reference-python.js";

const folder = temporaryDirectory();

/** The bytes of a run as they cross, in packets of an awkward size. */
function* sent(run: string, alter: (head: object) => object = (head) => head): Generator<Buffer> {
  const pieces = [...runChunks(run)].map(({ data, ...head }) =>
    Buffer.concat([Buffer.from(`${JSON.stringify(alter({ ...head, bytes: data.length }))}\n`), data]),
  );
  const all = Buffer.concat([...pieces, Buffer.from('{"path":null}\n')]);
  for (let at = 0; at < all.length; at += 99_991) yield all.subarray(at, at + 99_991);
}

const run = join(folder, "run");
mkdirSync(join(run, "final"), { recursive: true });
const large = Buffer.alloc((4 << 20) + 5, "history");
for (const [name, content] of Object.entries({ "history.safetensors": large, "final/config.json": "{}\n", "python.log": "" })) {
  writeFileSync(join(run, name), content);
}

test("a run arrives whole, files of several pieces and empty ones as well, and replaces what was there", async () => {
  const directory = join(folder, "arrived");
  mkdirSync(directory);
  writeFileSync(join(directory, "old"), "");
  await receiveRun(Readable.from(sent(run)), directory);
  expect(readdirSync(directory).sort()).toEqual(["final", "history.safetensors", "python.log"]);
  expect(
    createHash("sha256")
      .update(readFileSync(join(directory, "history.safetensors")))
      .digest("hex"),
  ).toBe(createHash("sha256").update(large).digest("hex"));
  expect(readFileSync(join(directory, "python.log"), "utf8")).toBe("");
  expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
});

test.each([
  ["a piece with another checksum", () => sent(run, (head) => ({ ...head, sha256: "0" })), /its checksum differs/],
  ["a file outside of its run", () => sent(run, (head) => ({ ...head, path: "../outside" })), /outside of its run/],
  ["an end in the middle", () => [...sent(run)].slice(0, 3), /stopped in the middle/],
])("%s is refused, and what was there stays", async (_, stream, message) => {
  const directory = join(folder, "kept");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "old"), "old");
  await expect(receiveRun(Readable.from(stream()), directory)).rejects.toMatchObject({ code: "IO_FAILED", message: expect.stringMatching(message) });
  expect(readFileSync(join(directory, "old"), "utf8")).toBe("old");
});
