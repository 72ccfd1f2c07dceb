/** Radii of the smallest and the largest marker of a population, in pixels. */
const markerLimits = { smallest: 1.4, largest: 16 } as const;

/**
 * Radius of the marker of tokens that share a row, in pixels. The area is proportional to the population, no marker is larger than the limit, and a single token
 * stays visible.
 * @param population number of tokens that share the row.
 * @param largest the largest population that is shown with the same rule, such as that of all snapshots of a replay.
 */
export function markerRadius(population: number, largest: number): number {
  const ofOne = Math.min(2.2, markerLimits.largest / Math.sqrt(Math.max(1, largest)));
  return Math.min(markerLimits.largest, Math.max(markerLimits.smallest, ofOne * Math.sqrt(population)));
}

const dashes = ["none", "7,4", "2,3", "10,3,2,3", "5,2", "14,4", "1,4"] as const;

/** The dashes of an index. */
export function dashOf(index: number): string {
  return dashes[index % dashes.length] ?? "none";
}

const symbols = ["circle", "square", "triangle", "diamond", "cross", "star", "wye"] as const;

/** The marker of an index. */
export function symbolOf(index: number): (typeof symbols)[number] {
  return symbols[index % symbols.length] ?? "circle";
}

/** The outline of the marker of an index as the path of an SVG, 8 to 12 pixels wide. */
export function markerOutline(index: number, x: number, y: number): string {
  const r = 4;
  const shapes = [
    `M${x - r},${y}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0Z`,
    `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}Z`,
    `M${x},${y - 5}L${x + 5},${y + 4}H${x - 5}Z`,
    `M${x},${y - 6}L${x + 4},${y}L${x},${y + 6}L${x - 4},${y}Z`,
    `M${x - 1.5},${y - 5}h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5Z`,
    starPath(x, y),
    `M${x - 1.5},${y + 5}v-4l-3.5,-2.5l1.7,-2.6l3.3,2.3l3.3,-2.3l1.7,2.6l-3.5,2.5v4Z`,
  ];
  return shapes[index % shapes.length] ?? "";
}

function starPath(x: number, y: number): string {
  const corners = Array.from({ length: 10 }, (_, corner) => {
    const angle = (corner * Math.PI) / 5 - Math.PI / 2;
    const radius = corner % 2 === 0 ? 6 : 2.4;
    return `${(x + radius * Math.cos(angle)).toFixed(1)},${(y + radius * Math.sin(angle)).toFixed(1)}`;
  });
  return `M${corners.join("L")}Z`;
}
