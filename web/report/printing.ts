import type { FigureView } from "./figure-view.js";

/** Open all sections and lay figures out for paper while the page is printed. */
export function preparePrinting(views: readonly FigureView[]): void {
  let unfolded: HTMLDetailsElement[] = [];
  addEventListener("beforeprint", () => {
    unfolded = [...document.querySelectorAll("details")].filter(({ open }) => !open);
    for (const details of unfolded) details.open = true;
    for (const view of views) view.print(true);
  });
  addEventListener("afterprint", () => {
    for (const details of unfolded) details.open = false;
    for (const view of views) view.print(false);
  });
}
