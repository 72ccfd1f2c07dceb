import type { Figure, Mark } from "../../src/figures/figure.js";
import type { ExactLines } from "../../src/report/html-of-page.js";

/** A text that the report has packed. */
export async function unpackedText(base64: string): Promise<string> {
  return new TextDecoder().decode(await unpacked(base64));
}

/** Frames of numbers that the report has packed: `packedFrames` says how. @param width numbers in a frame */
export async function unpackedFrames(base64: string, width: number): Promise<Uint16Array> {
  const bytes = await unpacked(base64);
  const numbers = new Uint16Array(bytes.length / 2);
  for (let index = 0; index < numbers.length; index++) {
    const folded = (bytes[index] ?? 0) | ((bytes[numbers.length + index] ?? 0) << 8);
    const difference = (folded >> 1) ^ -(folded & 1);
    numbers[index] = (numbers[index - width] ?? 0) + difference;
  }
  return numbers;
}

/** Numbers that the report has packed: `packedColumn` describes the format. */
export async function unpackedColumn(base64: string): Promise<(number | null)[]> {
  const bytes = await unpacked(base64);
  const length = bytes.length / 6;
  let mantissa = 0;
  return Array.from({ length }, (_, index) => {
    const plane = (at: number) => bytes[at * length + index] ?? 0;
    const folded = plane(2) | (plane(3) << 8) | (plane(4) << 16) | (plane(5) << 24);
    mantissa = (mantissa + ((folded >>> 1) ^ -(folded & 1))) | 0;
    const exponent = ((plane(0) | (plane(1) << 8)) << 16) >> 16;
    return exponent === -32_768 ? null : decimal(mantissa, exponent);
  });
}

/** The float64 nearest to a decimal number. Up to 10^22 powers of ten are exact, so their products and quotients are; beyond those the parser of numbers is asked. */
function decimal(mantissa: number, exponent: number): number {
  if (Math.abs(exponent) > 22) return Number(`${mantissa}e${exponent}`);
  return exponent < 0 ? mantissa / 10 ** -exponent : mantissa * 10 ** exponent;
}

/** Figures with every point of the lines that they show reduced. */
export async function completeFigures(figures: readonly Figure[], { columns, lines }: ExactLines): Promise<Figure[]> {
  const unpackedColumns = await Promise.all(columns.map(unpackedColumn));
  const completed = (mark: Mark, at: { figure: number; panel: number; mark: number }): Mark => {
    const line = lines.find((each) => each.figure === at.figure && each.panel === at.panel && each.mark === at.mark);
    if (!line) return mark;
    const x = unpackedColumns[line.x] as number[];
    const [y = [], high = []] = line.y.map((column) => unpackedColumns[column]);
    if (mark.mark === "band") return { ...mark, x, low: y, high };
    return mark.mark === "line" ? { ...mark, x, y } : mark;
  };
  return figures.map((each, figure) => ({
    ...each,
    panels: each.panels.map((one, panel) => ({ ...one, marks: one.marks.map((own, mark) => completed(own, { figure, panel, mark })) })),
  }));
}

async function unpacked(base64: string): Promise<Uint8Array> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
