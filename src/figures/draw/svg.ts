/** The part of the DOM that drawing needs, in a browser or on a server. */
export interface SvgElement {
  readonly outerHTML: string;
  textContent: string | null;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  querySelectorAll(selector: string): Iterable<SvgElement>;
  append(...nodes: SvgElement[]): void;
}

export interface SvgDocument {
  createElementNS(namespace: string, name: string): SvgElement;
}

export const svgNamespace = "http://www.w3.org/2000/svg";

/** An SVG element. String content is set as text. */
export function svgElement(
  document: SvgDocument,
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  content: string | readonly SvgElement[] = [],
): SvgElement {
  const element = document.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (typeof content === "string") element.textContent = content;
  else element.append(...content);
  return element;
}

/** Widths of characters in the widest font that figures use, in font sizes. */
const widths = [
  [/[iljtfrI.,:;'|!()[\]·’ ]/, 0.4],
  [/[mwMW@%—…⏎]/, 0.98],
  [/[A-Z0-9+=<>−×÷~#$&‖√Δ]/, 0.75],
  [/[ -\u024f\u0370-\u03ff]/, 0.63],
] as const;

/** Width of a text, rather too large than too small, in pixels. */
export function textWidth(text: string, size: number, isBold = false): number {
  const ems = [...text].reduce((sum, character) => sum + (widths.find(([of]) => of.test(character))?.[1] ?? 1.05), 0);
  return ems * size * (isBold ? 1.1 : 1);
}

/** A text in lines of a width at most; a word that is wider is divided. */
export function textLines(text: string, width: number, size: number, isBold = false): string[] {
  const fits = (line: string) => textWidth(line, size, isBold) <= width;
  const lines: string[] = [];
  for (const word of text.split(" ").filter((each) => each !== "")) {
    const last = lines.at(-1);
    if (last !== undefined && fits(`${last} ${word}`)) {
      lines[lines.length - 1] = `${last} ${word}`;
      continue;
    }
    let part = "";
    for (const character of word) {
      if (part !== "" && !fits(part + character)) {
        lines.push(part);
        part = "";
      }
      part += character;
    }
    lines.push(part);
  }
  return lines;
}

/** A text cut at a word, with an ellipsis, if it is wider than there is room. */
export function shortened(text: string, width: number, size: number): string {
  if (textWidth(text, size) <= width) return text;
  let room = width - textWidth(" …", size);
  let length = 0;
  for (const character of text) {
    room -= textWidth(character, size);
    if (room < 0) break;
    length += character.length;
  }
  const cut = text.slice(0, length);
  return `${cut.slice(0, Math.max(0, cut.lastIndexOf(" ") < 0 ? cut.length : cut.lastIndexOf(" "))).trimEnd()} …`;
}
