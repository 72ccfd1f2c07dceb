import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { runDirectoryName, slugOf } from "../../../src/runs/create-run-directory.js";

test.each([
  ["RMSNorm 11.2a", "rmsnorm-11.2a"],
  ["Überlauf (2. Versuch)", "uberlauf-2.-versuch"],
  ["Größe", "grosse"],
  ["Ærøskøbing, Łódź, naïve ﬁt", "aeroskobing-lodz-naive-fit"],
  ["İstanbul ılık", "istanbul-ilik"],
  ["a/b\\c:d", "a-b-c-d"],
  ["../../etc", "etc"],
  [".hidden.", "hidden"],
])("%j is named %s in a path", (name, slug) => expect(slugOf(name)).toBe(slug));

test("a name without such letters is told from others like it by a hash", () => {
  expect(slugOf("実験")).toBe(`run-${createHash("sha256").update("実験").digest("hex").slice(0, 8)}`);
  expect(slugOf("実験")).not.toBe(slugOf("試験"));
});

test("a long name is cut to 80 bytes, and two that begin alike stay two", () => {
  expect(slugOf("a".repeat(80))).toBe("a".repeat(80));
  const [one, other] = [slugOf(`${"a".repeat(100)}1`), slugOf(`${"a".repeat(100)}2`)];
  expect([one.length, other.length]).toEqual([80, 80]);
  expect(one).not.toBe(other);
});

test("a directory's name begins with the time in UTC, to the second, and ends with the configuration's hash", () => {
  expect(runDirectoryName(new Date("2026-11-24T17:20:34.987+01:00"), "Quick", "1f2e3d4c5b6a")).toBe("2026-11-24T16-20-34-quick-1f2e3d4c");
});
