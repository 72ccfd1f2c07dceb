import type { ComponentChildren } from "preact";
import { setQuery } from "./address.js";

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly (readonly string[])[];
  onChoice(value: string): void;
}

/** One of several, by name. */
export function Choice({ label, value, options, onChoice }: ChoiceProps) {
  return (
    <label>
      <span>{label}</span>
      <select value={value} onChange={(event) => onChoice(event.currentTarget.value)}>
        {options.map(([key = "", title]) => (
          <option key={key} value={key}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

/** How lines are smoothed: training quantities over a hundredth of the line, or all but counts with a weight; 0 for not at all. */
export type Smoothing = number | "auto";

/** How lines are smoothed, from the address. */
export function smoothingOf(query: URLSearchParams): Smoothing {
  const text = query.get("smooth");
  const weight = Number(text ?? Number.NaN);
  return weight >= 0 && weight < 1 ? weight : "auto";
}

/** What a chart with smoothed lines notes. */
export function smoothingNote(smoothing: Smoothing): string {
  const over = smoothing === "auto" ? "over about a hundredth of the line" : `with weight ${smoothing}`;
  return `Smoothed: exponential mean of all recorded values ${over}, without the bias of its beginning; the raw line stays behind.`;
}

const weights = ["0.5", "0.8", "0.9", "0.95", "0.98", "0.99"];

/** Sets the smoothing; the address keeps it. */
export function SmoothingChoice({ value }: { value: Smoothing }) {
  const text = String(value);
  const all = [...weights, ...(value === "auto" || value === 0 || weights.includes(text) ? [] : [text])].sort();
  const options = [["auto", "auto"], ["0", "off"], ...all.map((weight) => [weight, weight])];
  return <Choice label="Smoothing" value={text} options={options} onChoice={(smooth) => setQuery({ smooth: smooth === "auto" ? "" : smooth })} />;
}

const signs: Readonly<Record<string, string>> = {
  running: "●",
  completed: "✓",
  stopped: "■",
  interrupted: "◌",
  failed: "✕",
  corrupt: "!",
  foreign: "⇢",
  planned: "○",
  pruned: "✂",
  lost: "◌",
  skipped: "–",
};

/** The state of a run: a sign, a word and a colour. */
export function Status({ status }: { status: string }) {
  return (
    <span class={`status ${status}`}>
      <span aria-hidden="true">{signs[status] ?? "?"}</span> {status}
    </span>
  );
}

/** A table that scrolls sideways where it is too wide, also by the keyboard. */
export function TableFrame({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
    <section class="table-frame" tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}

/** In place of a view whose document has not arrived. */
export function Waiting({ what, problem }: { what: string; problem: string | undefined }) {
  return (
    <main>
      <h1 class={problem ? "problem" : "waiting"}>{problem ?? what}</h1>
    </main>
  );
}
