import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { runNames } from "../../../src/text/names.js";
import { seriesTitles } from "../../shared/series-names.js";
import { Shared, type StepCursor, type StepRange } from "../../shared/step-cursor.js";
import { hrefOf, setQuery, useAddress } from "../address.js";
import { useChanges } from "../changes.js";
import { type AxisName, axisChoices, axisName, axisOf, plainAxis } from "../chart/axis.js";
import { Chart } from "../chart/chart.js";
import { type ChartLine, smoothedLines } from "../chart/chart-plot.js";
import { overlayValues, useExactValues } from "../chart/exact-values.js";
import { Choice, SmoothingChoice, smoothingNote, smoothingOf, TableFrame, Waiting } from "../controls.js";
import type { OverlayDocument, PlanDocument, ServedRunRow, ShelfDocument } from "../documents.js";
import { difference, shown } from "../figures.js";
import { getDocument, useDocument } from "../server.js";
import { lineColour, lineDash, useTheme } from "../theme.js";
import { useTitle } from "../title.js";

/** Points of each line: all lines together have no more than can be told apart. */
function pointsOf(ids: string): number {
  return Math.max(200, Math.min(800, Math.floor(60_000 / ids.split(",").length)));
}

/** Several runs over each other: colour by one field, dash by another, names by what differs. */
export function OverlayView() {
  const { query } = useAddress();
  const { isDark } = useTheme();
  const [turn, setTurn] = useState(0);
  const ids = query.get("runs") ?? "";
  const name = query.get("name") ?? "loss";
  const axis = axisName(query.get("x"));
  const smoothing = smoothingOf(query);
  const cursor = useMemo<StepCursor>(() => new Shared<number | null>(null), [ids]);
  const range = useMemo<StepRange>(() => new Shared<readonly [number, number] | null>(null), [ids]);
  const { document: shelf } = useDocument<ShelfDocument>("/api/runs", turn);
  const { document: overlay, problem } = useDocument<OverlayDocument>(
    `/api/overlay?name=${name}&points=${pointsOf(ids)}&runs=${ids}&smooth=${smoothing}${axis === "step" ? "" : "&clocks=1"}`,
    turn,
  );
  useChanges((change) => {
    if (change.kind === "everything" || (change.kind === "run" && ids.includes(change.run.id))) setTurn((before) => before + 1);
  });
  const { runs, fields, names: own } = useNamedRuns(shelf, ids);
  const baseline = runs.find(({ id }) => id === query.get("baseline"));
  const names = useMemo(() => own.map((name, at) => (runs[at]?.id === baseline?.id ? `${name}, baseline` : name)), [own, runs, baseline?.id]);
  const byColour = query.get("colour") ?? "run";
  const byDash = query.get("dash") ?? ["arm", "model.norm"].find((field) => fields.includes(field)) ?? "none";
  const lines = useMemo(
    () => (overlay ? overlayLines({ overlay, runs, names, byColour, byDash, isDark, axis }) : []),
    [overlay, runs, names, byColour, byDash, isDark, axis],
  );
  const isReduced = overlay?.lines.some((line) => line.isReduced) ?? false;
  const askValues = useCallback(
    async (at: number, signal: AbortSignal) => {
      const steps = ids.split(",").map((id) => {
        const clock = overlay?.lines.find((line) => line.id === id)?.clock;
        return Math.max(0, Math.floor(axis === "step" ? at : axisOf(axis, clock).back(at)));
      });
      return overlayValues(`name=${name}&runs=${ids}&step=${steps.join(",")}&smooth=${smoothing}`, signal);
    },
    [name, ids, smoothing, axis, overlay],
  );
  const exact = useExactValues(cursor, isReduced, askValues, overlay);
  useTitle(overlay ? `${overlay.lines.length} runs · bh-bridge` : "");
  if (!overlay || !shelf) return <Waiting problem={problem} what="Reading the runs …" />;
  const isLog = query.get("log") === "1";
  return (
    <main>
      <div class="bar">
        <h1>
          Overlay <span class="count">{overlay.lines.length} runs</span>
        </h1>
        <Choice label="Line" value={name} options={[...seriesTitles]} onChoice={(value) => setQuery({ name: value })} />
        <Choice
          label="Colour by"
          value={byColour}
          options={["run", ...fields].map((field) => [field, field])}
          onChoice={(value) => setQuery({ colour: value })}
        />
        <Choice
          label="Dash by"
          value={byDash}
          options={["none", "run", ...fields].map((field) => [field, field])}
          onChoice={(value) => setQuery({ dash: value })}
        />
        <Choice label="Along" value={axis} options={axisChoices({ epochs: [] })} onChoice={(x) => setQuery({ x: x === "step" ? "" : x })} />
        <SmoothingChoice value={smoothing} />
        <PairLink ids={ids} />
      </div>
      <h2 class="visually-hidden">Lines</h2>
      {lines.length === 0 ? (
        <p class="empty">None of these runs has this line.</p>
      ) : (
        <Chart
          title={seriesTitles.get(name) ?? name}
          lines={lines}
          cursor={cursor}
          range={range}
          axis={plainAxis(axis)}
          height={420}
          isLog={isLog}
          onLog={(log) => setQuery({ log: log ? "1" : "" })}
          fileName={`overlay-${name}`}
          exact={exact}
          {...(lines.some(({ recording }) => recording?.smooth) && { note: smoothingNote(smoothing) })}
        />
      )}
      <RunTable runs={runs} names={own} fields={fields} baseline={baseline} />
    </main>
  );
}

/** The way from an overlay to the replay of its runs together, if there are two. */
function PairLink({ ids }: { ids: string }) {
  const [first = "", second = "", ...more] = ids.split(",");
  if (second === "" || more.length > 0) return null;
  return (
    <a class="button" href={hrefOf("pair", `${first}/${second}`)}>
      Replay both
    </a>
  );
}

interface RunTableProps {
  runs: readonly ServedRunRow[];
  names: readonly string[];
  fields: readonly string[];
  /** The run that the others are compared with. */
  baseline: ServedRunRow | undefined;
}

/** The fields in which the runs differ, and their results with the differences from the baseline. */
function RunTable({ runs, names, fields, baseline }: RunTableProps) {
  const result = (run: ServedRunRow, of: (row: ServedRunRow) => number | null) => {
    const [own, other] = [of(run), baseline && baseline.id !== run.id ? of(baseline) : null];
    return (
      <td class="number">
        {shown(own)} {own !== null && other !== null && <small class="difference">{difference(own, other)}</small>}
      </td>
    );
  };
  return (
    <TableFrame label="Table of runs">
      <table>
        <thead>
          <tr>
            <th>Run</th>
            {fields.map((field) => (
              <th key={field}>{field}</th>
            ))}
            <th class="number">Mean loss</th>
            <th class="number">C</th>
            <th class="number">P</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run, at) => (
            <tr key={run.id}>
              <td>
                <a href={hrefOf("run", run.id, baseline ? { baseline: baseline.id } : {})}>{names[at]}</a>
                {run.id === baseline?.id && <span class="tag baseline">baseline</span>}
              </td>
              {fields.map((field) => (
                <td key={field}>{shown(run.differs[field])}</td>
              ))}
              {result(run, ({ loss }) => loss)}
              {result(run, ({ C }) => C)}
              {result(run, ({ P }) => P)}
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

/** Chosen runs by their ids, the fields in which they differ, and what a legend calls them. */
export function useNamedRuns(shelf: ShelfDocument | undefined, ids: string) {
  const arms = useArms(shelf, ids);
  return useMemo(() => {
    const runs = chosenRuns(shelf, ids, arms);
    const fields = differingFields(runs);
    return { runs, fields, names: runNames(runs.map(({ name, differs, run }) => ({ name, differs, directory: run }))) };
  }, [shelf, ids, arms]);
}

/** The chosen runs; an arm that one stands for counts among what differs. */
function chosenRuns(shelf: ShelfDocument | undefined, ids: string, arms: ReadonlyMap<string, string>): ServedRunRow[] {
  return ids.split(",").flatMap((id): ServedRunRow[] => {
    const run = shelf?.runs.find((each) => each.id === id);
    const arm = arms.get(id);
    if (!run) return [];
    return [arm === undefined ? run : { ...run, differs: { arm, ...run.differs } }];
  });
}

/** Arms of the runs that belong to experiments. */
function useArms(shelf: ShelfDocument | undefined, ids: string): ReadonlyMap<string, string> {
  const [arms, setArms] = useState<ReadonlyMap<string, string>>(new Map());
  const own = shelf?.runs.filter(({ id }) => ids.includes(id)).flatMap(({ plan }) => plan ?? []);
  const experiments = shelf?.plans.filter(({ id, kind }) => kind === "experiment" && own?.includes(id)).map(({ id }) => id);
  const asked = experiments?.join(",") ?? "";
  useEffect(() => {
    if (asked === "") return;
    const controller = new AbortController();
    const plans = asked.split(",").map((id) => getDocument<PlanDocument>(`/api/plans/${id}`, controller.signal));
    Promise.all(plans).then(
      (found) => {
        const cells = found.flatMap(({ trials }) => trials).flatMap(({ run, arm }) => (run && arm ? [{ run, arm }] : []));
        const runs = [...new Set(cells.map(({ run }) => run))];
        setArms(new Map(runs.map((run) => [run, [...new Set(cells.filter((cell) => cell.run === run).map(({ arm }) => arm))].join(" and ")])));
      },
      () => undefined, // the other fields tell the runs apart
    );
    return () => controller.abort();
  }, [asked]);
  return arms;
}

/** Fields of the configuration in which these runs differ. */
function differingFields(runs: readonly ServedRunRow[]): string[] {
  const fields = new Set(runs.flatMap(({ differs }) => Object.keys(differs)));
  return [...fields].filter((field) => new Set(runs.map(({ differs }) => JSON.stringify(differs[field]))).size > 1).sort();
}

interface OverlaySettings {
  overlay: OverlayDocument;
  runs: readonly ServedRunRow[];
  names: readonly string[];
  byColour: string;
  byDash: string;
  isDark: boolean;
  axis: AxisName;
}

function overlayLines({ overlay, runs, names, byColour, byDash, isDark, axis }: OverlaySettings): ChartLine[] {
  const valueIn = (run: ServedRunRow, field: string) => (field === "run" ? run.id : field === "none" ? "" : JSON.stringify(run.differs[field]));
  const colours = [...new Set(runs.map((run) => valueIn(run, byColour)))];
  const dashes = [...new Set(runs.map((run) => valueIn(run, byDash)))];
  return overlay.lines.flatMap(({ id, x: steps, y, smooth, isReduced, clock }): ChartLine[] => {
    const at = runs.findIndex((run) => run.id === id);
    const run = runs[at];
    if (!run) return [];
    const along = axisOf(axis, clock);
    if (along.name !== axis) return []; // it does not tell what the others stand over
    const x = axis === "step" ? steps : steps.map(along.of);
    const colour = colours.indexOf(valueIn(run, byColour));
    // Colours come round after seven: the dash then tells the rounds apart, where it has nothing else to say.
    const dash = byDash === "none" ? Math.floor(colour / 7) : dashes.indexOf(valueIn(run, byDash));
    return smoothedLines({ keys: [id], x, y, smooth, isReduced }, { label: names[at] ?? run.name, colour: lineColour(colour, isDark), dash: lineDash(dash) });
  });
}
