import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import { svgElement } from "../../../../src/figures/draw/svg.js";

const { document } = parseHTML("<html><body></body></html>");

test("an element has its attributes, and its parts in their order", () => {
  const parts = ["a", "b"].map((text) => svgElement(document, "text", { x: 1.5 }, text));
  expect(svgElement(document, "g", { "stroke-width": 0 }, parts).outerHTML).toBe('<g stroke-width="0"><text x="1.5">a</text><text x="1.5">b</text></g>');
});

test("nothing in a text or an attribute becomes markup", () => {
  const { outerHTML } = svgElement(document, "text", { class: '"><script>' }, "</text><script>alert(1)</script>");
  expect(outerHTML).not.toContain("<script>alert");
  expect(parseHTML(`<html><body><svg>${outerHTML}</svg></body></html>`).document.querySelectorAll("script")).toHaveLength(0);
});
