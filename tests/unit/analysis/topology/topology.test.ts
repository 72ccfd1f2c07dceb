import fc from "fast-check";
import { expect, test } from "vitest";
import { latticePoints, latticePosition, topology, topologyAnalysis } from "../../../../src/analysis/topology/topology.js";
import { Matrix } from "../../../../src/formats/matrix.js";
import { bfloat16Matrix } from "../matrices.js";

const bfloat16Of = (bits: number): number => new Float32Array(Uint32Array.of(bits << 16).buffer)[0] ?? 0;

test("places are in the order of the values, with both zeros at 0", () => {
  const finiteBits = fc.integer({ min: 0, max: 0xffff }).filter((bits) => (bits & 0x7fff) <= 0x7f80);
  fc.assert(
    fc.property(finiteBits, finiteBits, (a, b) => {
      expect(latticePosition(a) < latticePosition(b)).toBe(bfloat16Of(a) < bfloat16Of(b));
      expect(latticePosition(a) === latticePosition(b)).toBe(bfloat16Of(a) === bfloat16Of(b));
    }),
  );
  expect(latticePosition(0x8000)).toBeCloseTo(0, 15);
});

test("neighbours differ by 1, across an exponent and across 0 too", () => {
  expect(latticePosition(0x3f80) - latticePosition(0x3f7f)).toBe(1);
  expect(latticePosition(0x0001) - latticePosition(0x8001)).toBe(2);
});

test("equal rows are one point, at the first of them; a row with NaN is marked", () => {
  const { points, firstRows, hasNan } = latticePoints(
    bfloat16Matrix([
      [0x3f80, 0x0000],
      [0x3f80, 0x8000],
      [0x3f81, 0x0001],
      [0x7fc0, 0x0000],
    ]),
  );
  expect([...firstRows]).toEqual([0, 2, 3]);
  expect([...points].slice(0, 4)).toEqual([0x3f80, 0, 0x3f81, 1]);
  expect([...hasNan]).toEqual([0, 0, 1]);
});

function bfloat16(...rows: number[][]): Matrix {
  return new Matrix("BF16", [rows.length, rows[0]?.length ?? 0], new Uint8Array(Uint16Array.from(rows.flat()).buffer));
}

test("neighbours across a power of two, across 0 and at infinity are one cell apart, and ±0 are one place", () => {
  const places = [0xff80, 0xff7f, 0x8001, 0x8000, 0, 1, 0x3f7f, 0x3f80, 0x7f7f, 0x7f80].map(latticePosition);
  expect(places).toEqual([-0x7f80, -0x7f7f, -1, -0, 0, 1, 0x3f7f, 0x3f80, 0x7f7f, 0x7f80]);
});

test("a chain of three neighbours, one apart, and a NaN row", async () => {
  const one = 0x3f80;
  // Nodes: tokens 0, 1, 2, 4, 5; token 3 is token 0 with the other zero.
  const matrix = bfloat16([one - 1, 0], [one, 1], [one + 1, 0x8000], [one - 1, 0x8000], [one + 5, 0], [one, 0x7fc0]);
  expect(await topology(matrix)).toEqual({
    k: 1,
    nodes: 5,
    edges: 2,
    components: 3,
    componentSizes: [3, 1, 1],
    largestComponent: 3,
    isolated: 2,
    density: 0.2,
    degrees: [1, 2, 1, 0, 0],
    nearest: [1, 1, 1, 4, null],
    firstTokens: [0, 1, 2, 4, 5],
  });
  expect(await topology(matrix, { k: 4 })).toMatchObject({ edges: 4, components: 2, degrees: [2, 2, 3, 1, 0] });
});

test("one node has no pair", async () => {
  expect(await topology(bfloat16([1], [1]))).toMatchObject({ nodes: 1, edges: 0, density: 0, nearest: [null], components: 1, largestComponent: 1 });
});

test("a topology is of bfloat16 alone", async () => {
  await expect(topology(new Matrix("F16", [1, 1], new Uint8Array(2)))).rejects.toMatchObject({ code: "FORMAT_UNSUPPORTED" });
});

const step = (state: number): number => state;
const graph = { k: 1, nodes: 1200, edges: 3, components: 1197, componentSizes: [4], largestComponent: 4, isolated: 1196, density: 0.5 };

test("the two graphs are two rows", () => {
  expect(topologyAnalysis.print({ initial: { ...graph, nodes: 2 }, final: graph }, step)).toEqual([
    "Neighbours differ by at most 1 lattice cell in every component",
    {
      head: ["state", "nodes", "edges", "components", "largest", "isolated", "density"],
      rows: [
        ["initial", "2", "3", "1,197", "4", "1,196", "0.5000"],
        ["final", "1,200", "3", "1,197", "4", "1,196", "0.5000"],
      ],
    },
  ]);
});

test("a graph that was too large is not told of", () => {
  const [line, table] = topologyAnalysis.print({ final: { ...graph, k: 0 } }, step);
  expect(line).toContain("0 lattice cells");
  expect(typeof table === "object" && table.rows.map(([state]) => state)).toEqual(["final"]);
  expect(topologyAnalysis.print({}, step)).toEqual([]);
});
