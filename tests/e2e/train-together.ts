import { Bridge } from "../../src/bridge/bridge.js";
import { corpusOf } from "../../src/bridge/corpus.js";
import { loadRunConfig } from "../../src/bridge/load-run-config.js";
import type { RunInput } from "../../src/config/resolve-run-config.js";
import { concludeTraining, newTraining, trainIn } from "../../src/runner/train.js";
import { warmPython } from "./program.js";

/** A Python that trains on one thread of the CPU, for tests that look at runs and not at how they are started. Close it. */
export function oneThread(): Promise<Bridge> {
  return Bridge.start({ python: warmPython, threads: 1, device: "cpu" });
}

/** Train a run as `bh-bridge train` does, but in a Python that is there: the bits are the same (warm-workers.test.ts). Its directory. */
export async function trainOn(bridge: Bridge, out: string, input: RunInput): Promise<string> {
  const resolved = await loadRunConfig({ input: { device: "cpu", threads: 1, ...input } });
  const corpus = await corpusOf(resolved);
  const ended = await trainIn(bridge, { ...newTraining(resolved), corpus }, { out }, {});
  return (await concludeTraining(ended, resolved, {}, {})).directory;
}

/** Train runs in one Python, one after the other. */
export async function trainTogether(out: string, ...inputs: readonly RunInput[]): Promise<string[]> {
  await using bridge = await oneThread();
  const runs: string[] = [];
  for (const input of inputs) runs.push(await trainOn(bridge, out, input));
  return runs;
}
