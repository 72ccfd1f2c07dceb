import { expect, test } from "vitest";
import { errorDocument, errorDocumentSchema } from "../../../../src/commands/terminal/error-document.js";
import { BhBridgeError } from "../../../../src/errors.js";

test("an error has its code, its words and its problems, and nothing of what caused it", () => {
  const issues = [{ path: "training.max_steps", message: "is too small", source: "--set" }];
  const cause = new Error("a secret of the machine");
  const document = errorDocumentSchema.parse(errorDocument(new BhBridgeError("CONFIG_INVALID", "has a problem", { issues, cause })));
  expect(document).toEqual({ schema: "bh-bridge/error@1", code: "CONFIG_INVALID", message: "has a problem", issues });
  expect(errorDocument(new BhBridgeError("USAGE", "what"))).toMatchObject({ issues: [] });
});
