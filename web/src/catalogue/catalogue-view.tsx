import { useEffect, useState } from "preact/hooks";
import { hrefOf, setQuery, useAddress } from "../address.js";
import { useChanges } from "../changes.js";
import { Waiting } from "../controls.js";
import type { ShelfDocument } from "../documents.js";
import { shown } from "../figures.js";
import { useDocument } from "../server.js";
import { useTitle } from "../title.js";
import { EmptyState } from "./empty-state.js";
import { RunTable } from "./run-table.js";
import "./catalogue.css";

/** All runs, experiments and sweeps: found by words, by conditions, in any order; chosen ones are laid over each other. */
export function CatalogueView() {
  const { query } = useAddress();
  const search = query.get("search") ?? "";
  const where = query.get("where") ?? "";
  const sort = query.get("sort") ?? "-created";
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [turn, setTurn] = useState(0);
  const baseline = query.get("baseline") ?? "";
  const asked = new URLSearchParams({ search, sort, ...(where && { where }), ...(baseline && { baseline }) });
  const { document: shelf, problem } = useDocument<ShelfDocument>(`/api/runs?${asked}`, turn);
  const again = useSoon(() => setTurn((before) => before + 1));
  useChanges(again);
  const running = shelf?.runs.filter(({ status }) => status === "running") ?? [];
  useTitle(running.length > 0 ? `${running.length} running · bh-bridge` : "");
  const toggle = (id: string) =>
    setChosen((before) => {
      const after = new Set(before);
      if (!after.delete(id)) after.add(id);
      return after;
    });
  if (shelf?.total === 0 && shelf.plans.length === 0) return <EmptyState />;
  if (!shelf) return <Waiting problem={problem} what="Reading the folders …" />;
  const visible = shelf.runs.map(({ id }) => id);
  const ids = [...chosen].filter((id) => visible.includes(id));
  return (
    <main>
      <h1 class="visually-hidden">Runs, experiments and sweeps</h1>
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
            disabled={ids.length !== 1}
            title="Show the differences of all runs from the selected one"
            onClick={() => {
              setQuery({ baseline: ids[0] ?? "" });
              setChosen(new Set());
            }}
          >
            Set as baseline
          </button>
          <button
            type="button"
            class="primary"
            disabled={new Set([...ids, ...(baseline && ids.length > 0 ? [baseline] : [])]).size < 2}
            title="Lay the chosen runs over each other"
            onClick={() => {
              const runs = [...new Set([...(baseline ? [baseline] : []), ...ids])].join(",");
              location.hash = hrefOf("overlay", "", { runs, ...(baseline && { baseline }) });
            }}
          >
            Overlay {ids.length > 0 ? ids.length : ""}
          </button>
        </form>
        {shelf.baseline && <BaselineNote baseline={shelf.baseline} />}
        {problem && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        {shelf.runs.length === 0 ? (
          <p class="empty">
            No run meets these conditions. <a href={hrefOf("runs")}>Show all {shelf.total}</a>
          </p>
        ) : (
          <RunTable
            runs={shelf.runs}
            baseline={shelf.baseline ?? null}
            sort={sort}
            chosen={chosen}
            toggle={toggle}
            setAll={(all) => setChosen(new Set(all ? visible : []))}
          />
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

/** Which run the others are compared with, and how to end that. */
function BaselineNote({ baseline: { id, name } }: { baseline: { id: string; name: string } }) {
  return (
    <p class="baseline-note">
      Differences from <a href={hrefOf("run", id, { baseline: id })}>{name}</a>
      <button type="button" class="small" onClick={() => setQuery({ baseline: "" })}>
        Clear baseline
      </button>
    </p>
  );
}
