import { expect, test } from "vitest";
import { errorDocument, shownError } from "../../../../src/commands/terminal/shown-error.js";
import { errorDocumentSchema } from "../../../../src/commands/terminal/terminal-documents.js";
import { BhBridgeError } from "../../../../src/errors.js";

test("an error of ours is shown as it is", () => {
  const error = new BhBridgeError("USAGE", "no");
  expect(shownError(error)).toBe(error);
});

test.each([
  [{ code: "EMFILE" }, "FILE_UNREADABLE", "in this shell (see: ulimit -n)"],
  [{ code: "ENFILE" }, "FILE_UNREADABLE", "on this machine"],
  [{ syscall: "uv_os_homedir" }, "FILE_NOT_FOUND", "export HOME=/tmp"],
  [{ syscall: "uv_cwd" }, "FILE_NOT_FOUND", "with cd"],
])("what the surroundings are to blame for is said so: %j", (fields, code, words) => {
  const shown = shownError(Object.assign(new Error("system"), fields));
  expect(shown).toMatchObject({ code, message: expect.stringContaining(words), cause: expect.any(Error) });
});

test("anything else is a mistake of ours, with what was said", () => {
  expect(shownError(new TypeError("x is not a function"))).toMatchObject({
    code: "INTERNAL",
    message: expect.stringContaining("x is not a function. This is a bug"),
  });
  expect(shownError("thrown text")).toMatchObject({ code: "INTERNAL", message: expect.stringContaining("thrown text") });
});

test("the document of an error has its problems, or none", () => {
  const issues = [{ path: "seed", message: "is missing", source: "--set" }];
  for (const error of [new BhBridgeError("CONFIG_INVALID", "no", { issues }), new BhBridgeError("USAGE", "no")]) {
    const document = errorDocument(error);
    expect(errorDocumentSchema.parse(document)).toEqual({ schema: "bh-bridge/error@1", code: error.code, message: "no", issues: error.issues ?? [] });
  }
});

test("an error has its code, its words and its problems, and nothing of what caused it", () => {
  const issues = [{ path: "training.max_steps", message: "is too small", source: "--set" }];
  const cause = new Error("a secret of the machine");
  const document = errorDocumentSchema.parse(errorDocument(new BhBridgeError("CONFIG_INVALID", "has a problem", { issues, cause })));
  expect(document).toEqual({ schema: "bh-bridge/error@1", code: "CONFIG_INVALID", message: "has a problem", issues });
  expect(errorDocument(new BhBridgeError("USAGE", "what"))).toMatchObject({ issues: [] });
});
