/** As much of the DOM as drawing needs: that of a browser, or one on a server. */
export interface SvgElement {
  readonly outerHTML: string;
  textContent: string | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  querySelectorAll(selector: string): Iterable<SvgElement>;
  append(...nodes: SvgElement[]): void;
}

export interface SvgDocument {
  createElementNS(namespace: string, name: string): SvgElement;
}

export const svgNamespace = "http://www.w3.org/2000/svg";

/** An element of SVG. A text is set as text, whatever is in it. */
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
