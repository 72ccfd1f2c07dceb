import { useMemo } from "preact/hooks";
import type { HoleMarks } from "../../replay/holes.js";
import type { StateBits } from "../../replay/replayed.js";
import type { HistoryDocument } from "../documents.js";
import { shown } from "../figures.js";
import { type Difference, type Surroundings, surroundingsOf, type Tile } from "./lattice.js";

const mostMembers = 60;
/** Height of a tile, and the distance between the arcs of its edges, in pixels. */
const tileHeight = 34;
const arcWidth = 64;

interface BitsPanelProps {
  history: HistoryDocument;
  bits: StateBits | undefined;
  holes: HoleMarks | undefined;
  /** The row whose black hole is opened. */
  row: number | null;
  step: string;
  nameOf(row: number): string;
  follow(row: number): void;
}

/** A black hole opened: its members as tiles with the same bits, and the rows around it on the lattice. A projection shows neither equality nor single cells. */
export function BitsPanel({ history, bits, holes, row, step, nameOf, follow }: BitsPanelProps) {
  const found = useMemo(() => (bits && holes && row !== null ? surroundingsOf(bits, row, holes, history) : undefined), [bits, holes, row, history.dtype]);
  return (
    <section class="bits" aria-label="Exact bits">
      <h3>
        Exact bits <span class="unit">after step {step}</span>
      </h3>
      {found ? (
        <Opened {...{ found, nameOf, history, follow }} />
      ) : (
        <p class="note">{row === null ? "No two rows are equal. Follow a token to see its nearest rows." : "This row has no position on the lattice."}</p>
      )}
    </section>
  );
}

function Opened({ found, nameOf, history, follow }: { found: Surroundings } & Pick<BitsPanelProps, "nameOf" | "history" | "follow">) {
  const [own, ...others] = found.tiles;
  const rows = own?.rows ?? [];
  const dead = new Set(history.dead);
  const hidden = found.neighbours - others.filter(({ cells }) => cells <= 1).length;
  return (
    <div class="opened">
      <div>
        <p class="note">
          {rows.length > 1 ? `${shown(rows.length)} tokens with the same ${history.dims} ${history.dtype} numbers:` : "One token, alone with its numbers:"}
        </p>
        <ul class="tiles">
          {rows.slice(0, mostMembers).map((row) => (
            <li key={row} class={dead.has(row) ? "dead" : "live"}>
              {nameOf(row)}
            </li>
          ))}
          {rows.length > mostMembers && <li class="more">+{shown(rows.length - mostMembers)} more</li>}
        </ul>
      </div>
      <div>
        <p class="note">
          {found.neighbours === 0
            ? "No other row is one lattice cell away. The nearest:"
            : `${shown(found.neighbours)} ${found.neighbours === 1 ? "row differs" : "rows differ"} by one lattice cell, linked to it:`}
        </p>
        <div class="lattice">
          <Arcs found={found} />
          <ol>
            {found.tiles.map((tile, at) => (
              <TileLine key={tile.rows[0]} tile={tile} isOwn={at === 0} name={nameOf(tile.rows[0] ?? 0)} dims={history.dims} follow={follow} />
            ))}
          </ol>
        </div>
        {hidden > 0 && <p class="note">+{shown(hidden)} more rows at one cell</p>}
      </div>
    </div>
  );
}

/** The edges between tiles below each other, as arcs. */
function Arcs({ found: { tiles, edges } }: { found: Surroundings }) {
  const height = tiles.length * tileHeight;
  const middle = (tile: number) => (tile + 0.5) * tileHeight;
  const depth = (from: number, to: number) => 10 + ((arcWidth - 16) * (to - from)) / Math.max(1, tiles.length - 1);
  return (
    <svg class="arcs" width={arcWidth} height={height} aria-hidden="true">
      {edges.map(({ from, to, differences }) => (
        <path
          key={`${from} ${to}`}
          class={from === 0 ? "own" : "other"}
          d={`M${arcWidth} ${middle(from)}C${arcWidth - depth(from, to) * 1.3} ${middle(from)} ${arcWidth - depth(from, to) * 1.3} ${middle(to)} ${arcWidth} ${middle(to)}`}
        >
          <title>{dimensionsOf(differences)}</title>
        </path>
      ))}
      {tiles.map(({ rows }, at) => (
        <circle key={rows[0]} cx={arcWidth - 3} cy={middle(at)} r="3" />
      ))}
    </svg>
  );
}

/** A tile with its differences from the opened hole, dimension by dimension. */
function TileLine({
  tile: { rows, differences, cells },
  isOwn,
  name,
  dims,
  follow,
}: {
  tile: Tile;
  isOwn: boolean;
  name: string;
  dims: number;
  follow(row: number): void;
}) {
  const label = rows.length === 1 ? "" : ` and ${shown(rows.length - 1)} more`;
  return (
    <li style={{ height: `${tileHeight}px` }}>
      <span class="name">
        <button type="button" title="Follow this token" onClick={() => follow(rows[0] ?? 0)}>
          <code>{name}</code>
        </button>
        {label}
      </span>
      <Strip differences={differences} dims={dims} />
      <span class="apart">{isOwn ? "opened" : cells <= 1 ? dimensionsOf(differences) : `${shown(cells)} cells, ${shown(differences.length)} dimensions`}</span>
    </li>
  );
}

/** One cell per dimension, filled upwards or downwards where the row differs. */
function Strip({ differences, dims }: { differences: readonly Difference[]; dims: number }) {
  const cell = ({ dim, cells }: Difference) => `M${dim} ${cells > 0 ? 0 : 5}h1v5h-1z`;
  const part = (which: (difference: Difference) => boolean) => differences.filter(which).map(cell).join("");
  return (
    <svg class="strip" viewBox={`0 0 ${dims} 10`} preserveAspectRatio="none" aria-hidden="true">
      <rect width={dims} height="10" />
      <path class="one" d={part(({ cells }) => Math.abs(cells) <= 1)} />
      <path class="far" d={part(({ cells }) => Math.abs(cells) > 1)} />
    </svg>
  );
}

/** `dimensions 12 +1, 40 −1`. */
function dimensionsOf(differences: readonly Difference[]): string {
  const named = differences.slice(0, 4).map(({ dim, cells }) => `${dim} ${cells > 0 ? "+" : "−"}${Math.abs(cells)}`);
  const more = differences.length - named.length;
  return `${differences.length === 1 ? "dimension" : "dimensions"} ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
