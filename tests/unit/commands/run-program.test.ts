import { expect, test } from "vitest";
import { mistypedVariables } from "../../../src/commands/run-program.js";

test("a variable that bears our name and is mistyped is warned of, with the nearest that there is", () => {
  expect(mistypedVariables({ BH_BRIDGE_PYTHN: "/usr/bin/python3", BH_BRIDGE_PYTHON: "/usr/bin/python3", PYTHN: "1" })).toEqual([
    "Warning: bh-bridge ignores the unknown variable BH_BRIDGE_PYTHN. Did you mean BH_BRIDGE_PYTHON?",
  ]);
});

test("one that is near to none is told what there is", () => {
  expect(mistypedVariables({ BH_BRIDGE_COLOUR_OF_THE_SKY: "1" })).toEqual([
    "Warning: bh-bridge ignores the unknown variable BH_BRIDGE_COLOUR_OF_THE_SKY. It knows BH_BRIDGE_PYTHON, BH_BRIDGE_KERNELS and BH_BRIDGE_PORTABLE",
  ]);
});
