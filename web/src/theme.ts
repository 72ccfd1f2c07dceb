import { useEffect, useState } from "preact/hooks";
import "./printing.js"; // before the listeners of this module

const choices = ["auto", "light", "dark"] as const;
export type Theme = (typeof choices)[number];

const key = "bh-bridge-theme";
const watchers = new Set<() => void>();
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function stored(): Theme {
  const found = localStorage.getItem(key);
  return choices.find((choice) => choice === found) ?? "auto";
}

let isPrinting = false;

function apply(): void {
  const choice = isPrinting ? "light" : stored();
  document.documentElement.dataset["theme"] = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
  for (const watch of watchers) watch();
}

dark.addEventListener("change", apply);
window.addEventListener("storage", apply); // the choice in another tab, or of the page around this one
for (const [event, begins] of [
  ["beforeprint", true],
  ["afterprint", false],
] as const) {
  window.addEventListener(event, () => {
    isPrinting = begins; // paper is white
    apply();
  });
}
apply();

/** Light, dark, or as the system has it. */
export function useTheme(): { choice: Theme; isDark: boolean; next(): void } {
  const [, redraw] = useState(0);
  useEffect(() => {
    const watch = () => redraw((turn) => turn + 1);
    watchers.add(watch);
    return () => {
      watchers.delete(watch);
    };
  }, []);
  const choice = stored();
  return {
    choice,
    isDark: document.documentElement.dataset["theme"] === "dark",
    next() {
      localStorage.setItem(key, choices[(choices.indexOf(choice) + 1) % choices.length] ?? "auto");
      apply();
    },
  };
}

// Okabe and Ito's colours, which people with any colour vision tell apart; lighter ones on dark ground.
const onLight = ["#0072b2", "#d55e00", "#009e73", "#b5588c", "#a87400", "#3b87b8", "#6b6b6b"];
const onDark = ["#6db7ee", "#f0955a", "#4ccba6", "#e3a0c8", "#f2c14e", "#a5d8f7", "#b4b4b4"];

/** The colour of the nth line. */
export function lineColour(index: number, isDark: boolean): string {
  const colours = isDark ? onDark : onLight;
  return colours[index % colours.length] ?? "#888";
}

const dashes: number[][] = [[], [7, 4], [2, 3], [10, 3, 2, 3], [14, 4], [1, 5]];

/** The dash of the nth line, so that colour is never alone. */
export function lineDash(index: number): number[] {
  return dashes[index % dashes.length] ?? [];
}
