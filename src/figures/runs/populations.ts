import { tokenName, tokenNameLegend } from "../../text/names.js";
import { axis, seriesOf } from "../panels.js";
import { type Absent, defineRunFigure, type RunSource } from "./run-figure.js";

/** Maximum number of bars. */
const maxBars = 16;
interface Populations {
  readonly step: number;
  readonly holes: readonly { readonly population: number; readonly members: readonly string[] }[];
}

async function read(run: RunSource): Promise<Populations | Absent> {
  const { finalCensus, states, steps } = await run.analysis();
  const { populations, members = [], texts = [] } = finalCensus;
  if (populations.length === 0) return { absent: "its last snapshot has no black hole" };
  const holes = populations.map((population, hole) => ({
    population,
    members: (members[hole] ?? []).map((token, index) => tokenName(token, texts[hole]?.[index])),
  }));
  return { step: steps?.at(-1) ?? states - 1, holes };
}

/** The black holes of the last state as bars, with the tokens in them. */
export const populations = defineRunFigure({
  name: "populations",
  overlays: false,
  read,
  describe([run]) {
    const { step = 0, holes = [] } = run?.data ?? {};
    const told = holes.slice(0, maxBars);
    const rest = holes.length > told.length ? ` ${holes.length - told.length} smaller ones are omitted.` : "";
    const values = told.map(({ population }) => population);
    return {
      title: `Black holes after step ${step.toLocaleString("en")}`,
      caption: `Tokens in each black hole, largest first, with its members: ${tokenNameLegend}.${rest}`,
      series: [seriesOf("", 0)],
      panels: [
        {
          title: "",
          x: axis("tokens", null, { domain: [0, 2 * Math.max(1, ...values)] }),
          y: axis("black hole", null, { scale: "category" }),
          equal: false,
          marks: [
            {
              mark: "bars",
              series: 0,
              names: told.map((_, hole) => `#${hole + 1}`),
              values,
              notes: told.map(({ population, members }) => `${population}:  ${members.join(" ")}`),
            },
          ],
        },
      ],
      columns: 1,
    };
  },
});
