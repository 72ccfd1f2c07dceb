/** A rectangle in pixels, y downwards. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A disc and the size of its label. */
export interface LabelAnchor {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly width: number;
  readonly height: number;
}

type Line = readonly [x1: number, y1: number, x2: number, y2: number];

export interface PlacedLabel {
  /** Index among the anchors. */
  readonly anchor: number;
  readonly box: Box;
  /** From the disc to the label; null for a label that touches its disc. */
  readonly leader: Line | null;
}

interface LabelOptions {
  /** Maximum number of labels. */
  most?: number;
  /** Rectangles that labels must not cover, such as the legend. */
  taken?: readonly Box[];
}

/** Distance from the edge of the stage. */
const margin = 4;
/** Gaps between a disc and its label, nearest first; those from `leaderFrom` on get a leader. */
const gaps = [4, 18, 34, 54, 80, 112] as const;
const leaderFrom = 18;
/** A disc with another one nearer than this needs a leader, so that the reader sees which of them is meant. */
const clearance = 5;
const directions = [
  [1, 0],
  [1, -1],
  [1, 1],
  [-1, 0],
  [-1, -1],
  [-1, 1],
  [0, -1],
  [0, 1],
] as const;
/** Discs of anchors without a label are avoided too, up to this number. */
const mostAvoided = 60;

/**
 * Place labels beside their discs: inside the stage, without overlaps, at the nearest free position, and with leaders that do not cross.
 *
 * @param anchors by descending importance; only those on the stage are labelled.
 * @returns the labels in the order of the anchors, and the number of anchors without one ("+7 more").
 */
export function placeLabels(
  anchors: readonly LabelAnchor[],
  stage: Readonly<{ width: number; height: number }>,
  { most = 5, taken = [] }: LabelOptions = {},
): { readonly labels: PlacedLabel[]; readonly more: number } {
  const labels: PlacedLabel[] = [];
  const discs = anchors.slice(0, mostAvoided).map(discOf);
  for (const [index, anchor] of anchors.entries()) {
    if (labels.length === most) break;
    if (anchor.x < 0 || anchor.y < 0 || anchor.x > stage.width || anchor.y > stage.height) continue;
    const others = discs.filter((_, at) => at !== index);
    const isCrowded = others.some((other) => overlapping(other, grown(discOf(anchor))));
    const found = candidates(anchor).find(
      ({ box, leader }) =>
        (leader !== null || !isCrowded) &&
        box.left >= margin &&
        box.top >= margin &&
        box.right <= stage.width - margin &&
        box.bottom <= stage.height - margin &&
        ![...taken, ...others].some((other) => overlapping(other, box)) &&
        labels.every((label) => !overlapping(label.box, box) && !(leader && label.leader && crossing(leader, label.leader))),
    );
    if (found) labels.push({ anchor: index, ...found });
  }
  return { labels, more: anchors.length - labels.length };
}

function candidates({ x, y, radius, width, height }: LabelAnchor): Omit<PlacedLabel, "anchor">[] {
  return gaps.flatMap((gap) =>
    directions.map(([right, down]) => {
      const slant = right !== 0 && down !== 0 ? Math.SQRT1_2 : 1;
      const [fromX, fromY] = [x + right * slant * radius, y + down * slant * radius];
      const [toX, toY] = [x + right * slant * (radius + gap), y + down * slant * (radius + gap)];
      const left = right === 0 ? toX - width / 2 : right > 0 ? toX : toX - width;
      const top = down === 0 || right !== 0 ? toY - height / 2 : down > 0 ? toY : toY - height;
      const box = { left, top, right: left + width, bottom: top + height };
      return { box, leader: gap < leaderFrom ? null : ([fromX, fromY, toX, toY] as const) };
    }),
  );
}

function discOf({ x, y, radius }: LabelAnchor): Box {
  return { left: x - radius, top: y - radius, right: x + radius, bottom: y + radius };
}

function grown({ left, top, right, bottom }: Box): Box {
  return { left: left - clearance, top: top - clearance, right: right + clearance, bottom: bottom + clearance };
}

export function overlapping(a: Box, b: Box): boolean {
  return a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top;
}

function crossing([ax, ay, bx, by]: Line, [cx, cy, dx, dy]: Line): boolean {
  const side = (x: number, y: number, [x1, y1, x2, y2]: Line) => Math.sign((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1));
  const [first, second]: [Line, Line] = [
    [ax, ay, bx, by],
    [cx, cy, dx, dy],
  ];
  return side(cx, cy, first) * side(dx, dy, first) < 0 && side(ax, ay, second) * side(bx, by, second) < 0;
}
