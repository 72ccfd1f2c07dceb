import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { requestStop } from "../../../src/runs/stop-request.js";
import { temporaryDirectory } from "../formats/reference-python.js";

test("the request is a file in the run, and one that is there already is enough", () => {
  const directory = temporaryDirectory();
  requestStop(directory);
  expect(readFileSync(join(directory, "stop.request"), "utf8")).toBe("");
  writeFileSync(join(directory, "stop.request"), "the first one's");
  requestStop(directory);
  expect(readFileSync(join(directory, "stop.request"), "utf8")).toBe("the first one's");
});

test("a run that cannot be written to cannot be asked", () => {
  expect(() => requestStop(join(temporaryDirectory(), "gone"))).toThrow(
    expect.objectContaining({ code: "FILE_UNWRITABLE", message: expect.stringContaining("stop.request") }),
  );
});
