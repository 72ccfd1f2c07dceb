import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { resolvePython } from "../../../src/python/require-packages.js";
import { measureThreads, rate } from "../../../src/runner/measure-threads.js";
import { python } from "../formats/reference-python.js";

test("1, 2, 4, … threads up to the cores are measured in this order, each with a training; a signal ends it", async () => {
  const input = { model: { n_embd: 8, n_layer: 1, n_positions: 16 }, training: { per_device_train_batch_size: 4 } };
  const announced: number[] = [];
  const measured = await measureThreads(await resolvePython({ python }), { input, onThreads: (threads) => announced.push(threads) });
  const cores = availableParallelism();
  const expected = [1, 2, 4, 8, 16, 32, 64, 128].filter((threads) => threads < cores).concat(cores);
  expect(measured.map(({ threads }) => threads)).toEqual(expected);
  expect(announced).toEqual(expected);
  for (const { stepsPerSecond } of measured) expect(stepsPerSecond).toBeGreaterThan(1);
  const stop = new AbortController();
  const stopped = measureThreads(await resolvePython({ python }), { input, signal: stop.signal, onThreads: () => stop.abort() });
  await expect(stopped).rejects.toMatchObject({ code: "ABORTED" });
});

test.each([
  [
    "the steps after the warm-up",
    [
      [1, 0],
      [20, 200],
      [60, 210],
    ],
    4,
  ],
  [
    "the same steps, where the stream left out the one that the warm-up ends with",
    [
      [1, 0],
      [19, 200],
      [21, 201],
      [61, 211],
    ],
    4,
  ],
  [
    "all steps, where a slow training was ended within the warm-up",
    [
      [1, 5],
      [2, 8],
      [3, 15],
    ],
    0.2,
  ],
] as const)("the rate of a training is that of %s", (_, ends, expected) => {
  expect(rate(ends)).toBe(expected);
});
