import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { axisText, holeText, scaleBar, stageMarks } from "../../../../web/replay/stage-text.js";

test.each([
  [100, 120, 100, "1"],
  [3, 120, 60, "20"],
  [7000, 120, 70, "0.01"],
  [240, 120, 120, "0.5"],
  [1e8, 100, 100, "1e-6"],
])("at %d pixels per unit a scale bar of at most %d pixels has %d pixels and says %s", (pixelsPerUnit, most, pixels, text) => {
  const bar = scaleBar(pixelsPerUnit, most);
  expect(bar?.pixels).toBeCloseTo(pixels, 6);
  expect(bar?.text).toBe(text);
});

test("without a scale there is no scale bar", () => {
  expect(scaleBar(0, 120)).toBeUndefined();
  expect(scaleBar(Number.NaN, 120)).toBeUndefined();
});

test("an axis is named by its components with their share of the variance", () => {
  const shares = [0.96, 0.03, 0.004];
  expect(axisText([1, 0, 0], shares)).toBe("PC1 96 %");
  expect(axisText([0, 0, 1], shares)).toBe("PC3 < 1 %");
  // 0.6² · 0.96 + 0.8² · 0.03 = 0.3648
  expect(axisText([0.6, 0.8, 0], shares)).toBe("PC2 + PC1 36 %");
  expect(axisText([0.995, 0.0999, 0], [0.999, 0.001])).toBe("PC1 99 %");
  expect(axisText([0, 1, 0])).toBe("PC2");
});

test("populations have groups of digits", () => {
  expect(holeText(36)).toBe("36 tokens");
  expect(holeText(9876)).toBe("9\u202f876 tokens");
});

test("each kind of mark has a colour of its own, light and dark", () => {
  const css = readFileSync(new URL("../../../../web/src/styles.css", import.meta.url), "utf8");
  for (const [, block = ""] of css.matchAll(/:root(?:\[data-theme="dark"\])? \{([^}]*)\}/g)) {
    const colours = stageMarks.map(({ colour }) => new RegExp(`${colour}: (#[0-9a-f]{6});`).exec(block)?.[1]);
    expect(colours).not.toContain(undefined);
    expect(new Set(colours).size).toBe(stageMarks.length);
  }
});
