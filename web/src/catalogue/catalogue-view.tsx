import { useEffect, useState } from "preact/hooks";
import { hrefOf, setQuery, useAddress } from "../address.js";
import { useChanges } from "../changes.js";
import { Status } from "../controls.js";
import type { ServedRunRow, ShelfDocument } from "../documents.js";
import { shown } from "../figures.js";
import { useDocument } from "../server.js";

const columns: readonly { field: string; title: string; isNumber?: boolean }[] = [
  { field: "name", title: "Run" },
  { field: "status", title: "State" },
  { field: "steps", title: "Steps", isNumber: true },
  { field: "loss", title: "Mean loss", isNumber: true },
  { field: "C", title: "C", isNumber: true },
  { field: "P", title: "P", isNumber: true },
  { field: "seed", title: "Seed", isNumber: true },
  { field: "created", title: "Started" },
];

/** All runs, experiments and sweeps: found by words, by conditions, in any order; chosen ones are laid over each other. */
export function CatalogueView() {
  const { query } = useAddress();
  const search = query.get("search") ?? "";
  const where = query.get("where") ?? "";
  const sort = query.get("sort") ?? "-created";
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [turn, setTurn] = useState(0);
  const asked = new URLSearchParams({ search, sort, ...(where && { where }) });
  const { document: shelf, problem } = useDocument<ShelfDocument>(`/api/runs?${asked}`, turn);
  const again = useSoon(() => setTurn((before) => before + 1));
  useChanges(again);
  const toggle = (id: string) =>
    setChosen((before) => {
      const after = new Set(before);
      if (!after.delete(id)) after.add(id);
      return after;
    });
  if (!shelf) return <p class={problem ? "problem" : "waiting"}>{problem ?? "Reading the folders …"}</p>;
  const visible = shelf.runs.map(({ id }) => id);
  const ids = [...chosen].filter((id) => visible.includes(id));
  return (
    <main>
      {shelf.plans.length > 0 && <Plans plans={shelf.plans} />}
      <section aria-label="Runs">
        <h2>
          Runs <span class="count">{shelf.runs.length === shelf.total ? shown(shelf.total) : `${shelf.runs.length} of ${shelf.total}`}</span>
        </h2>
        <form class="filters" onSubmit={(event) => event.preventDefault()}>
          <label>
            <span>Search</span>
            <input type="search" value={search} placeholder="name, tag or note" onInput={(event) => setQuery({ search: event.currentTarget.value })} />
          </label>
          <Conditions where={where} />
          <datalist id="fields">
            {shelf.fields.map((field) => (
              <option key={field} value={`${field}:`} />
            ))}
          </datalist>
          <button
            type="button"
            class="primary"
            disabled={ids.length < 2}
            title="Lay the chosen runs over each other"
            onClick={() => {
              location.hash = hrefOf("overlay", "", { runs: ids.join(",") });
            }}
          >
            Overlay {ids.length > 0 ? ids.length : ""}
          </button>
        </form>
        {problem && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        {shelf.runs.length === 0 ? (
          <p class="empty">
            {shelf.total === 0 ? "There is no run here yet. Start one:" : "No run meets these conditions."}{" "}
            {shelf.total === 0 && <code>bh-bridge train --preset quick</code>}
          </p>
        ) : (
          <RunTable runs={shelf.runs} sort={sort} chosen={chosen} toggle={toggle} setAll={(all) => setChosen(new Set(all ? visible : []))} />
        )}
      </section>
    </main>
  );
}

function Plans({ plans }: Pick<ShelfDocument, "plans">) {
  return (
    <section aria-label="Experiments and sweeps">
      <h2>Experiments and sweeps</h2>
      <ul class="cards">
        {plans.map((plan) => (
          <li key={plan.id}>
            <a href={hrefOf("plan", plan.id)}>
              <b>{plan.name}</b>
              <span class="kind">{plan.kind}</span>
            </a>
            <p>
              {plan.problem ??
                Object.entries(plan.counts)
                  .flatMap(([status, count]) => (count > 0 ? [`${count} ${status}`] : []))
                  .join(", ")}
              {plan.verdict && <span class="verdict">{plan.verdict}</span>}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface RunTableProps {
  runs: readonly ServedRunRow[];
  sort: string;
  chosen: ReadonlySet<string>;
  toggle(id: string): void;
  setAll(all: boolean): void;
}

function RunTable({ runs, sort, chosen, toggle, setAll }: RunTableProps) {
  const isAll = runs.every(({ id }) => chosen.has(id));
  return (
    <div class="table-frame">
      <table class="runs">
        <thead>
          <tr>
            <th>
              <input type="checkbox" aria-label="Choose all runs" checked={isAll} onChange={() => setAll(!isAll)} />
            </th>
            {columns.map(({ field, title, isNumber }) => {
              const order = sort === field ? "ascending" : sort === `-${field}` ? "descending" : "none";
              return (
                <th key={field} class={isNumber ? "number" : ""} aria-sort={order}>
                  <button type="button" onClick={() => setQuery({ sort: order === "descending" ? field : `-${field}` })}>
                    {title}
                    <span aria-hidden="true">{order === "ascending" ? " ↑" : order === "descending" ? " ↓" : ""}</span>
                  </button>
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <RunLine key={run.id} run={run} isChosen={chosen.has(run.id)} toggle={toggle} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function RunLine({ run, isChosen, toggle }: { run: ServedRunRow; isChosen: boolean; toggle(id: string): void }) {
  const { steps } = run;
  return (
    <tr class={isChosen ? "chosen" : ""}>
      <td>
        <input type="checkbox" aria-label={`Choose ${run.name}`} checked={isChosen} onChange={() => toggle(run.id)} />
      </td>
      <td class="name">
        <a href={hrefOf("run", run.id)}>{run.name}</a>
        {run.tags.map((tag) => (
          <span key={tag} class="tag">
            {tag}
          </span>
        ))}
        {run.archive !== null && <small class="archive">from {run.archive}</small>}
        {run.problem && <small class="trouble">{run.problem}</small>}
      </td>
      <td>
        <Status status={run.status} />
        {run.finite === false && <small class="trouble">not finite</small>}
      </td>
      <td class="number">
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
      <td class="number">{shown(run.loss)}</td>
      <td class="number">{shown(run.C)}</td>
      <td class="number">{shown(run.P)}</td>
      <td class="number">{run.seed === null ? "–" : String(run.seed)}</td>
      <td class="time">{run.created?.slice(0, 16).replace("T", " ") ?? "–"}</td>
    </tr>
  );
}

/** Call something soon, and once for many calls. */
function useSoon(act: () => void): () => void {
  const [timer] = useState<{ id: ReturnType<typeof setTimeout> | undefined }>({ id: undefined });
  useEffect(() => () => clearTimeout(timer.id), [timer]);
  return () => {
    if (timer.id !== undefined) return;
    timer.id = setTimeout(() => {
      timer.id = undefined;
      act();
    }, 300);
  };
}

/** Conditions hold once they are entered; what is being typed stays, whatever changes in the list meanwhile. */
function Conditions({ where }: { where: string }) {
  const [typed, setTyped] = useState(where);
  useEffect(() => setTyped(where), [where]);
  return (
    <label class="wide">
      <span>Conditions</span>
      <input
        type="text"
        value={typed}
        placeholder="status:completed seed>=42 training.learning_rate>1e-4"
        list="fields"
        spellcheck={false}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onChange={(event) => setQuery({ where: event.currentTarget.value })}
      />
    </label>
  );
}
