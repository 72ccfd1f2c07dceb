import { useEffect, useMemo } from "preact/hooks";
import { type ReadOut, readOut } from "../../shared/read-out.js";
import { Shared, type StepCursor } from "../../shared/step-cursor.js";
import type { OverlayDocument, SeriesDocument } from "../documents.js";
import { getDocument } from "../server.js";
import type { ChartLine } from "./chart-plot.js";

/** A recorded value, and the smoothed line at the same step. */
interface ExactValue extends ReadOut {
  readonly smooth?: number | null;
}

/** The recorded values at a step, by key of the recording. */
export interface ExactValues {
  readonly step: number;
  readonly values: ReadonlyMap<string, ExactValue>;
}

/** The recording behind a line of a chart. Several keys: the line is their mean. */
export interface Recording {
  readonly keys: readonly string[];
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  readonly smooth?: readonly (number | null)[] | undefined;
  /** Recorded values between the points are missing. */
  readonly isReduced?: boolean | undefined;
}

/** Asks for the recorded values at a step. */
type AskValues = (step: number, signal: AbortSignal) => Promise<ExactValues["values"]>;

/** The recorded values at the cursor, requested one step at a time; the newest step waits for the answer to the one before. */
export function useExactValues(cursor: StepCursor, isNeeded: boolean, ask: AskValues, turn: unknown): Shared<ExactValues | null> {
  const exact = useMemo(() => new Shared<ExactValues | null>(null), [cursor]);
  useEffect(() => {
    if (!isNeeded) return;
    const controller = new AbortController();
    let isAsking = false;
    const update = async (): Promise<void> => {
      const step = cursor.value;
      if (isAsking || step === null) return;
      isAsking = true;
      try {
        const values = await ask(step, controller.signal);
        if (!controller.signal.aborted) exact.value = { step, values };
      } catch {
        // The legend shows no value; the page reports a server that does not answer.
      } finally {
        isAsking = false;
      }
      if (!controller.signal.aborted && cursor.value !== step) void update();
    };
    const end = cursor.listen(() => void update());
    void update();
    return () => {
      end();
      controller.abort();
    };
  }, [cursor, exact, isNeeded, ask, turn]);
  return exact;
}

/** The recorded values of a run at a step, by name of the series. */
export async function seriesValues(path: string, signal: AbortSignal): Promise<ExactValues["values"]> {
  const { series } = await getDocument<SeriesDocument>(path, signal);
  return new Map(series.flatMap(({ name, ...line }) => keyed(name, line)));
}

/** The recorded values of one line at a step, by run. */
export async function overlayValues(query: string, signal: AbortSignal): Promise<ExactValues["values"]> {
  const { lines } = await getDocument<OverlayDocument>(`/api/overlay?${query}`, signal);
  return new Map(lines.flatMap(({ id, ...line }) => keyed(id, line)));
}

function keyed(key: string, { x: [step], y: [value], smooth }: Pick<OverlayDocument["lines"][number], "x" | "y" | "smooth">): [string, ExactValue][] {
  return step === undefined || typeof value !== "number" ? [] : [[key, { step, value, ...(smooth && { smooth: smooth[0] ?? null }) }]];
}

/** What a legend shows of a line at the cursor: recorded values only. Undefined while the server is asked, and where there is none. */
export function legendValue(line: ChartLine, step: number | null, exact: ExactValues | null): ExactValue | undefined {
  const recording: Recording = line.recording ?? { keys: [], x: line.x, y: line.y };
  const known = readOut(recording, step ?? Number.POSITIVE_INFINITY);
  const isKnown = step === null || !recording.isReduced || known?.step === step;
  if (isKnown) {
    const smooth = known && recording.smooth?.[recording.x.lastIndexOf(known.step)];
    return known && { ...known, ...(smooth !== undefined && { smooth }) };
  }
  if (exact?.step !== step) return undefined;
  const values = recording.keys.flatMap((key) => exact.values.get(key) ?? []);
  const [first, ...others] = values;
  if (!first || others.length === 0) return first;
  return { step: Math.max(...values.map((each) => each.step)), value: values.reduce((sum, { value }) => sum + value, 0) / values.length };
}
