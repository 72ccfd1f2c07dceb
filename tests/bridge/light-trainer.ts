import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { corpusOf } from "../../src/bridge/corpus.js";
import { Model, modelRequest } from "../../src/bridge/model.js";
import { Trainer } from "../../src/bridge/trainer.js";
import type { TrainerCallback } from "../../src/bridge/trainer-callback.js";
import { resolveRunConfig } from "../../src/config/resolve-run-config.js";
import type { PythonSession } from "../../src/python/python-session.js";

/** What a light training does; see `train` in light/light_operations.py. */
export interface Script {
  max_steps: number;
  seconds?: number;
  loss?: "nan" | "inf";
  events?: "all";
  log_every?: number;
  /** False: steps are sent without being written, which is faster than any training. */
  durable?: false;
  /** So many times it cannot be made. */
  failing?: number;
  /** How it is made: slowly. */
  making?: "spin";
}

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-light-"));
const corpus = join(folder, "corpus.txt");
writeFileSync(corpus, "All work and no play makes Jack a dull boy.\n".repeat(20));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Directories of the runs that the trainers of this test file have made. */
export function lightRuns(): string[] {
  return readdirSync(folder).filter((name) => name !== "corpus.txt");
}

/** A trainer of the real kind, on a Python that only follows a script: what crosses the bridge is that of a training. */
export async function lightTrainer(session: PythonSession, script: Script, callbacks: readonly TrainerCallback[] = []): Promise<Trainer> {
  const resolved = await resolveRunConfig({ input: { data: { corpus } } });
  const scripted = {
    ...resolved,
    config: { ...resolved.config, training: { ...resolved.config.training, optim_args: JSON.stringify(script) } },
  };
  const { model, init, seed, seeds } = resolved.config;
  const reply = await session.invoke("model.create", modelRequest(resolved.config, null));
  const light = Model.of(session, reply, { model, init, seed, seeds });
  return Trainer.of(session, { resolved: scripted, model: light, corpus: await corpusOf(resolved), out: folder, callbacks });
}
