/** A value that several parts of a page share, such as the current step. It can be previewed, for example under the pointer, and returns to the settled value. */
export class Shared<Value> {
  #value: Value;
  #settled: Value;
  readonly #listeners = new Set<(value: Value) => void>();

  constructor(value: Value) {
    this.#value = value;
    this.#settled = value;
  }

  /** The value to show, which is that of a preview if there is one. */
  get value(): Value {
    return this.#value;
  }

  /** Settle on a value; this ends a preview. */
  set value(value: Value) {
    this.#change(value, value);
  }

  /** The value without the preview. */
  get settled(): Value {
    return this.#settled;
  }

  /** Show a value until the preview ends. */
  preview(value: Value): void {
    this.#change(value, this.#settled);
  }

  /** Show the settled value again. */
  endPreview(): void {
    this.#change(this.#settled, this.#settled);
  }

  /** Call a function after every change. @returns a function that ends this. */
  listen(listener: (value: Value) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #change(value: Value, settled: Value): void {
    if (Object.is(value, this.#value) && Object.is(settled, this.#settled)) return;
    this.#value = value;
    this.#settled = settled;
    for (const listener of this.#listeners) listener(value);
  }
}

/** The step that charts and replay show; null for the newest. The pointer previews a step, a click settles on it. */
export type StepCursor = Shared<number | null>;
/** The steps that all charts show; null for all. */
export type StepRange = Shared<readonly [number, number] | null>;
