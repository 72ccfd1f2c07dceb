import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { saveDirectory } from "../../../src/bridge/save-directory.js";

test("a directory below the working one, beside it, or elsewhere is taken by its absolute path", () => {
  expect(saveDirectory("models/a")).toBe(resolve("models/a"));
  expect(saveDirectory("../beside")).toBe(join(dirname(process.cwd()), "beside"));
  expect(saveDirectory("/elsewhere")).toBe("/elsewhere");
  expect(saveDirectory("..a")).toBe(resolve("..a")); // a name, and not the folder above
});

test.each([".", "", " ", "a/..", "..", "/", process.cwd()])('"%s" is refused: it is empty, or the working directory, or holds it', (directory) => {
  expect(() => saveDirectory(directory)).toThrow(expect.objectContaining({ code: "USAGE", message: expect.stringMatching(/^directory: /) }));
});

test.each([undefined, null, 3, {}])("%o is no path", (directory) => {
  expect(() => saveDirectory(directory as unknown as string)).toThrow(/is not the path of a directory\. Name the one to save into$/);
});
