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
