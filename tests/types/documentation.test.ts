import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { callbackMethods } from "../../src/bridge/trainer-callback.js";

const text = readFileSync("docs/api.md", "utf8");

test("docs/api.md names every observer", () => {
  expect(Object.values(callbackMethods).filter((method) => !text.includes(`\`${method}\``))).toEqual([]);
});
