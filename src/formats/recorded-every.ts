import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { containedFile } from "./contained-file.js";
import { readPythonJson } from "./python-json.js";

const configFile = "config.json";
const configSchema = z.looseObject({ record: z.looseObject({ every: z.number().int().positive() }) });

/** From one recorded state to the next, so many training steps pass: what a run's `config.json` says, else 1. */
export function recordedEvery(path: string): number {
  if (!existsSync(join(path, configFile))) return 1;
  const checked = configSchema.safeParse(readPythonJson(containedFile(path, configFile)));
  return checked.success ? checked.data.record.every : 1;
}
