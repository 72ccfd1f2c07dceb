import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runDocumentSchema } from "../../../../src/commands/runs/format-runs.js";
import { runsCommand } from "../../../../src/commands/runs/runs.js";
import { writeRunNotes } from "../../../../src/runs/run-manifest.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { pin } from "../../runs/environment-pin.js";
import { deadRows, writeRun } from "../../serve/written-run.js";
import { captureStdout } from "../capture-stdout.js";

const newRun = (over: Partial<Parameters<typeof writeRun>[0]> = {}) => writeRun({ folder: temporaryDirectory(), id: "run", seed: 1, ...over });
const show = (...args: string[]) => captureStdout(runsCommand(), "show", ...args);
const documentOf = async (run: string) => runDocumentSchema.parse(JSON.parse(await show("--json", run)));

/** The text of a label, its further lines in one. */
async function shown(run: string, label: string): Promise<string | undefined> {
  const lines = (await show(run)).split("\n");
  const at = lines.findIndex((line) => line.startsWith(`${label} `));
  if (at < 0) return undefined;
  const end = lines.findIndex((line, index) => index > at && !line.startsWith("   "));
  return lines
    .slice(at, end < 0 ? undefined : end)
    .join("\n")
    .slice(label.length)
    .trim();
}

test("a run says what it is and what came out of it", async () => {
  const run = newRun();
  const document = await documentOf(run);
  expect(document).toMatchObject({ run, status: "completed", C: 1, P: deadRows.length, checkpoints: [], reproductions: [] });
  expect(document.result?.steps).toEqual({ planned: 60, done: 60 });
  expect(document.config).toMatchObject({ seed: 1 });
  expect(await shown(run, "Steps")).toBe("60 of 60");
  expect(await shown(run, "Environment")).toContain("PyTorch 2.13.0");
  expect(await shown(run, "Resume with:")).toBeUndefined();
});

test("one that can go on has the command, and why it ended", async () => {
  const run = newRun({ status: "stopped" });
  expect(await shown(run, "Status")).toBe("stopped: signal");
  expect(await shown(run, "Resume with:")).toBe(`bh-bridge resume ${run}`);
  expect(await shown(newRun({ status: "running" }), "Status")).toBe("interrupted"); // nobody holds its lock
});

test("notes, tags and receipts of reproductions are told, and no line of a note passes for one of ours", async () => {
  const run = newRun();
  const receipt = { at: "2026-01-05", steps: 1060, equal: true, environment: pin };
  writeRunNotes(run, { note: "first line\nStatus         failed", tags: ["b", "a"], reproductions: [receipt, { ...receipt, equal: false }] });
  expect(await shown(run, "Tags")).toBe("a b");
  expect((await show(run)).split("\n").filter((line) => line.startsWith("Status"))).toEqual(["Status         completed"]);
  expect(await shown(run, "Trained again")).toBe("2026-01-05: equal in every bit, to step 1,060; 2026-01-05: other bits, to step 1,060");
});

test("a run that cannot be read says what is wrong with it, and one that recorded nothing has no result", async () => {
  const corrupt = newRun();
  writeFileSync(join(corrupt, "run.json"), "{");
  expect(await documentOf(corrupt)).toMatchObject({ status: "corrupt", manifest: null, config: null, result: null });
  expect(await shown(corrupt, "Status")).toContain("corrupt: ");
  const bare = newRun();
  rmSync(join(bare, "history.safetensors"));
  expect((await documentOf(bare)).result).toBeNull();
});

test("what was changed by hand in a repository is told with its commit", async () => {
  const run = newRun();
  const path = join(run, "run.json");
  const git = { commit: "0123456789abcdef0123", branch: "main", dirty: true, untracked: [], patch: null, patch_truncated: false };
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), git }));
  expect(await shown(run, "Repository")).toBe("0123456789ab, with changes");
});
