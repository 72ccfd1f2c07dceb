import { expect, test } from "vitest";
import { deadTokenMass, deadTokenMassOfHidden } from "../../../../src/analysis/dead-mass/dead-token-mass.js";
import { readState } from "../../../../src/formats/history.js";
import { Matrix } from "../../../../src/formats/matrix.js";
import { openHistory } from "../../../../src/runs/open-history.js";
import { differences } from "../differences.js";
import { oracleCases } from "../oracle.js";

interface Expected {
  readonly dead: readonly number[];
  /** Per position of the first state. */
  readonly first: readonly number[];
}

const { cases, file } = oracleCases<Expected>("masses", 5, 60);

test("the mass on dead tokens is torch's softmax in float64, from logits and from hidden states", async () => {
  for (const [index, { dead, first }] of cases.entries()) {
    const [hidden, embedding, logits] = await Promise.all(["hidden", "embedding", "logits"].map((name) => openHistory(file(index), name)));
    if (!hidden || !embedding || !logits) throw new Error("a tensor is missing");
    const masses = [deadTokenMass(readState(logits, 0), dead), deadTokenMassOfHidden(readState(hidden, 0), readState(embedding, 0), dead)];
    for (const mass of masses) expect(differences([...mass], first, 1e-10, 1e-12)).toEqual([]);
    for (const history of [hidden, embedding, logits]) history.close();
  }
});

test("logits too large for an exponential, and equal ones, still give probabilities", () => {
  const logits = new Matrix("F32", [2, 4], new Uint8Array(Float32Array.of(1e30, 0, 1e30, -1e30, 7, 7, 7, 7).buffer));
  expect([...deadTokenMass(logits, [2, 3])]).toEqual([0.5, 0.5]);
});

test("what does not fit together is refused", () => {
  const matrix = new Matrix("U8", [2, 3], new Uint8Array(6));
  expect(() => deadTokenMass(matrix, [3])).toThrow("row 3 is not in a matrix of 3 rows");
  expect(() => deadTokenMassOfHidden(matrix, new Matrix("U8", [3, 2], new Uint8Array(6)), [0])).toThrow("hidden states have 3 dimensions, the embedding has 2");
});
