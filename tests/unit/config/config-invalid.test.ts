import { expect, test } from "vitest";
import { configInvalid } from "../../../src/config/config-invalid.js";

test("one problem is a problem, and stands on a line with its source below", () => {
  const error = configInvalid([{ path: "seed", message: "is missing", source: "my.yaml:3:5" }]);
  expect(error.code).toBe("CONFIG_INVALID");
  expect(error.message).toBe("The configuration has a problem:\n  seed: is missing\n    from my.yaml:3:5");
});

test("all problems are told at once and kept as they are, with the cause", () => {
  const issues = [
    { path: "seed", message: "is missing" },
    { path: "device", message: "is unknown" },
  ];
  const cause = new Error("why");
  const error = configInvalid(issues, cause);
  expect(error.message).toBe("The configuration has 2 problems:\n  seed: is missing\n  device: is unknown");
  expect(error.issues).toEqual(issues);
  expect(error.cause).toBe(cause);
});
