import { runNames, tokenName } from "../../../src/text/names.js";
import { type Address, hrefOf, setQuery } from "../address.js";
import type { HistoryDocument, ServedRunDocument, ShelfDocument } from "../documents.js";
import { shown } from "../figures.js";
import { getDocument } from "../server.js";
import { bestOf } from "./match.js";

/** A place to go to. */
export interface Entry {
  kind: "run" | "experiment" | "sweep" | "step" | "token" | "figure" | "chart";
  name: string;
  detail: string;
  go(): void;
}

/** What a palette searches, as far as it has arrived. */
export interface Searched {
  shelf?: ShelfDocument;
  /** Of the run, or the first of a pair, that is shown. */
  history?: HistoryDocument;
  run?: ServedRunDocument;
}

/** Ask for the names to search. @param onPart called with what there is after each answer. */
export function loadSearched({ view, id }: Address, signal: AbortSignal, onPart: (part: Searched) => void): void {
  const add = async <Name extends keyof Searched>(name: Name, path: string) => {
    const document = await getDocument<NonNullable<Searched[Name]>>(path, signal).catch(() => undefined); // the rest can still be searched
    if (document !== undefined) onPart({ [name]: document });
    return document;
  };
  void add("shelf", "/api/runs");
  if (view !== "run" && view !== "pair") return;
  const run = view === "run" ? add("run", `/api/runs/${id}`) : undefined;
  void Promise.resolve(run).then((found) => (found?.status === "foreign" ? undefined : add("history", `/api/runs/${id}/history`)));
}

const mostOfKind = 6;

/** The places that meet what was typed, those of the shown run first. */
export function entriesFor(typed: string, searched: Searched): Entry[] {
  const text = typed.trim();
  return [
    ...stepEntries(text, searched),
    ...tokenEntries(typed === " " ? " " : text, searched),
    ...chartEntries(text),
    ...figureEntries(text, searched),
    ...listEntries(text, searched),
  ];
}

function stepEntries(typed: string, { history }: Searched): Entry[] {
  if (!history || !/^\d+$/.test(typed)) return [];
  const step = Number(typed);
  const { steps, states } = history;
  if (step > (steps?.at(-1) ?? states - 1)) return [];
  const isRecorded = steps === null || steps.includes(step);
  return [
    { kind: "step", name: `Step ${shown(step)}`, detail: isRecorded ? "" : "not recorded: shows the last one before it", go: () => setQuery({ step: typed }) },
  ];
}

function tokenEntries(typed: string, { history }: Searched): Entry[] {
  if (!history || typed === "") return [];
  const dead = new Set(history.dead);
  const rows = history.texts.map((text, row) => ({ row, text, token: history.ids?.[row] ?? row }));
  const textsOf = ({ text, token }: (typeof rows)[number]) => [String(token), tokenName(token, text), ...(text === null ? [] : [text])];
  // A token is as short as what is typed: letters with others between them would meet half of a vocabulary.
  const near = rows.filter((each) => textsOf(each).some((text) => text.toLowerCase().includes(typed.toLowerCase())));
  return bestOf(near, typed, textsOf, mostOfKind).map(({ row, text, token }) => ({
    kind: "token",
    name: `Token ${tokenName(token, text)}`,
    detail: `number ${token}${dead.has(row) ? ", dead" : ""}`,
    go: () => setQuery({ token: String(row) }),
  }));
}

/** Charts of the page itself. */
function chartEntries(typed: string): Entry[] {
  const charts = [...document.querySelectorAll<HTMLElement>("section.chart")].map((element) => ({ element, title: element.getAttribute("aria-label") ?? "" }));
  return bestOf(charts, typed, ({ title }) => [title], mostOfKind).map(({ element, title }) => ({
    kind: "chart",
    name: title,
    detail: "on this page",
    go: () => {
      element.scrollIntoView({ block: "center" });
      element.querySelector<HTMLElement>("[tabindex='0']")?.focus();
    },
  }));
}

function figureEntries(typed: string, { run }: Searched): Entry[] {
  return bestOf(run?.figures ?? [], typed, (name) => [name, `figure ${name}`], mostOfKind).map((name) => ({
    kind: "figure",
    name: `Figure ${name}`,
    detail: "saves the SVG",
    go: () => {
      location.href = `/api/runs/${run?.id}/figure?name=${encodeURIComponent(name)}&as=svg`; // an attachment: the page stays
    },
  }));
}

function listEntries(typed: string, { shelf }: Searched): Entry[] {
  if (!shelf) return [];
  const names = runNames(shelf.runs.map(({ name, differs, run }) => ({ name, differs, directory: run })));
  const runs = shelf.runs.map((run, index) => ({
    kind: "run" as const,
    view: "run",
    id: run.id,
    name: names[index] ?? run.name,
    own: run.name,
    detail: run.status,
  }));
  const plans = shelf.plans.map((plan) => ({ kind: plan.kind, view: "plan", id: plan.id, name: plan.name, own: plan.name, detail: plan.verdict ?? "" }));
  return [plans, runs].flatMap((items: readonly (typeof runs | typeof plans)[number][]) =>
    bestOf(items, typed, ({ name, own }) => [name, own], mostOfKind).map(({ kind, view, id, name, detail }) => ({
      kind,
      name,
      detail,
      go: () => {
        location.hash = hrefOf(view, id);
      },
    })),
  );
}
