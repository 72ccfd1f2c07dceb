/** Shorter paths are marks, and stay as they are drawn. */
const fewestNumbers = 24;
/** Places that cannot be told apart on a screen are one: a path is told in tenths of a pixel. */
const perPixel = 10;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** The text of an SVG whose long paths of straight lines are told by what changes from point to point, which takes a third of the room. */
export function compactSvg(svg: string): string {
  return svg.replaceAll(/<[^>]*>/g, (tag) =>
    tag.replace(/ d="([^"]*)"/, (_, path: string) => ` d="${compactPath(path)}"`).replaceAll(/(\d\.\d\d)\d{2,}/g, "$1"),
  );
}

/** A path of absolute M, L, H, V and Z as one of relative ones; any other path as it is. */
function compactPath(path: string): string {
  const parts = path.match(/[A-Za-z]|-?[\d.]+(?:e-?\d+)?/g) ?? [];
  if (parts.length < fewestNumbers || !/^[MLHVZ\d.,\s-]*$/.test(path)) return path;
  const written: string[] = [];
  let along: Point = { x: 0, y: 0 };
  const flush = () => {
    written.push(lineTo(along.x, along.y));
    along = { x: 0, y: 0 };
  };
  let at: Point = { x: 0, y: 0 };
  let start = at;
  const tenths = (text: string | undefined) => Math.round(Number(text) * perPixel);
  for (let next = 0; next < parts.length; ) {
    const command = parts[next++];
    if (command === "Z") {
      flush();
      written.push("z");
      at = start;
    }
    while (next < parts.length && !/[A-Za-z]/.test(parts[next] ?? "")) {
      const x = command === "V" ? at.x : tenths(parts[next++]);
      const y = command === "H" ? at.y : tenths(parts[next++]);
      const by = { x: x - at.x, y: y - at.y };
      if (command === "M" || !goesOn(along, by)) flush();
      if (command === "M") written.push(`m${pair(by.x, by.y)}`);
      else along = { x: along.x + by.x, y: along.y + by.y };
      at = { x, y };
      if (command === "M") start = at;
    }
  }
  flush();
  return `M0 0${written.join("")}`;
}

/** Whether a move leads on along the axis, and in the direction, of the one before. */
function goesOn(along: Point, by: Point): boolean {
  return (along.x === 0 && by.x === 0 && along.y * by.y >= 0) || (along.y === 0 && by.y === 0 && along.x * by.x >= 0);
}

function lineTo(across: number, down: number): string {
  if (across === 0 && down === 0) return "";
  if (down === 0) return `h${pixels(across)}`;
  return across === 0 ? `v${pixels(down)}` : `l${pair(across, down)}`;
}

/** A minus parts two numbers as well as a space does. */
function pair(across: number, down: number): string {
  return `${pixels(across)}${down < 0 ? "" : " "}${pixels(down)}`;
}

function pixels(tenths: number): string {
  return String(tenths / perPixel).replace(/^(-?)0\./, "$1.");
}
