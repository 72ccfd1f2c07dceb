import type { HoleMarks } from "../../replay/holes.js";
import type { StateBits } from "../../replay/replayed.js";
import type { HistoryDocument } from "../documents.js";

/** A dimension in which two rows differ, and by how many lattice cells. */
export interface Difference {
  readonly dim: number;
  readonly cells: number;
}

/** Rows with the same bits. */
export interface Tile {
  readonly rows: readonly number[];
  /** Differences from the first tile, by dimension. */
  readonly differences: readonly Difference[];
  /** The largest of them. */
  readonly cells: number;
}

/** Two tiles that differ by at most one cell in every dimension. */
interface TileEdge {
  readonly from: number;
  readonly to: number;
  readonly differences: readonly Difference[];
}

/** A row or its black hole with the rows around it. */
export interface Surroundings {
  /** First the hole itself, then its lattice neighbours, then the nearest other rows. */
  readonly tiles: readonly Tile[];
  readonly edges: readonly TileEdge[];
  /** Number of all lattice neighbours of the first tile. */
  readonly neighbours: number;
}

/** Rows that are no neighbours are shown too, up to this number of tiles. */
const leastTiles = 4;

/**
 * The black hole of a row on the lattice: numbers of the format in order of value, in which neighbours differ by one cell and ±0 coincide. Two rows are neighbours
 * when no dimension differs by more than one cell, as in the analysis `topology`.
 *
 * @returns undefined for a row with NaN, which has no position, and for a format whose bits are not here.
 */
export function surroundingsOf(
  bits: StateBits,
  row: number,
  holes: HoleMarks,
  { tokens, dims, dtype }: Pick<HistoryDocument, "tokens" | "dims" | "dtype">,
  most = 10,
): Surroundings | undefined {
  if (dtype === "F64") return undefined;
  const { position, isNan } = latticeOf(dtype);
  if (bits.subarray(row * dims, (row + 1) * dims).some(isNan)) return undefined;
  const own = positionsOf(row);
  const ownHole = holes.hole[row] ?? 0;
  const seen = new Set<number>();
  const found: { row: number; cells: number; count: number }[] = [];
  for (let other = 0; other < tokens; other++) {
    const hole = holes.hole[other] ?? 0;
    if (other === row || (hole > 0 && (hole === ownHole || seen.has(hole)))) continue;
    seen.add(hole);
    let cells = 0;
    let count = 0;
    let isNumber = true;
    for (let dim = 0; dim < dims; dim++) {
      const word = bits[other * dims + dim] ?? 0;
      const apart = Math.abs(position(word) - (own[dim] ?? 0));
      if (apart > cells) cells = apart;
      if (apart > 0) count++;
      if (isNan(word)) isNumber = false;
    }
    if (isNumber) found.push({ row: other, cells, count });
  }
  found.sort((a, b) => Number(a.cells > 1) - Number(b.cells > 1) || (a.cells <= 1 ? a.count - b.count : a.cells - b.cells) || a.row - b.row);
  const neighbours = found.filter(({ cells }) => cells <= 1).length;
  const shown = [row, ...found.slice(0, Math.min(most - 1, Math.max(leastTiles - 1, neighbours))).map((each) => each.row)];
  const positions = shown.map(positionsOf);
  const tiles = shown.map((first, at): Tile => {
    const differences = differencesOf(own, positions[at] ?? own);
    const hole = holes.hole[first] ?? 0;
    return { rows: hole === 0 ? [first] : rowsOf(holes, hole), differences, cells: largest(differences) };
  });
  const edges = shown.flatMap((_, to) =>
    shown.slice(0, to).flatMap((_, from): TileEdge[] => {
      const differences = differencesOf(positions[from] ?? own, positions[to] ?? own);
      return largest(differences) <= 1 ? [{ from, to, differences }] : [];
    }),
  );
  return { tiles, edges, neighbours };

  function positionsOf(of: number): number[] {
    return Array.from(bits.subarray(of * dims, (of + 1) * dims), position);
  }
}

/** The rows of a black hole, numbered from 1. */
export function rowsOf({ hole }: HoleMarks, number: number): number[] {
  const rows: number[] = [];
  for (let row = hole.indexOf(number); row >= 0; row = hole.indexOf(number, row + 1)) rows.push(row);
  return rows;
}

function differencesOf(from: readonly number[], to: readonly number[]): Difference[] {
  return to.flatMap((place, dim) => (place === from[dim] ? [] : [{ dim, cells: place - (from[dim] ?? 0) }]));
}

function largest(differences: readonly Difference[]): number {
  return differences.reduce((most, { cells }) => Math.max(most, Math.abs(cells)), 0);
}

/** The order of the numbers of a format, from their words. */
function latticeOf(dtype: string): { position(word: number): number; isNan(word: number): boolean } {
  const is16 = dtype === "BF16" || dtype === "F16";
  const sign = is16 ? 0x8000 : 0x80000000;
  const infinity = dtype === "BF16" ? 0x7f80 : dtype === "F16" ? 0x7c00 : 0x7f800000;
  const magnitude = (word: number) => (word >= sign ? word - sign : word);
  return {
    position: (word) => (word >= sign ? -magnitude(word) : word) || 0,
    isNan: (word) => magnitude(word) > infinity,
  };
}
