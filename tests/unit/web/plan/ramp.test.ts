import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isWhiteOn } from "../../../../web/src/plan/swept-row.js";

const styles = readFileSync(new URL("../../../../web/src/styles.css", import.meta.url), "utf8");
const [light = "", dark = ""] = [...styles.matchAll(/:root[^{]*\{([^}]*)\}/g)].map(([, body]) => body);

type Triple = [number, number, number];

/** Linear components of a colour variable. */
function colour(theme: string, name: string): Triple {
  const hex = new RegExp(`--${name}: #([0-9a-f]{6})`).exec(theme)?.[1] ?? "";
  return [0, 2, 4].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as Triple;
}

const times = (rows: readonly Triple[], [a, b, c]: Triple) => rows.map(([x, y, z]) => x * a + y * b + z * c) as Triple;

// Oklab (Ottosson 2020), in which color-mix() of the page's ramp interpolates.
const toLms: Triple[] = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
];
const fromLms: Triple[] = [
  [4.0767416621, -3.3077115913, 0.2309699292],
  [-1.2684380046, 2.6097574011, -0.3413193965],
  [-0.0041960863, -0.7034186147, 1.707614701],
];

/** A mix of two colours: Oklab is linear in the cube roots of LMS. */
function mixed(from: Triple, to: Triple, share: number): Triple {
  const [a, b] = [from, to].map((each) => times(toLms, each).map(Math.cbrt));
  return times(fromLms, (a ?? []).map((part, at) => (part + ((b?.[at] ?? 0) - part) * share) ** 3) as Triple);
}

/** WCAG 2.2 relative luminance and contrast. */
const luminance = ([r, g, b]: Triple) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
const contrast = (one: Triple, other: Triple) => {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};

test.each([
  { name: "light", theme: light, isDark: false },
  { name: "dark", theme: dark, isDark: true },
])("in the $name theme, each colour of the ramp stands out from the ground and its text is readable", ({ theme, isDark }) => {
  const [low, high] = [colour(theme, "ramp-low"), colour(theme, "ramp-high")];
  let before = 0;
  for (let percent = 0; percent <= 100; percent++) {
    const own = mixed(low, high, percent / 100);
    for (const ground of ["panel", "ground"]) {
      const distance = contrast(own, colour(theme, ground));
      expect([percent, ground, distance >= 3]).toEqual([percent, ground, true]);
      if (ground === "panel") {
        expect(distance).toBeGreaterThan(before);
        before = distance;
      }
    }
    const text: Triple = isWhiteOn(percent / 100, isDark) ? [1, 1, 1] : [0, 0, 0];
    expect([percent, contrast(own, text) >= 4.5]).toEqual([percent, true]);
  }
});
