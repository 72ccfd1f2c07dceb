import { expect, test } from "vitest";
import { deadTokenMassOverTime } from "../../../../src/analysis/dead-mass/dead-token-mass.js";
import { openHistory } from "../../../../src/runs/open-history.js";
import { differences } from "../differences.js";
import { memoryHistory } from "../memory-source.js";
import { oracleCases } from "../oracle.js";

interface Expected {
  readonly dead: readonly number[];
  /** Per state. */
  readonly means: readonly number[];
}

const { cases, file } = oracleCases<Expected>("masses", 6, 40);

test("each state has the mean over positions of torch's softmax, from logits and from hidden states", async () => {
  for (const [index, { dead, means }] of cases.entries()) {
    const [hidden, embedding, logits] = await Promise.all(["hidden", "embedding", "logits"].map((name) => openHistory(file(index), name)));
    if (!hidden || !embedding || !logits) throw new Error("a tensor is missing");
    expect(differences(await deadTokenMassOverTime({ logits }, dead), means, 1e-10, 1e-12)).toEqual([]);
    expect(differences(await deadTokenMassOverTime({ hidden, embedding }, dead), means, 1e-10, 1e-12)).toEqual([]);
    for (const history of [hidden, embedding, logits]) history.close();
  }
});

/** Logits of two states, one position, two words: even odds, then 3 to 1. */
const logits = memoryHistory("F64", [2, 1, 2], new Uint8Array(Float64Array.of(0, 0, Math.log(3), 0).buffer));

test("without dead tokens the mass is 0, and of all tokens it is 1", async () => {
  expect(await deadTokenMassOverTime({ logits }, [])).toEqual([0, 0]);
  for (const mass of await deadTokenMassOverTime({ logits }, [0, 1])) expect(mass).toBeCloseTo(1, 15);
  expect((await deadTokenMassOverTime({ logits }, [1]))[1]).toBeCloseTo(0.25, 15);
});

test("a token outside the vocabulary is refused, and so are states that were recorded different numbers of times", async () => {
  await expect(deadTokenMassOverTime({ logits }, [2])).rejects.toMatchObject({ code: "USAGE" });
  const hidden = memoryHistory("U8", [1, 2, 3], new Uint8Array(6));
  const embedding = memoryHistory("U8", [2, 4, 3], new Uint8Array(24));
  await expect(deadTokenMassOverTime({ hidden, embedding }, [0])).rejects.toMatchObject({
    code: "FORMAT_INVALID",
    message: "hidden states were recorded 1 time, the embedding 2 times",
  });
});

test("it ends when it is told to", async () => {
  await expect(deadTokenMassOverTime({ logits }, [0], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
});
