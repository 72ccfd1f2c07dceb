import { type Departure, findingOf, type Whereabouts, whereabouts } from "../../analysis/timeline/whereabouts.js";
import { groupDigits } from "../../text/format.js";
import { quotedTokens, tokenName } from "../../text/names.js";
import type { Mark, Panel, Series } from "../figure.js";
import { countAxis, seriesOf, stepAxis } from "../panels.js";
import { type Absent, defineRunFigure, type RunSource } from "./run-figure.js";

/** Where the tokens of a run are, with the names of those that leave first and last. */
export interface Verdict extends Whereabouts {
  readonly first: string;
  readonly last: string;
}

/** The areas from bottom to top. */
const areas = [
  { key: "deadTogether", name: "dead, together", color: 0 },
  { key: "deadAlone", name: "dead, parted", color: 5 },
  { key: "liveTogether", name: "live, in black holes", color: 1 },
  { key: "liveAlone", name: "live, alone", palette: "levels", color: 0 }, // the pale level: what is alone is the background of the rest
] as const;

export const areaSeries: readonly Series[] = [...areas.map(({ key: _, ...look }) => ({ ...seriesOf("", 0), ...look })), { ...seriesOf("", 0), color: 7 }];

/** What the areas mean, for captions. */
export const areaLegend =
  "Stacked numbers of tokens. Dead tokens never appear in the text. Together: they share their row with another token, bit by bit. The step axis is logarithmic in step + 1.";

const maxNames = 3;

function namesOf(departure: Departure | null, text: ((token: number) => string | null) | undefined): string {
  if (departure === null) return "";
  const { tokens } = departure;
  return quotedTokens(
    tokens.map((token) => tokenName(token, text?.(token))),
    maxNames,
  );
}

/** Where the tokens of a run are in each snapshot, read once. */
export function verdictOf(run: RunSource): Promise<Verdict> {
  return run.once(read);
}

async function read(run: RunSource): Promise<Verdict> {
  const history = await run.history();
  const found = await whereabouts(history, run.manifest.corpus.deadTokens, run.scan);
  const { text } = history.rowTokens;
  return { ...found, first: namesOf(found.live.first, text), last: namesOf(found.live.last, text) };
}

/** The first and the last departure of a live token, with names; one if they are the same. */
function departuresOf({ live, first, last }: Pick<Verdict, "live" | "first" | "last">): { which: string; state: number; names: string }[] {
  const isOne = live.first?.state === live.last?.state;
  return [
    ...(live.first ? [{ which: isOne ? "all" : "first", state: live.first.state, names: first }] : []),
    ...(live.last && !isOne ? [{ which: "last", state: live.last.state, names: last }] : []),
  ];
}

/** The stacked areas of a run, with its first and last departure. @param departures whether they are named in the panel or in tooltips. */
export function verdictPanel(title: string, { steps, counts, live, first, last }: Verdict, departures: "labels" | "dots" = "labels"): Panel {
  const floor = areas.map((_, area) => steps.map((_step, state) => areas.slice(0, area).reduce((sum, { key }) => sum + (counts[key][state] ?? 0), 0)));
  const bands = areas.flatMap(({ key }, series): Mark[] => {
    const low = floor[series] ?? [];
    if (counts[key].every((tokens) => tokens === 0)) return [];
    return [{ mark: "band", series, x: steps, low, high: low.map((below, state) => below + (counts[key][state] ?? 0)), curve: "step", solid: true }];
  });
  const labels = departuresOf({ live, first, last }).map(({ which, state, names }) => ({
    x: steps[state] ?? 0,
    y: floor[3]?.[state] ?? 0,
    text: `${which}: ${names}`,
  }));
  const dots: Mark[] =
    labels.length === 0
      ? []
      : [
          {
            mark: "dots",
            series: 4,
            x: labels.map(({ x }) => x),
            y: labels.map(({ y }) => y),
            [departures === "labels" ? "labels" : "names"]: labels.map(({ text }) => text),
          },
        ];
  return { title, x: stepAxis({ scale: "symlog" }), y: countAxis("tokens"), equal: false, marks: [...bands, ...dots] };
}

/** Who leaves first and last, and when. */
function captionOf(found: Verdict): string {
  const told = departuresOf(found).map(({ which, state, names }) => {
    const who = which === "all" ? "All tokens that leave" : which === "first" ? "The first to leave" : "The last to leave";
    return ` ${who}, at step ${groupDigits(found.steps[state] ?? 0)}: ${names}.`;
  });
  return told.length === 0 ? "" : `${told.join("")} A token leaves when it is alone after a black hole.`;
}

/** The verdict of a run as a picture: which tokens are together and which alone, over the steps. */
export const verdictFigure = defineRunFigure({
  name: "verdict",
  overlays: false,
  read: async (run: RunSource): Promise<Verdict | Absent> => {
    const found = await verdictOf(run);
    return found.steps.length < 2 ? { absent: "it has taken no step yet" } : found;
  },
  describe([run]) {
    return {
      title: run ? findingOf(run.data) : "",
      caption: `${areaLegend}${run ? captionOf(run.data) : ""}`,
      series: areaSeries,
      panels: run ? [verdictPanel("", run.data)] : [],
      columns: 1,
    };
  },
});
