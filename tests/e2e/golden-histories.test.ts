import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { type PresetName, presetNames } from "../../src/config/presets.js";
import { isFull } from "../repetitions.js";
import { computeGolden, type GoldenHistories, type PortableGolden, portablePresets, startGolden } from "./golden-histories.js";

const golden: GoldenHistories[] = JSON.parse(readFileSync(join(import.meta.dirname, "golden-histories.json"), "utf8"));

/** One of each norm, with noise, with recorded moments, and of another family; all with FULL_TESTS=1. presets.test.ts compares the first steps of all. */
const presets: readonly PresetName[] = isFull ? presetNames : ["rmsnorm-11.2a", "jiggle-11.2b", "clean", "crucible-1"];

test("the histories of presets have the bits that were noted, where bits are computed the same way", { timeout: 600_000 }, async ({ skip }) => {
  const { bridge, environment } = await startGolden();
  try {
    const noted = golden.find((one) => isDeepStrictEqual(one.environment, environment));
    if (!noted) return skip(`noted on ${JSON.stringify(golden.map((one) => one.environment))}, this is ${JSON.stringify(environment)}`);
    const computed = await computeGolden(bridge, presets);
    const known = presets.filter((preset) => noted.histories[preset] !== undefined); // a preset that came later may be noted on one machine alone
    expect(known.length).toBeGreaterThan(2);
    for (const preset of known) expect(computed[preset], preset).toBe(noted.histories[preset]);
  } finally {
    await bridge.close();
  }
});

const portable: PortableGolden = JSON.parse(readFileSync(join(import.meta.dirname, "golden-portable.json"), "utf8"));

test("engine portable gives the bits that were noted, on every machine", { timeout: 600_000 }, async () => {
  const { bridge } = await startGolden();
  try {
    const chosen: readonly PresetName[] = isFull ? portablePresets : ["layernorm-control", "jiggle-11.2b", "bf16-15.1b", "qwen3-singular"];
    const computed = await computeGolden(bridge, chosen, "portable");
    for (const preset of chosen) expect(computed[preset], preset).toBe(portable.histories[preset]);
  } finally {
    await bridge.close();
  }
});
