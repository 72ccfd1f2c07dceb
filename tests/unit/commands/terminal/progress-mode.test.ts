import { expect, test } from "vitest";
import { progressModeOf } from "../../../../src/commands/terminal/progress-mode.js";

test.each([
  [["train"], "auto"],
  [["train", "--progress", "json"], "json"],
  [["train", "--progress=plain", "--json"], "plain"],
  [["train", "--progress", "json", "--progress", "none"], "none"],
  [["train", "--progress", "nonsense"], "auto"],
  [["train", "--progress"], "auto"],
])("%j asks for %s", (argv, mode) => expect(progressModeOf(argv)).toBe(mode));
