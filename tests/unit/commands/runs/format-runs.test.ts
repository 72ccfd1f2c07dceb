import { expect, test } from "vitest";
import { formatRuns, type listFormats } from "../../../../src/commands/runs/format-runs.js";
import { terminalColors } from "../../../../src/commands/terminal/terminal.js";
import type { RunRow } from "../../../../src/runner/run-row.js";

const row = { run: "/runs/one", status: "completed", finite: true, loss: 3.5 } as RunRow;
const first = (format: (typeof listFormats)[number], width?: number) =>
  formatRuns([{ row, config: undefined }], { columns: ["run", "loss"], format, baseline: undefined, width }, terminalColors(false));

test("people are told which loss a list shows; in csv columns have the names of their fields", () => {
  expect(first("table")).toBe("run  last loss\none     3.5000");
  expect(first("table", 12)).toBe("one\n  last loss\n  3.5000");
  expect(first("md")).toBe("| run | last loss |\n| --- | --- |\n| one | 3.5000 |");
  expect(first("csv")).toBe("run,loss\none,3.5000");
});
