import { expect, test } from "vitest";
import { principalAxis } from "../../../../src/analysis/untrained/principal-axis.js";
import { type Arithmetic, rowProducts } from "../../../../src/analysis/untrained/row-products.js";
import { type Dtype, Matrix } from "../../../../src/formats/matrix.js";
import { expectedFrom } from "../../formats/reference-python.js";
import { memorySource } from "../memory-source.js";

interface Expected {
  dtype: Dtype;
  shape: [number, number];
  bytes: string;
  squares: number[];
  dots: [number, number][];
  sum: number[];
  projected: number[];
  axis: number[];
}

/** Matrices with an infinity in one row, whose width is no multiple of a vector; what numpy computes of them in float64. */
const cases = expectedFrom<Expected[]>(`
import base64, json, numpy as np, torch
g = np.random.default_rng(5); out = []
for dtype, name, columns in ((torch.bfloat16, "BF16", 21), (torch.float16, "F16", 40), (torch.float32, "F32", 3), (torch.float64, "F64", 17)):
    w = torch.tensor(g.normal(size=(75, columns)) * np.linspace(2, 1, columns) + 0.3).to(dtype); w[70, 1] = float("inf"); w[3] = 0; w[4] *= 1e-5
    x = w.double().numpy(); ok = np.isfinite(x).all(1); mean = x[ok].mean(0); v = np.linspace(-1, 1, columns)
    c = x - mean; axis = np.linalg.svd(c[ok], full_matrices=False)[2][0]; axis *= np.sign(axis[np.abs(axis).argmax()])
    out.append({"dtype": name, "shape": list(x.shape), "bytes": base64.b64encode(w.view(torch.uint8).numpy().tobytes()).decode(),
        "squares": (x[ok] ** 2).sum(1).tolist(), "dots": np.stack([c[ok] @ v, c[ok] @ mean], 1).tolist(), "sum": x[ok].sum(0).tolist(),
        "projected": (c[ok] * (c[ok] @ v)[:, None]).sum(0).tolist(), "axis": axis.tolist()})
print(json.dumps(out))`);

const close = (found: ArrayLike<number>, expected: readonly number[], tolerance: number): void => {
  expect(found.length).toBe(expected.length);
  const scale = Math.max(...expected.map(Math.abs));
  for (const [index, value] of expected.entries()) expect(Math.abs((found[index] ?? Number.NaN) - value)).toBeLessThanOrEqual(tolerance * scale);
};

function resultOf<Result>(steps: Generator<number, Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

const arithmetics: [Arithmetic, number][] = [
  ["float64", 1e-12],
  ["float32", 1e-6],
];

test.each(cases.flatMap((each) => arithmetics.map((kind) => [each.dtype, ...kind, each] as const)))(
  "%s in %s: products, sums and principal axis are numpy's",
  (dtype, arithmetic, tolerance, { shape, bytes, ...expected }) => {
    if (dtype === "F64" && arithmetic === "float32") return; // the kernels do not read it
    const source = memorySource(new Matrix(dtype, shape, new Uint8Array(Buffer.from(bytes, "base64"))));
    const {
      dots: [squares = new Float64Array()],
      sum,
    } = resultOf(rowProducts(source, { vectors: [], sum: "rows", arithmetic }));
    expect(squares[70]).toBeNaN();
    const skipped = Uint8Array.from(squares, (square) => Number(Number.isNaN(square)));
    const finite = (values: Float64Array | undefined) => (values ?? new Float64Array()).filter((_, row) => !skipped[row]);
    close(finite(squares), expected.squares, tolerance);
    close(sum, expected.sum, tolerance);
    const mean = sum.map((total) => total / 74);
    const ramp = new Float64Array(shape[1]).map((_, column) => -1 + (2 * column) / (shape[1] - 1));
    const projected = resultOf(rowProducts(source, { vectors: [ramp, mean], offset: mean, skipped, sum: "projected", arithmetic }));
    for (const index of [0, 1] as const) {
      close(
        finite(projected.dots[index]),
        expected.dots.map((pair) => pair[index]),
        tolerance,
      );
    }
    close(projected.sum, expected.projected, tolerance);
    const { axis, error } = resultOf(principalAxis(source, { mean, skipped }, arithmetic));
    expect(error).toBeLessThan(1e-6);
    close(axis, expected.axis, 10 * tolerance);
  },
);

test("equal rows have no principal axis", () => {
  const source = memorySource(new Matrix("F32", [5, 2], new Uint8Array(Float32Array.from([1, 2, 1, 2, 1, 2, 1, 2, 1, 2]).buffer)));
  const { axis, error } = resultOf(principalAxis(source, { mean: Float64Array.of(1, 2), skipped: new Uint8Array(5) }, "float64"));
  expect([...axis, error]).toEqual([0, 0, 0]);
});
