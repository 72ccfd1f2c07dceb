import { setQuery } from "./address.js";

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
