/** Width of the page on paper, in pixels: A4 between its margins. */
export const paperWidth = 700;

function setPaper(isPaper: boolean): void {
  document.documentElement.classList.toggle("paper", isPaper);
  document.body.style.width = isPaper ? `${paperWidth}px` : "";
}

// Registered when the module loads, so that drawings, which register later, find the width of paper.
window.addEventListener("beforeprint", () => setPaper(true));
window.addEventListener("afterprint", () => setPaper(false));

/** Height of a chart: less on paper, so that three rows of charts have room on a page. */
export function chartHeight(height: number): number {
  return document.documentElement.classList.contains("paper") ? Math.round(0.7 * height) : height;
}
