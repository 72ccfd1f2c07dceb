import { beforeAll, expect, test } from "vitest";
import { analyze } from "../../../../src/analysis/analyze.js";
import { Bridge } from "../../../../src/bridge/bridge.js";
import { openHistory } from "../../../../src/runs/open-history.js";
import { writeAnalysis } from "../../../../src/runs/recorded-run.js";
import { defaultMeasures } from "../../../../src/sweep/experiment/measures.js";
import { measuredValue, readExperimentRun } from "../../../../src/sweep/experiment/read-experiment-run.js";
import { expectedFrom, python, temporaryDirectory } from "../../formats/reference-python.js";
import { tinyRun } from "./tiny-run.js";

const out = temporaryDirectory();
const measures = [...defaultMeasures, "deadC@0", "C@2", "C@99", "geometry.pathLength", "timeline.unique.1"];
let moving = "";
let still = "";

beforeAll(async () => {
  await using bridge = await Bridge.start({ python, threads: 1, device: "cpu" });
  moving = await tinyRun(bridge, out);
  still = await tinyRun(bridge, out, { training: { learning_rate: 0 } });
});

/** The same numbers from the recorded bits and events, by numpy. */
const program = `
import sys, json
import numpy as np, torch
from safetensors.torch import load_file
def census(rows):
    counts = np.unique(rows, axis=0, return_counts=True)[1]
    return {"unique": len(counts), "C": int((counts > 1).sum()), "P": int(counts[counts > 1].sum())}
def run(directory):
    history = load_file(directory + "/history.safetensors")["embedding_history"].double().numpy() + 0.0
    dead = json.load(open(directory + "/run.json"))["corpus"]["deadTokens"]
    events = [json.loads(line) for line in open(directory + "/events.jsonl")]
    centroid = history.mean(1)
    moves = [t for t in range(1, len(history)) if (history[t] != history[t - 1]).any()]
    whole, of_dead = census(history[-1]), census(history[-1][dead])
    return {
        **whole,
        **{"dead" + name[0].upper() + name[1:]: value for name, value in of_dead.items()},
        "displacement": float(np.linalg.norm(centroid[-1] - centroid[0])),
        "finalLoss": [event for event in events if event["type"] == "log" and "loss" in event["logs"]][-1]["logs"]["loss"],
        "evalLoss": [event for event in events if event["type"] == "evaluate"][-1]["metrics"]["eval_loss"],
        "stepsToFreeze": None if moves[-1] == len(history) - 1 else moves[-1],
        "deadC@0": census(history[0][dead])["C"],
        "C@2": census(history[2])["C"],
        "C@99": None,
        "geometry.pathLength": float(np.linalg.norm(np.diff(centroid, axis=0), axis=1).sum()),
        "timeline.unique.1": census(history[1])["unique"],
    }
print(json.dumps(run(sys.argv[1])))
`;

test("every measure is what numpy finds in the files of the run, whether it has been analysed before or not", async () => {
  const expected = expectedFrom<Record<string, number | null>>(program, moving);
  const close = Object.fromEntries(Object.entries(expected).map(([name, value]) => [name, value === null ? null : expect.closeTo(value, 9)]));
  const run = await readExperimentRun(moving, "rmsnorm", measures);
  expect(run.values).toEqual(close);
  expect(run).toMatchObject({ arm: "rmsnorm", seed: 42, run: moving, degenerate: [], score: { result: "null" }, finalLoss: expected["finalLoss"] });
  const history = await openHistory(moving);
  writeAnalysis(moving, await analyze(history));
  history.close();
  expect(await readExperimentRun(moving, "rmsnorm", measures)).toEqual(run);
});

test("a run that never moved has numbers, and none of them counts", async () => {
  const run = await readExperimentRun(still, "rmsnorm", measures);
  expect(run).toMatchObject({ degenerate: ["never-moved"], score: { result: "degenerate" }, values: { deadC: 1, stepsToFreeze: 0, displacement: 0 } });
  expect(measures.map((name) => measuredValue(run, name))).toEqual(measures.map(() => null));
});
