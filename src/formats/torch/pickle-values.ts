/**
 * What a pickle holds, as inert data. `null`, booleans, integers (`number`, or `bigint` beyond 2^53), strings and `Uint8Array` stand for
 * themselves; everything else is one of these classes, or what the reader's hooks made.
 */

/** A Python float, kept apart from integers: a shape of `2.0` is not a shape. */
export class PickleFloat {
  constructor(readonly value: number) {}
}

export class PickleList {
  readonly items: unknown[] = [];
}

export class PickleTuple {
  constructor(readonly items: readonly unknown[]) {}
}

export class PickleSet {
  constructor(readonly items: unknown[]) {}
}

/** A dict of any class; keys are equal where Python's are (`True`, `1` and `1.0` are one key). */
export class PickleDict {
  readonly entries = new Map<unknown, unknown>();

  set(key: unknown, value: unknown): void {
    this.entries.set(canonicalKey(key), value);
  }
}

/** The name of a Python function or class. It is never looked up, imported or called. */
export class PickleGlobal {
  constructor(
    readonly module: string,
    readonly name: string,
  ) {}

  toString(): string {
    return `${this.module}.${this.name}`;
  }
}

/** A note that Python would have called something here; `state`, `items` and `dict` are what it would have been given afterwards. */
export class PickleInstance {
  state: unknown = null;
  readonly items: unknown[] = [];
  readonly dict = new PickleDict();

  constructor(
    readonly callable: unknown,
    readonly args: unknown,
  ) {}
}

function canonicalKey(key: unknown): unknown {
  if (typeof key === "boolean") return Number(key);
  return key instanceof PickleFloat && Number.isSafeInteger(key.value) ? key.value : key;
}
