import { useState } from "preact/hooks";
import { useChanges } from "../changes.js";
import { Status, Waiting } from "../controls.js";
import type { PlanDocument } from "../documents.js";
import { useDocument } from "../server.js";
import { useTitle } from "../title.js";
import { ArmVerdicts } from "./arm-verdicts.js";
import { Experiment } from "./experiment-view.js";
import { Swept } from "./sweep-view.js";
import { Trials } from "./trials.js";

/** How far an experiment or a sweep is, afterwards its verdict. */
function titleOf({ name, counts, trials, verdict, kind }: PlanDocument): string {
  const done = counts["completed"] ?? 0;
  if ((counts["running"] ?? 0) > 0) return `${done}/${trials.length} · ${name}`;
  return `${verdict ?? kind} · ${name}`;
}

/** An experiment or a sweep. */
export function PlanView({ id }: { id: string }) {
  const [turn, setTurn] = useState(0);
  const { document: plan, problem } = useDocument<PlanDocument>(`/api/plans/${id}`, turn);
  useChanges(({ kind }) => {
    if (kind === "plans" || kind === "everything") setTurn((before) => before + 1);
  });
  useTitle(plan ? titleOf(plan) : "");
  if (!plan) return <Waiting problem={problem} what="Reading the plan …" />;
  return (
    <main>
      <header class="head">
        <div>
          <h1>{plan.name}</h1>
          <p class="sub">
            <span class="kind">{plan.kind}</span>
            {Object.entries(plan.counts).map(
              ([status, count]) =>
                count > 0 && (
                  <span key={status}>
                    {count} <Status status={status} />
                  </span>
                ),
            )}
          </p>
        </div>
        {plan.judged && <ArmVerdicts verdict={plan.judged.verdict} />}
      </header>
      {plan.kind === "experiment" ? <Experiment plan={plan} turn={turn} /> : <Swept plan={plan} />}
      {plan.kind === "experiment" && <Trials trials={plan.trials} />}
    </main>
  );
}
