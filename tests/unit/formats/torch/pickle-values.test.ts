import { expect, test } from "vitest";
import { PickleDict, PickleFloat, PickleGlobal, PickleInstance } from "../../../../src/formats/torch/pickle-values.js";
import { expectedFrom } from "../reference-python.js";

test("keys that Python takes for one are one, and the last value counts", () => {
  const dict = new PickleDict();
  for (const [index, key] of [true, 1, new PickleFloat(1), false, new PickleFloat(-0), "1", 1.5, new PickleFloat(2)].entries()) dict.set(key, index);
  const python = 'import json\nd = {}\nfor i, k in enumerate([True, 1, 1.0, False, -0.0, "1", 1.5, 2.0]): d[k] = i\nprint(json.dumps(list(d.values())))';
  expect([...dict.entries.values()]).toEqual(expectedFrom(python));
});

test("floats that are no integer, or beyond 2^53, are keys of their own", () => {
  const [half, large] = [new PickleFloat(0.5), new PickleFloat(2 ** 60)];
  const dict = new PickleDict();
  dict.set(half, "a");
  dict.set(large, "b");
  expect([...dict.entries.keys()]).toEqual([half, large]);
});

test("a global is written as Python writes its name", () => {
  expect(String(new PickleGlobal("torch._utils", "_rebuild_tensor_v2"))).toBe("torch._utils._rebuild_tensor_v2");
});

test("two instances share nothing", () => {
  const [one, other] = [new PickleInstance(null, null), new PickleInstance(null, null)];
  one.items.push(1);
  one.dict.set("a", 1);
  expect([other.items.length, other.dict.entries.size, other.state]).toEqual([0, 0, null]);
});
