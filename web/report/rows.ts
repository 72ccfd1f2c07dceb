/**
 * The rows of panels of a drawing, each as a drawing of its own, so that a page of paper can end between them. The legend stays with the first.
 * @param whole laid out by `drawFigure`.
 */
export function rowsOf(whole: Element): Element[] {
  const topOf = (panel: Element) => Number(panel.getAttribute("y"));
  const tops = [...new Set([...whole.querySelectorAll(":scope > svg[data-panel]")].map(topOf))];
  if (tops.length < 2) return [whole];
  const [width, height] = ["width", "height"].map((name) => Number(whole.getAttribute(name)));
  return tops.map((top, row) => {
    const part = whole.cloneNode(true) as Element;
    for (const panel of part.querySelectorAll(":scope > svg[data-panel]")) if (topOf(panel) !== top) panel.remove();
    if (row > 0) for (const other of part.querySelectorAll(":scope > :not(svg)")) other.remove();
    const from = row === 0 ? 0 : top;
    const tall = (tops[row + 1] ?? height ?? 0) - from;
    part.setAttribute("viewBox", `0 ${from} ${width} ${tall}`);
    part.setAttribute("height", String(tall));
    return part;
  });
}
