import { configInvalid } from "../../config/config-invalid.js";
import { setLayer } from "../../config/layers.js";
import { BhBridgeError, type ConfigIssue } from "../../errors.js";
import { type ExperimentDefinition, type LoadedExperiment, loadExperiment } from "../../sweep/experiment/load-experiment.js";
import { parseSeedsText } from "../../sweep/grammar/axis.js";
import { flattenOverrides } from "../../sweep/grammar/expand-sweep.js";
import { seedsOf, seedsSchema } from "../../sweep/grammar/sweep-schema.js";

/** Settings from the command line, which override those of the file. */
export interface ExperimentOptions {
  /** Each as `name:field=value,field=value`. */
  arms: readonly string[];
  seeds: string | undefined;
  name: string | undefined;
}

/**
 * Load a shipped experiment or a file and apply the command line, or create an experiment from arms alone.
 * @throws {BhBridgeError} `CONFIG_INVALID`; `USAGE` without an experiment and arms.
 */
export async function experimentFromOptions(given: string | undefined, { arms, seeds, name }: ExperimentOptions): Promise<LoadedExperiment> {
  if (given === undefined && arms.length === 0) {
    throw new BhBridgeError("USAGE", "name a shipped experiment (see: bh-bridge presets), a file, or arms: --arm still --arm jiggle:noise.epsilon=3e-5");
  }
  const issues: ConfigIssue[] = [];
  const added = armsOf(arms, issues);
  const wanted = seeds === undefined ? undefined : seedsSchema.safeParse(parseSeedsText(seeds));
  if (wanted?.success === false) {
    issues.push({ path: "seeds", message: `${JSON.stringify(seeds)} is not accepted: ${wanted.error.issues[0]?.message}`, source: "--seeds" });
  }
  if (issues.length > 0) throw configInvalid(issues);
  const loaded = await loadExperiment(given ?? ({ arms: added } as ExperimentDefinition));
  return {
    ...loaded,
    arms: { ...loaded.arms, ...added },
    ...(name !== undefined && { name }),
    ...(wanted?.data !== undefined && { seeds: seedsOf(wanted.data) }),
    sourceOf: (path) => (Object.keys(added).some((arm) => `${path}.`.startsWith(`arms.${arm}.`)) ? "--arm" : loaded.sourceOf(path)),
  };
}

function armsOf(texts: readonly string[], issues: ConfigIssue[]): Record<string, LoadedExperiment["arms"][string]> {
  const arms: Record<string, LoadedExperiment["arms"][string]> = {};
  for (const text of texts) {
    const colon = text.indexOf(":");
    const name = colon < 0 ? text : text.slice(0, colon);
    const settings = colon < 0 ? [] : text.slice(colon + 1).split(",");
    const found: ConfigIssue[] = [];
    const flat = settings.map((setting) => setLayer([setting], found).values);
    issues.push(...found.map((issue) => ({ ...issue, source: "--arm" })));
    arms[name] = Object.assign({}, arms[name], ...flat.map(flattenOverrides));
  }
  return arms;
}
