import { expect, test } from "vitest";
import { analyze } from "../../../../src/analysis/analyze.js";
import { onsetAnalysis, onsetStates } from "../../../../src/analysis/untrained/onset.js";
import type { Dtype } from "../../../../src/formats/matrix.js";
import { expectedFrom } from "../../formats/reference-python.js";
import { memoryHistory } from "../memory-source.js";

interface Trained {
  dtype: Dtype;
  shape: [number, number, number];
  bytes: string;
  unused: number[];
  first: (number | null)[];
}

/** Tied embeddings trained with AdamW and weight decay on batches whose tokens are known: when each token first occurs, null for never. */
const cases = expectedFrom<Trained[]>(`
import base64, json, torch
from torch import nn
out = []
for dtype, name in ((torch.float32, "F32"), (torch.bfloat16, "BF16")):
    for start in ("equal", "random"):
        torch.manual_seed(3); V, D, T = 48, 24, 30
        w = torch.randn(V, D) * 0.02 if start == "random" else torch.randn(1, D).repeat(V, 1) * 0.3
        emb = nn.Parameter(w.to(dtype)); lin = nn.Linear(D, D, bias=False).to(dtype)
        opt = torch.optim.AdamW([emb, *lin.parameters()], lr=0.002, weight_decay=0.1)
        first, states = [None] * V, [emb.detach().clone()]
        for step in range(1, T + 1):
            tokens = torch.randint(0, min(4 + step, 30), (4, 8))  # tokens 30 to 47 never occur
            for t in tokens.flatten().tolist():
                if first[t] is None: first[t] = step
            logits = torch.tanh(lin(emb[tokens[:, :-1]])) @ emb.T
            loss = nn.functional.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten())
            opt.zero_grad(); loss.backward(); opt.step(); states.append(emb.detach().clone())
        h = torch.stack(states)
        out.append({"dtype": name, "shape": list(h.shape), "bytes": base64.b64encode(h.view(torch.uint8).numpy().tobytes()).decode(), "unused": list(range(36, V)), "first": first})
print(json.dumps(out))`);

test.each(cases.map((each, index) => [index % 2 === 0 ? "equal" : "random", each.dtype, each] as const))(
  "from %s rows in %s, a token begins to train when it first occurs",
  (_start, dtype, { shape, bytes, unused, first }) => {
    const history = memoryHistory(dtype, shape, new Uint8Array(Buffer.from(bytes, "base64")));
    const steps = onsetStates(history, unused);
    for (let step = steps.next(); ; step = steps.next()) {
      if (!step.done) continue;
      expect([...step.value].map((state) => (state === 0 ? null : state))).toEqual(first);
      return;
    }
  },
);

test("without unused tokens any motion counts; the document has the steps and the number of tokens that have begun", async () => {
  const states = [
    [1, 1, 2, 2, 3, 3],
    [1, 1, 2, 5, 3, 3],
    [1, 1, 2, 2, 4, 3],
  ];
  const history = { ...memoryHistory("F64", [3, 3, 2], new Uint8Array(Float64Array.from(states.flat()).buffer)), steps: [0, 10, 20] };
  const { onset } = await analyze(history, { only: ["onset"] });
  expect(onset).toEqual({ unused: 0, began: [null, 10, 20], trained: [1, 2], never: 1 });
  expect(onset && onsetAnalysis.print(onset, (state) => 10 * state)[1]).toEqual({
    head: ["step", "have begun"],
    rows: [
      ["10", "1"],
      ["20", "2"],
    ],
  });
});
