/** A value that several parts of a page share, such as the current step. */
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

  /** Call a function after every change. @returns a function that ends this. */
  listen(listener: (value: Value) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}

/** The step that charts and replay show; null for the newest. */
export type StepCursor = Shared<number | null>;
/** The steps that all charts show; null for all. */
export type StepRange = Shared<readonly [number, number] | null>;
