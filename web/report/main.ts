import type { Figure } from "../../src/figures/figure.js";
import type { ExactLines } from "../../src/report/html-of-page.js";
import type { ReplayedRun } from "../../src/report/page.js";
import type { RunClock } from "../../src/runs/run-clock.js";
import { Shared, type StepCursor } from "../shared/shared-value.js";
import { addAxisChoice } from "./axis-choice.js";
import { FigureView, type SmoothFigure } from "./figure-view.js";
import { addPair } from "./pair.js";
import { preparePrinting } from "./printing.js";
import { addReplay } from "./replay.js";
import { addScenes } from "./scenes.js";
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

const { exact, ...embedded } = JSON.parse(await unpackedText(document.querySelector("#data")?.textContent ?? "")) as ReportData & { exact: ExactLines };
const data: ReportData = { ...embedded, figures: await completeFigures(embedded.figures, exact) };

const cursor: StepCursor = new Shared<number | null>(null);

const views = [...document.querySelectorAll<HTMLElement>("figure[data-figure]")].flatMap((element) => {
  const index = Number(element.dataset["figure"]);
  const figure = data.figures[index];
  return figure ? [new FigureView(element, figure, data.smooth[index] ?? [], cursor)] : [];
});

for (const element of document.querySelectorAll<HTMLElement>("[data-replay]"))
  addReplay(element, data.replays[Number(element.dataset["replay"])] ?? [], cursor);
for (const element of document.querySelectorAll<HTMLElement>("[data-pair]"))
  addPair(element, data.replays[Number(element.dataset["pair"])] ?? [], cursor, views);

if (data.clock) addAxisChoice(views, data.clock);
addScenes(cursor);
preparePrinting(views);

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
