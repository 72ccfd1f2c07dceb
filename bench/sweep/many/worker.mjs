// A worker whose trials take some milliseconds: each is a child process that makes the run's folder and writes into it that it was trained. What else a trial
// has, the controller, its channel and its ledger, is as it is for every other.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openWorkerChannel } from "../../../dist/sweep/pool/worker-channel.js";

const result = {
  steps: 1,
  seconds: 0.001,
  finite: true,
  finalLoss: 2.5,
  census: { rows: 128, unique: 100, C: 1, P: 29, populations: [29] },
  displacement: { float64: 0.5, float32: 0.5, bfloat16: 0.5 },
  verdict: { result: "null", reason: "" },
};

const channel = openWorkerChannel(
  (order) => {
    if (order.kind === "train") order.tasks.forEach(train);
    else if (order.kind === "leave") channel.close();
  },
  () => process.exit(),
);

function train({ trial, out }, index) {
  const run = join(out, trial); // the same folder, whoever begins it: one that a killed controller did not note is found by its name
  channel.send({ kind: "started", index, run, fromStep: 0 });
  const end = () => channel.send({ kind: "ended", index, end: { kind: "completed", run, result } });
  if (existsSync(join(run, "trained")))
    end(); // as the summing up of a run that was complete when its controller died
  else execFile("/bin/sh", ["-c", 'mkdir -p "$0" && echo trained >> "$0/trained"', run], (error) => (error ? process.exit(1) : end()));
}
