import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RowSource } from "../../../src/formats/matrix.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";
import { writeCsv } from "../../../src/runner/export-run.js";
import { countedTensor } from "../formats/counted-tensor.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";

const directory = temporaryDirectory();

test("CSV has a line a token and every number to its last digit", async () => {
  const path = join(directory, "w.csv");
  const values = Float32Array.of(0.1, -2.5, Number.NaN, Number.POSITIVE_INFINITY, 1e-45, 16777217);
  const rows: RowSource = {
    source: "memory",
    dtype: "F32",
    rows: 3,
    columns: 2,
    rowTokens: new RowTokens({ vocabulary: 43, ids: [40, 42, 41] }),
    read: (first, count, target) => target.set(new Uint8Array(values.buffer, first * 8, count * 8)),
  };
  writeCsv(path, rows);
  expect(readFileSync(path, "utf8")).toBe("token,0,1\n40,0.10000000149011612,-2.5\n42,nan,inf\n41,1.401298464324817e-45,16777216\n");
  const parsed = 'import sys, json, numpy as np; print(json.dumps(np.loadtxt(sys.argv[1], delimiter=",", skiprows=1)[:, 1:].astype("f4").tobytes().hex()))';
  expect(expectedFrom(parsed, path)).toBe(Buffer.from(values.buffer).toString("hex"));
});

test("integers of 64 bits keep every digit in CSV", async () => {
  const path = join(directory, "i64.csv");
  const values = BigInt64Array.of(9007199254740993n, -9223372036854775808n);
  writeCsv(path, { source: "memory", dtype: "I64", rows: 1, columns: 2, read: (_first, _count, target) => target.set(new Uint8Array(values.buffer)) });
  expect(readFileSync(path, "utf8")).toBe("token,0,1\n0,9007199254740993,-9223372036854775808\n");
});

test("−0 keeps its sign, as every other bit", () => {
  const path = join(directory, "zeros.csv");
  const values = Float64Array.of(-0, 0, 1e21, -1e-7);
  writeCsv(path, { source: "memory", dtype: "F64", rows: 1, columns: 4, read: (_first, _count, target) => target.set(new Uint8Array(values.buffer)) });
  const parsed = 'import sys, json, numpy as np; print(json.dumps(np.loadtxt(sys.argv[1], delimiter=",", skiprows=1)[1:].astype("f8").tobytes().hex()))';
  expect(expectedFrom(parsed, path)).toBe(Buffer.from(values.buffer).toString("hex"));
});

test("a matrix without rows is its header, and what is there is not overwritten", () => {
  const path = join(directory, "empty.csv");
  writeCsv(path, countedTensor("w", "F32", [0, 2]).rows);
  expect(readFileSync(path, "utf8")).toBe("token,0,1\n");
  expect(() => writeCsv(path, countedTensor("w", "F32", [1, 2]).rows)).toThrow(expect.objectContaining({ code: "FILE_UNWRITABLE" }));
});
