import { xmlText } from "../text/printable.js";

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** A text as it may stand in HTML, between tags or in a quoted attribute: it is never markup and has no control characters, whatever is in it. */
export function escapeHtml(text: string): string {
  return xmlText(text).replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
