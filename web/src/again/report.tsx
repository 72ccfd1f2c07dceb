import { render } from "preact";
import type { Retraining } from "../../../src/report/retraining.js";
import TrainingWorker from "../../shared/portable/worker.js?worker&inline";
import { inflated, TrainAgain } from "./train-again.js";

/** The text of an element. */
const textOf = (id: string) => document.getElementById(id)?.textContent ?? "";

const retraining = JSON.parse(new TextDecoder().decode(await inflated(textOf("again-data")))) as Retraining;
const place = document.getElementById("again");
const last = retraining.steps.at(-1) ?? 0;
if (place) {
  place.replaceChildren();
  render(
    <TrainAgain
      most={last}
      usual={last}
      retraining={async () => retraining}
      library={async () => (await inflated(textOf("again-library"))).buffer}
      worker={() => new TrainingWorker()}
    />,
    place,
  );
}
