import "./pair-arms.css";
import { useState } from "preact/hooks";
import { hrefOf } from "../address.js";
import { Choice } from "../controls.js";
import type { PlanDocument } from "../documents.js";

/** Offers the replay of two arms of a seed together. */
export function PairOfArms({ plan }: { plan: PlanDocument }) {
  const [chosen, setChosen] = useState<{ seed?: string; first?: string; second?: string }>({});
  const trained = plan.trials.filter(({ run, arm, seed }) => run !== null && arm !== null && seed !== null);
  const armsOf = (seed: string) => plan.arms.filter((arm) => trained.some((trial) => trial.arm === arm && String(trial.seed) === seed));
  const seeds = plan.seeds.map(String).filter((seed) => armsOf(seed).length > 1);
  const seed = seeds.find((each) => each === chosen.seed) ?? seeds[0];
  if (seed === undefined) return null;
  const arms = armsOf(seed);
  const first = arms.find((arm) => arm === chosen.first) ?? arms[0];
  const second = arms.find((arm) => arm === chosen.second && arm !== first) ?? arms.find((arm) => arm !== first);
  const [a, b] = [first, second].map((arm) => trained.find((trial) => trial.arm === arm && String(trial.seed) === seed)?.run ?? "");
  const change = (part: typeof chosen) => setChosen((before) => ({ ...before, ...part }));
  return (
    <fieldset class="bar pair-arms">
      <legend class="visually-hidden">Replay of two arms</legend>
      <Choice label="Replay" value={first ?? ""} options={arms.map((arm) => [arm, arm])} onChoice={(value) => change({ first: value })} />
      <Choice
        label="beside"
        value={second ?? ""}
        options={arms.filter((arm) => arm !== first).map((arm) => [arm, arm])}
        onChoice={(value) => change({ second: value })}
      />
      <Choice label="Seed" value={seed} options={seeds.map((each) => [each, each])} onChoice={(value) => change({ seed: value })} />
      <a class="button" href={hrefOf("pair", `${a}/${b}`)}>
        Replay both
      </a>
    </fieldset>
  );
}
