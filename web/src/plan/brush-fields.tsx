import { shown } from "../figures.js";
import type { Brush, Brushes } from "./brushes.js";
import type { SweptScale } from "./swept-row.js";

interface BrushFieldsProps {
  scales: readonly SweptScale[];
  /** The title of an axis. */
  titles(name: string): string;
  brushes: Brushes;
  onBrush(name: string, brush: Brush | null): void;
}

/** The brushes as fields, for keyboards: the lowest and highest value of each axis. */
export function BrushFields({ scales, titles, brushes, onBrush }: BrushFieldsProps) {
  return (
    <details class="brush-fields" open={brushes.size > 0}>
      <summary>Filter by values</summary>
      <div>
        {scales.map((scale) => (
          <fieldset key={scale.name}>
            <legend>{titles(scale.name)}</legend>
            <End scale={scale} title={titles(scale.name)} end="low" brush={brushes.get(scale.name)} onBrush={onBrush} />
            <End scale={scale} title={titles(scale.name)} end="high" brush={brushes.get(scale.name)} onBrush={onBrush} />
          </fieldset>
        ))}
      </div>
    </details>
  );
}

interface EndProps {
  scale: SweptScale;
  title: string;
  end: "low" | "high";
  brush: Brush | undefined;
  onBrush(name: string, brush: Brush | null): void;
}

/** One end of a brush: a choice between few values, otherwise a number. */
function End({ scale, title, end, brush, onBrush }: EndProps) {
  const { name, values, rank, isFew } = scale;
  const [low = "", high = ""] = [values[0], values.at(-1)];
  const [whole, now] = [{ low, high }, brush ?? { low, high }];
  const set = (text: string) => {
    const value = values.find((each) => String(each) === text) ?? (text === "" ? whole[end] : Number(text));
    const next = { ...now, [end]: value };
    const isAll = rank(next.low) <= rank(low) && rank(next.high) >= rank(high);
    onBrush(name, isAll ? null : next);
  };
  const label = `${end === "low" ? "Lowest" : "Highest"} ${title}`;
  // A brush from an address may lie between values.
  const nearest = end === "low" ? values.find((value) => rank(value) >= rank(now.low)) : values.findLast((value) => rank(value) <= rank(now.high));
  if (!isFew) {
    return (
      <input
        type="number"
        step="any"
        aria-label={label}
        value={brush ? String(brush[end]) : ""}
        placeholder={shown(whole[end])}
        onChange={({ currentTarget }) => set(currentTarget.value)}
      />
    );
  }
  return (
    <select aria-label={label} value={String(nearest ?? "")} onChange={({ currentTarget }) => set(currentTarget.value)}>
      {values.map((value) => (
        <option key={value} value={String(value)}>
          {shown(value)}
        </option>
      ))}
    </select>
  );
}
