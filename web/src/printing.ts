/** Width of the page on paper, in pixels: A4 between its margins. */
export const paperWidth = 700;

function setPaper(isPaper: boolean): void {
  document.documentElement.classList.toggle("paper", isPaper);
  document.body.style.width = isPaper ? `${paperWidth}px` : "";
}

// Registered when the module loads, so that drawings, which register later, find the width of paper.
window.addEventListener("beforeprint", () => setPaper(true));
window.addEventListener("afterprint", () => setPaper(false));

/**
 * Call a drawing before the page is printed, when its element has the width that it has on paper, and after. Observers of sizes would run too late.
 * @returns a function that ends this.
 */
export function onPaper(draw: () => void): () => void {
  window.addEventListener("beforeprint", draw);
  window.addEventListener("afterprint", draw);
  return () => {
    window.removeEventListener("beforeprint", draw);
    window.removeEventListener("afterprint", draw);
  };
}

/** Height of a chart: less on paper, so that three rows of charts have room on a page. */
export function chartHeight(height: number): number {
  return document.documentElement.classList.contains("paper") ? Math.round(0.7 * height) : height;
}
