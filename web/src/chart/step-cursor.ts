import { useEffect, useState } from "preact/hooks";

/** A value that several parts of the page share: the step that is looked at, the range that is zoomed to. */
export class Shared<Value> {
  #value: Value;
  readonly #listeners = new Set<(value: Value) => void>();

  constructor(value: Value) {
    this.#value = value;
  }

  get value(): Value {
    return this.#value;
  }

  set value(value: Value) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of this.#listeners) listener(value);
  }

  /** Hear of changes; the returned function ends that. */
  listen(listener: (value: Value) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}

/** A shared value, as it is now. */
export function useShared<Value>(shared: Shared<Value>): Value {
  const [value, setValue] = useState(shared.value);
  useEffect(() => {
    setValue(() => shared.value);
    return shared.listen((next) => setValue(() => next));
  }, [shared]);
  return value;
}

/** The step that charts and replay look at; null follows the newest. */
export type StepCursor = Shared<number | null>;
/** The steps that all charts show; null for all. */
export type StepRange = Shared<readonly [number, number] | null>;
