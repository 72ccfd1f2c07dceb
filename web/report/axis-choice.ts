import type { RunClock } from "../../src/runs/run-clock.js";
import type { AxisBy } from "./clock-axis.js";
import type { FigureView } from "./figure-view.js";

const names: Readonly<Record<AxisBy, string>> = { steps: "training step", epochs: "epoch", seconds: "time of training" };

/** Let the reader choose above the figures what their axis of steps is read by. */
export function addAxisChoice(views: readonly FigureView[], clock: RunClock): void {
  const select = document.createElement("select");
  for (const [value, textContent] of Object.entries(names)) {
    if (value !== "epochs" || clock.epochs) select.append(Object.assign(document.createElement("option"), { value, textContent }));
  }
  select.addEventListener("change", () => {
    const by = select.value as AxisBy;
    for (const view of views) view.readBy(by === "steps" ? null : { clock, by });
  });
  const label = Object.assign(document.createElement("label"), { textContent: "Horizontal axis " });
  label.className = "tools";
  label.append(select);
  document.querySelector("#figures h2")?.after(label);
}
