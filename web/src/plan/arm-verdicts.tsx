import type { PlanDocument } from "../documents.js";
import "./arm-verdicts.css";

type Verdict = NonNullable<PlanDocument["judged"]>["verdict"];

/** The verdict of an experiment: for each arm the answer, the evidence, and what is missing. */
export function ArmVerdicts({ verdict }: { verdict: Verdict }) {
  return (
    <div class={`judged ${verdict.result} arms`}>
      <b>{verdict.result}</b>
      {verdict.arms.map(({ arm, result, answer, evidence, missing, reason }) => (
        <dl key={arm}>
          <dt>{arm}</dt>
          <dd>
            <strong>{result}</strong>
            {answer && `: ${answer}`}
          </dd>
          <dt>Evidence</dt>
          <dd>{evidence ?? reason}</dd>
          {missing !== undefined && (
            <>
              <dt>Missing</dt>
              <dd>{missing ?? "nothing"}</dd>
            </>
          )}
        </dl>
      ))}
      {verdict.notes?.map((note) => (
        <p key={note}>{note}</p>
      ))}
    </div>
  );
}
