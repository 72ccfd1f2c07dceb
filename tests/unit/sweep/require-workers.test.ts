import { expect, test } from "vitest";
import { requireWorkers } from "../../../src/sweep/require-workers.js";

test.each([undefined, 1, 64])("%s workers are accepted", (workers) => expect(() => requireWorkers(workers)).not.toThrow());

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("%s workers are refused", (workers) => {
  expect(() => requireWorkers(workers)).toThrow(expect.objectContaining({ code: "USAGE", message: `workers is a whole number above 0, not ${workers}` }));
});
