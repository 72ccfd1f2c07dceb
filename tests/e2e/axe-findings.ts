import axe from "axe-core";
import type { Page } from "playwright-core";

/** What axe finds, in words. The page allows no script of others, so that axe comes in by the debugger. */
export async function axeFindings(page: Page, leastPasses = 10): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate<axe.AxeResults>("axe.run(document)");
  if (passes.length < leastPasses) throw new Error("axe looked at next to nothing");
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}
