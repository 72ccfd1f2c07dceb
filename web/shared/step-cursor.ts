import { useEffect, useState } from "preact/hooks";
import type { Shared } from "./shared-value.js";

export { Shared, type StepCursor, type StepRange } from "./shared-value.js";

/** A shared value, as it is now. */
export function useShared<Value>(shared: Shared<Value>): Value {
  const [value, setValue] = useState(shared.value);
  useEffect(() => {
    setValue(() => shared.value);
    return shared.listen((next) => setValue(() => next));
  }, [shared]);
  return value;
}

/** A shared value without its preview, as it is now. */
export function useSettled<Value>(shared: Shared<Value>): Value {
  const [value, setValue] = useState(shared.settled);
  useEffect(() => {
    setValue(() => shared.settled);
    return shared.listen(() => setValue(() => shared.settled));
  }, [shared]);
  return value;
}

/** The steps at which the token that is pointed at, or followed, changes its black hole. */
export type TokenChanges = Shared<readonly number[]>;

/** The row of the embedding whose token the pointer is on, in a panel or in the cloud; null for none. */
export type HoveredToken = Shared<number | null>;
