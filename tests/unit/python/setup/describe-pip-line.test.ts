import { expect, test } from "vitest";
import { describePipLine } from "../../../../src/python/setup/setup-python.js";

// Lines as pip 23.2 and 25.3 print them.
test.each([
  ["Collecting transformers<6,>=5.0", "looking for transformers", true],
  ["Collecting filelock (from torch>=2.6)", "looking for filelock", true],
  ["  Downloading transformers-5.24.0-py3-none-any.whl (13.5 MB)", "downloading transformers 5.24.0, 13.5 MB", false],
  ["Downloading torch-2.13.0%2Bcpu-cp311-cp311-linux_x86_64.whl (191.7 MB)", "downloading torch 2.13.0, 191.7 MB", false],
  ["  Downloading mdurl-0.1.2-py3-none-any.whl (10.0 kB)", "downloading mdurl 0.1.2, 10.0 kB", true],
  ["  Using cached numpy-2.4.6-cp311-cp311-manylinux_2_27_x86_64.whl (16.9 MB)", "reading numpy 2.4.6", false],
  ["Processing /srv/wheels/torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl", "reading torch 2.13.0", false],
  ["  Building wheel for antlr4 (setup.py): started", "building antlr4", false],
  ["Requirement already satisfied: torch>=2.6 in ./lib/python3.11/site-packages (2.13.0+cpu)", "torch is there", true],
  ["Installing collected packages: mpmath, typing-extensions, torch", "installing 3 packages", false],
])("%s", (line, text, detail) => {
  expect(describePipLine(line)).toEqual({ text, detail });
});

test.each([
  "  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl.metadata (29 kB)",
  "     ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 13.5/13.5 MB 115.7 MB/s eta 0:00:00",
  "Looking in links: /srv/wheels",
  "",
])("says nothing of %j", (line) => {
  expect(describePipLine(line)).toBeUndefined();
});
