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

/** How much lines are smoothed, from the address. */
export function smoothingOf(query: URLSearchParams): number {
  const weight = Number(query.get("smooth") ?? 0);
  return weight > 0 && weight < 1 ? weight : 0;
}

/** Sets it; the address keeps it. */
export function SmoothingRange({ value }: { value: number }) {
  return (
    <label>
      Smoothing
      <input
        type="range"
        min={0}
        max={0.99}
        step={0.01}
        value={value}
        onInput={({ currentTarget }) => setQuery({ smooth: currentTarget.value === "0" ? "" : currentTarget.value })}
      />
      <output>{value === 0 ? "off" : value}</output>
    </label>
  );
}

const signs: Readonly<Record<string, string>> = {
  running: "●",
  completed: "✓",
  stopped: "■",
  interrupted: "◌",
  failed: "✕",
  corrupt: "!",
  planned: "○",
  pruned: "✂",
  lost: "◌",
};

/** The state of a run: a sign, a word and a colour. */
export function Status({ status }: { status: string }) {
  return (
    <span class={`status ${status}`}>
      <span aria-hidden="true">{signs[status] ?? "?"}</span> {status}
    </span>
  );
}
