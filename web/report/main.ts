import type { Figure } from "../../src/figures/figure.js";
import type { ExactLines } from "../../src/report/html-of-page.js";
import type { ReplayedRun } from "../../src/report/page.js";
import type { RunClock } from "../../src/runs/run-clock.js";
import { addAxisChoice } from "./axis-choice.js";
import { FigureView, type SmoothFigure } from "./figure-view.js";
import { unfoldPrinted } from "./printing.js";
import { addReplay } from "./replay.js";
import "./report.css";
import { saveText } from "./save.js";
import { completeFigures, unpackedText } from "./unpacked.js";

/** The data that a report embeds. */
interface ReportData {
  readonly title: string;
  readonly figures: readonly Figure[];
  /** Of each figure, by panel and mark. */
  readonly smooth: readonly SmoothFigure[];
  readonly replays: readonly (readonly ReplayedRun[])[];
  readonly config?: unknown;
  /** Of the run, where the report is of one. */
  readonly clock?: RunClock | null;
}

unfoldPrinted();

const { exact, ...embedded } = JSON.parse(await unpackedText(document.querySelector("#data")?.textContent ?? "")) as ReportData & { exact: ExactLines };
const data: ReportData = { ...embedded, figures: await completeFigures(embedded.figures, exact) };

const views = [...document.querySelectorAll<HTMLElement>("figure[data-figure]")].flatMap((element) => {
  const index = Number(element.dataset["figure"]);
  const figure = data.figures[index];
  return figure ? [new FigureView(element, figure, data.smooth[index] ?? [], showStep)] : [];
});

const replays = await Promise.all(
  [...document.querySelectorAll<HTMLElement>("[data-replay]")].map((element) =>
    addReplay(element, data.replays[Number(element.dataset["replay"])] ?? [], showStep),
  ),
);

if (data.clock) addAxisChoice(views, data.clock);

/** One cursor for all: charts over the steps and the replay show the same moment. Null takes it away. */
function showStep(step: number | null, from: object): void {
  for (const view of views) if (view !== from) view.showCursor(step);
  if (step === null) return;
  for (const replay of replays) if (replay !== from) replay.show(step);
}

const files = {
  data: { name: `${data.title}.json`, content: () => JSON.stringify(data) },
  config: { name: "config.json", content: () => `${JSON.stringify(data.config, null, 2)}\n` },
} as const;

for (const [what, { name, content }] of Object.entries(files)) {
  for (const button of document.querySelectorAll<HTMLButtonElement>(`[data-take=${what}]`)) {
    button.hidden = false;
    button.addEventListener("click", () => saveText(name, "application/json", content()));
  }
}
