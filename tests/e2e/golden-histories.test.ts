import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { computeGolden, type GoldenHistories, startGolden } from "./golden-histories.js";

const golden: GoldenHistories[] = JSON.parse(readFileSync(join(import.meta.dirname, "golden-histories.json"), "utf8"));

test("the history of every preset has the bits that were noted, where bits are computed the same way", { timeout: 600_000 }, async ({ skip }) => {
  const { bridge, environment } = await startGolden();
  try {
    const noted = golden.find((one) => isDeepStrictEqual(one.environment, environment));
    if (!noted) return skip(`noted on ${JSON.stringify(golden.map((one) => one.environment))}, this is ${JSON.stringify(environment)}`);
    expect(await computeGolden(bridge)).toMatchObject(noted.histories); // a preset that came later may be noted on one machine alone
  } finally {
    await bridge.close();
  }
});
