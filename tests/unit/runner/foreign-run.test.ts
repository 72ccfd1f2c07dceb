import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openResumable } from "../../../src/runner/resume.js";
import { runRow } from "../../../src/runner/run-row.js";
import { planRemoval } from "../../../src/runs/remove-run.js";
import { readRunManifest } from "../../../src/runs/run-manifest.js";
import { noLockHolders, resolveRun, scanForeign, scanRuns } from "../../../src/runs/scan-runs.js";
import { verifyRun } from "../../../src/runs/verify-run.js";
import { Catalogue } from "../../../src/serve/catalogue.js";
import { runDocument, runOutline } from "../../../src/serve/run-summary.js";
import { RunView } from "../../../src/serve/run-view.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";

/** A folder as transformers 5.24 leaves it, with the last log of each checkpoint. */
function writeTrainer(folder: string, ...steps: readonly number[]): string {
  const log_history = [
    { epoch: 0.1, grad_norm: 2, learning_rate: 0.5, loss: 3.5, step: 5 },
    { epoch: 0.2, eval_loss: 3.25, eval_runtime: 0.1, step: 10 },
    { epoch: 0.2, grad_norm: 1, learning_rate: 0.25, loss: 3, step: 10 },
    { epoch: 0.2, step: 10, total_flos: 0, train_loss: 3.25, train_runtime: 1 },
  ];
  for (const global_step of steps) {
    const checkpoint = join(folder, `checkpoint-${global_step}`);
    mkdirSync(checkpoint, { recursive: true });
    writeFileSync(
      join(checkpoint, "trainer_state.json"),
      JSON.stringify({ global_step, max_steps: 20, log_history: log_history.filter(({ step }) => step <= global_step) }),
    );
  }
  return folder;
}

const out = temporaryDirectory();
const directory = writeTrainer(join(out, "base-seed1"), 5, 10);
writeRun({ folder: out, id: "own" });
mkdirSync(join(out, "empty"));

test("a folder of a plain Trainer is found beside the runs, by its newest checkpoint", async () => {
  expect((await scanRuns(out, noLockHolders)).map(({ id }) => id)).toEqual(["own"]);
  expect(scanForeign(out).map(({ id, status }) => [id, status])).toEqual([["base-seed1", "foreign"]]);
  const found = await resolveRun("base", out, noLockHolders);
  expect(await runRow(found)).toMatchObject({
    run: directory,
    status: "foreign",
    reason: "log of Hugging Face's Trainer, read-only",
    steps: { planned: 20, done: 10 },
    loss: 3,
    problem: null,
  });
});

test("the page has its lines, and says that there are no snapshots", async () => {
  for (const catalogue of [new Catalogue([out]), new Catalogue([], [directory])]) {
    const run = (await catalogue.shelf()).runs.find(({ row }) => row.status === "foreign");
    if (run === undefined) throw new Error("it is not served");
    const view = new RunView(directory);
    const { series, step, planned } = await view.series(run, { points: 100 });
    expect({ step, planned }).toEqual({ step: 10, planned: 20 });
    expect(Object.fromEntries(series.map(({ name, x, y }) => [name, [x, y]]))).toEqual({
      "mean loss": [
        [5, 10],
        [3.5, 3],
      ],
      "learning rate": [
        [5, 10],
        [0.5, 0.25],
      ],
      "gradient norm": [
        [5, 10],
        [2, 1],
      ],
      "held-out loss": [[10], [3.25]],
    });
    expect(await view.line("mean loss", { points: 100 })).toMatchObject({ y: [3.5, 3] });
    await expect(view.open()).rejects.toMatchObject({ message: "This is a log of another program, without snapshots of the embedding." });
    expect(await runDocument(run, [])).toMatchObject({ config: null, checkpoints: [], figures: [], next: null });
    expect(await runOutline(run)).toMatchObject({ P: null, verdict: null });
  }
});

test("what would change it, or needs a run, is refused with what can be done", async () => {
  const refusal = {
    code: "RUN_NOT_FOUND",
    message: expect.stringContaining("base-seed1 is a log of Hugging Face's Trainer, not a run of bh-bridge. It is read-only") as string,
  };
  await expect(planRemoval(directory, noLockHolders)).rejects.toMatchObject(refusal);
  await expect(verifyRun(directory)).rejects.toMatchObject(refusal);
  await expect(openResumable(directory)).rejects.toMatchObject(refusal);
  expect(() => readRunManifest(directory)).toThrow(expect.objectContaining(refusal));
  expect(existsSync(join(directory, "checkpoint-10", "trainer_state.json"))).toBe(true);
});

test("event files at the top, or where Trainer writes them, are a log of TensorBoard", () => {
  const folder = temporaryDirectory();
  for (const path of ["top", join("trainer", "runs", "Nov28_vm")]) {
    mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, path, "events.out.tfevents.1.vm.1.0"), "");
  }
  expect(scanForeign(folder).map(({ id }) => id)).toEqual(["top", "trainer"]);
});
