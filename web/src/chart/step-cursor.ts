import { useEffect, useState } from "preact/hooks";
import type { Shared } from "../../shared/shared-value.js";

export { Shared, type StepCursor, type StepRange } from "../../shared/shared-value.js";

/** A shared value, as it is now. */
export function useShared<Value>(shared: Shared<Value>): Value {
  const [value, setValue] = useState(shared.value);
  useEffect(() => {
    setValue(() => shared.value);
    return shared.listen((next) => setValue(() => next));
  }, [shared]);
  return value;
}

/** The row of the embedding whose token the pointer is on, in a panel or in the cloud; null for none. */
export type HoveredToken = Shared<number | null>;
