import { runNames } from "../../../src/text/names.js";
import { hrefOf, setQuery } from "../address.js";
import { Choice, Status } from "../controls.js";
import type { RunOutline, ServedRunRow } from "../documents.js";
import { alignedNumber, difference, duration, shown } from "../figures.js";
import { Sparkline } from "./sparkline.js";
import { useOutlines } from "./use-outlines.js";

/** A column without a field cannot be sorted by. */
const columns: readonly { title: string; field?: string; isNumber?: boolean }[] = [
  { field: "name", title: "Run" },
  { field: "status", title: "State" },
  { title: "Verdict" },
  { title: "P over steps" },
  { field: "steps", title: "Steps", isNumber: true },
  { field: "loss", title: "Mean loss", isNumber: true },
  { field: "C", title: "C", isNumber: true },
  { field: "P", title: "P", isNumber: true },
  { field: "seed", title: "Seed", isNumber: true },
  { field: "seconds", title: "Duration", isNumber: true },
  { field: "created", title: "Started" },
];

interface RunTableProps {
  runs: readonly ServedRunRow[];
  /** The run that the others are compared with. */
  baseline: ServedRunRow | null;
  sort: string;
  chosen: ReadonlySet<string>;
  toggle(id: string): void;
  setAll(all: boolean): void;
}

/** The runs in the chosen order, those that are running first. On a narrow screen every run is a card. */
export function RunTable({ runs: given, baseline, sort, chosen, toggle, setAll }: RunTableProps) {
  const runs = [...given.filter(({ status }) => status === "running"), ...given.filter(({ status }) => status !== "running")];
  const outlines = useOutlines(runs);
  const names = distinctNames(runs);
  const isAll = runs.every(({ id }) => chosen.has(id));
  const lossText = alignedNumber(runs.map(({ loss }) => loss));
  const sortable = columns.flatMap(({ field, title }): [string, string][] =>
    field
      ? [
          [`-${field}`, `${title} ↓`],
          [field, `${title} ↑`],
        ]
      : [],
  );
  return (
    <div class="table-frame run-table">
      <div class="card-tools">
        <Choice label="Sort by" value={sort} options={sortable} onChoice={(value) => setQuery({ sort: value })} />
      </div>
      <table class="runs">
        <thead>
          <tr>
            <th>
              <input type="checkbox" aria-label="Choose all runs" checked={isAll} onChange={() => setAll(!isAll)} />
            </th>
            {columns.map((column) => (
              <Heading key={column.title} {...column} sort={sort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <RunLine
              key={run.id}
              run={run}
              name={names.get(run.id) ?? run.name}
              outline={outlines.get(run.id)}
              baseline={baseline}
              lossText={lossText}
              isChosen={chosen.has(run.id)}
              toggle={toggle}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The name of each run; runs of the same name have the fields behind it in which they differ. */
function distinctNames(runs: readonly ServedRunRow[]): ReadonlyMap<string, string> {
  const groups = new Map<string, ServedRunRow[]>();
  for (const run of runs) groups.set(run.name, [...(groups.get(run.name) ?? []), run]);
  return new Map(
    [...groups.values()].flatMap((group) => {
      const names = group.length === 1 ? [] : runNames(group.map(({ name, differs, run }) => ({ name, differs, directory: run })));
      return group.map(({ id, name }, at): [string, string] => [id, names[at] ?? name]);
    }),
  );
}

function Heading({ field, title, isNumber, sort }: (typeof columns)[number] & { sort: string }) {
  if (field === undefined) return <th>{title}</th>;
  const order = sort === field ? "ascending" : sort === `-${field}` ? "descending" : "none";
  return (
    <th class={isNumber ? "number" : ""} aria-sort={order}>
      <button type="button" onClick={() => setQuery({ sort: order === "descending" ? field : `-${field}` })}>
        {title}
        <span aria-hidden="true">{order === "ascending" ? " ↑" : order === "descending" ? " ↓" : ""}</span>
      </button>
    </th>
  );
}

interface RunLineProps extends Pick<RunTableProps, "baseline" | "toggle"> {
  run: ServedRunRow;
  name: string;
  outline: RunOutline | undefined;
  lossText(loss: number | null): string;
  isChosen: boolean;
}

function RunLine({ run, name, outline, baseline, lossText, isChosen, toggle }: RunLineProps) {
  const { steps } = run;
  const isBaseline = baseline?.id === run.id;
  const compared = isBaseline ? null : baseline;
  const differenceOf = (of: (row: ServedRunRow) => number | null) => {
    const [own, other] = [of(run), compared && of(compared)];
    return own === null || other === null ? null : <small class="difference">{difference(own, other)}</small>;
  };
  return (
    <tr class={`${isChosen ? "chosen" : ""} ${run.status === "running" ? "live" : ""}`}>
      <td class="choice">
        <input type="checkbox" aria-label={`Choose ${name}`} checked={isChosen} onChange={() => toggle(run.id)} />
      </td>
      <td class="name">
        <a href={hrefOf("run", run.id, baseline ? { baseline: baseline.id } : {})}>{name}</a>
        {isBaseline && <span class="tag baseline">baseline</span>}
        {run.arm && (
          <span class="tag" title="Arm of the experiment">
            {run.arm}
          </span>
        )}
        {run.tags.map((tag) => (
          <span key={tag} class="tag">
            {tag}
          </span>
        ))}
        {run.archive !== null && <small class="archive">from {run.archive}</small>}
        {compared && <Changed run={run} baseline={compared} />}
        {run.note && <small class="noted">{run.note}</small>}
        {run.problem && <small class="trouble">{run.problem}</small>}
      </td>
      <td class="in-state" data-label="State">
        <Status status={run.status} />
        {run.finite === false && <small class="trouble">not finite</small>}
      </td>
      <td class="verdict-cell" data-label="Verdict">
        {outline?.verdict && (
          <>
            <span class={`judgement ${outline.verdict.result}`} title={outline.verdict.reason}>
              {outline.verdict.result}
            </span>
            <small class="reason">{outline.verdict.reason}</small>
          </>
        )}
      </td>
      <td class="line-cell" data-label="P over steps">
        <Sparkline outline={outline} />
      </td>
      <td class="number in-steps" data-label="Steps">
        {steps ? (
          <>
            {shown(steps.done)}
            <small> / {shown(steps.planned)}</small>
            {steps.done < steps.planned && <progress value={steps.done} max={steps.planned} aria-label={`${steps.done} of ${steps.planned} steps`} />}
          </>
        ) : (
          "–"
        )}
      </td>
      <td class="number in-loss" data-label="Mean loss">
        {lossText(run.loss)}
        {differenceOf(({ loss }) => loss)}
      </td>
      <td class="number in-holes" data-label="C">
        {shown(run.C)}
        {differenceOf(({ C }) => C)}
      </td>
      <td class="number in-population" data-label="P">
        {shown(run.P)}
        {differenceOf(({ P }) => P)}
      </td>
      <td class="number in-seed" data-label="Seed">
        {run.seed === null ? "–" : String(run.seed)}
      </td>
      <td class="number in-duration" data-label="Duration">
        {duration(run.status === "running" ? (outline?.seconds ?? null) : run.seconds)}
      </td>
      <td class="time" data-label="Started">
        {run.created?.slice(0, 16).replace("T", " ") ?? "–"}
      </td>
    </tr>
  );
}

const mostChanges = 3;

/** The settings in which a run differs from the baseline. */
function Changed({ run, baseline }: { run: ServedRunRow; baseline: ServedRunRow }) {
  const paths = [...new Set([...Object.keys(run.differs), ...Object.keys(baseline.differs)])].filter(
    (path) => JSON.stringify(run.differs[path]) !== JSON.stringify(baseline.differs[path]),
  );
  if (paths.length === 0) return <small class="changed">same settings</small>;
  const texts = paths.slice(0, mostChanges).map((path) => `${path.split(".").at(-1)} ${shown(baseline.differs[path])} → ${shown(run.differs[path])}`);
  return (
    <small class="changed" title={paths.join(", ")}>
      {texts.join(", ")}
      {paths.length > mostChanges && `, ${paths.length - mostChanges} more`}
    </small>
  );
}
