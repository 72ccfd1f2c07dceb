import { expect, test } from "vitest";
import { resolveRunConfig } from "../../../../src/config/resolve-run-config.js";
import type { CrossFieldRule } from "../../../../src/config/rules/cross-field-rule.js";
import { BhBridgeError } from "../../../../src/errors.js";

/** What is said of a configuration with these values, in the order in which it is said. */
export async function problems(...set: string[]): Promise<string[]> {
  const error: unknown = await resolveRunConfig({ set }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof BhBridgeError ? (error.issues ?? []).map(({ path, message }) => `${path}: ${message}`) : [];
}

interface RuleCases {
  /** For each rule, values that break it and no other. */
  broken: { set: string[]; message: string }[];
  /** Values that come near, and break none. */
  met: string[][];
}

/** Test that each rule is told of when it is broken, and then alone. */
export function testRules(rules: readonly CrossFieldRule[], { broken, met }: RuleCases): void {
  test("every rule has a case below, in order", () => {
    expect(broken.map(({ message }) => message.split(": ")[0])).toEqual(rules.map(({ path }) => path));
  });
  for (const { set, message } of broken) test(message, async () => expect(await problems(...set)).toEqual([message]));
  for (const set of met) test(`${set.join(" ")}: the rules are met`, async () => expect(await problems(...set)).toEqual([]));
}
