import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { searchSchema } from "../../../../src/sweep/grammar/sweep-schema.js";
import { askOptuna } from "../../../../src/sweep/plan/plan-search.js";
import { realPython } from "../../../bridge/real-python.js";
import { expectedFrom, python, temporaryDirectory } from "../../formats/reference-python.js";

const search = searchSchema.parse({
  trials: 100,
  seed: 3,
  maximize: "unique",
  over: { rate: { log: [1e-5, 1e-1] }, share: { uniform: [0, 1] }, layers: { int: [1, 3] }, kind: ["a", { b: 1 }, null] },
});

const kinds = ["a", { b: 1 }, null];
const told = Array.from({ length: 12 }, (_, index) => ({
  values: { rate: 10 ** (-5 + index / 3), share: index / 12, layers: 1 + (index % 3), kind: kinds[index % 3] ?? null },
  value: index === 4 ? null : index,
}));

/** The same question, asked of Optuna as its documentation has it. */
const reference = `
import json, optuna, numpy
from optuna.distributions import CategoricalDistribution as C, FloatDistribution as F, IntDistribution as I
spaces = {"rate": F(1e-5, 1e-1, log=True), "share": F(0, 1), "layers": I(1, 3), "kind": C([0, 1, 2])}
seed = int(numpy.random.SeedSequence([3, 12]).generate_state(1)[0])
study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, constant_liar=True))
for i in range(12):
    params = {"rate": min(10 ** (-5 + i / 3), 1e-1), "share": i / 12, "layers": 1 + i % 3, "kind": i % 3}
    failed = i == 4
    state = optuna.trial.TrialState.FAIL if failed else optuna.trial.TrialState.COMPLETE
    study.add_trial(optuna.trial.create_trial(state=state, params=params, distributions=spaces, value=None if failed else i))
print(json.dumps([study.ask(spaces).params for _ in range(3)]))
`;

test("what it answers is Optuna's own answer, by all that was told", async () => {
  const expected = expectedFrom<{ rate: number; share: number; layers: number; kind: number }[]>(reference);
  const asked = await askOptuna(python, search, told, 3);
  const rounded = (value: number) => Number(value.toPrecision(6));
  expect(asked).toEqual(expected.map(({ rate, share, layers, kind }) => ({ rate: rounded(rate), share: rounded(share), layers, kind: kinds[kind] })));
  expect(await askOptuna(python, search, told, 3)).toEqual(asked);
}, 120_000);

test("where Optuna is not installed the command that installs it is told", async () => {
  const bare = join(temporaryDirectory(), "python");
  writeFileSync(bare, `#!/bin/sh\nexec ${realPython} -S "$@"\n`); // without the packages of its environment
  chmodSync(bare, 0o755);
  await expect(askOptuna(bare, search, [], 1)).rejects.toMatchObject({
    code: "PYTHON_DEPENDENCY_MISSING",
    message: expect.stringMatching(/No module named 'optuna'.*-m pip install "optuna>=4"/),
  });
});
