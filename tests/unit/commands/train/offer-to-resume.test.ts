import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Terminal } from "../../../../src/commands/terminal/terminal.js";
import { offerToResume } from "../../../../src/commands/train/offer-to-resume.js";
import { resolveRunConfig } from "../../../../src/config/resolve-run-config.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { writeRun } from "../../serve/written-run.js";
import { hearStderr } from "../hear-stderr.js";

const resolved = await resolveRunConfig({ input: { preset: "quick" } });

const said = hearStderr();

/** A run of that configuration which has taken a step. */
function unfinished(folder: string, id: string, over: object = {}, status: "running" | "stopped" | "completed" = "stopped"): string {
  const run = writeRun({ folder, id, status });
  const path = join(run, "run.json");
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), config_hash: resolved.hash, ...over }));
  writeFileSync(join(run, "events.jsonl"), '{"seq": 1, "mono": 1.0, "wall": 1.0, "type": "step_end", "global_step": 1, "epoch": 0.1, "loss": 2.0}\n');
  return run;
}

const offer = (folder: string, startFrom?: string) => offerToResume(resolved, folder, startFrom, new Terminal({ color: false }));

test("where nobody can be asked, an unfinished run of the same configuration is named, and a new one begins", async () => {
  const folder = temporaryDirectory();
  unfinished(folder, "older", { created: "2026-01-01T00:00:00.000Z" });
  unfinished(folder, "newer", { created: "2026-01-02T00:00:00.000Z" }, "running");
  expect(await offer(folder)).toBeUndefined();
  expect(said.text).toMatch(
    /^Unfinished, with the same configuration: \S+\/newer \(interrupted\)\nThis is a new run\. To go on with that one: {2}bh-bridge resume \S+\/newer\n$/,
  );
});

test("a run of another configuration, of another beginning, or that is complete, is not offered", async () => {
  const folder = temporaryDirectory();
  unfinished(folder, "other", { config_hash: "1".repeat(64) });
  unfinished(folder, "begun", { start_from: "/checkpoints/x" });
  unfinished(folder, "complete", {}, "completed");
  expect(await offer(folder)).toBeUndefined();
  expect(said.text).toBe("");
  await offer(folder, "/checkpoints/x");
  expect(said.text).toContain("/begun (stopped)");
});
