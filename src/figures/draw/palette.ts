/** A figure's colours for one kind of page. They differ in lightness as well as in hue, and every one can be read on its ground. */
interface Palette {
  readonly ground: string;
  readonly ink: string;
  readonly series: readonly string[];
  /** From nothing to most. */
  readonly levels: readonly string[];
}

const palettes: Readonly<Record<"light" | "dark", Palette>> = {
  light: {
    ground: "#ffffff",
    ink: "#1f2328",
    series: ["#1f4e8c", "#c4560a", "#00796b", "#a0357f", "#7d6100", "#3d8fd1", "#7a2318", "#5c6370"],
    levels: ["#e9ecef", "#f6d27a", "#e0742c", "#8a1c3c", "#2a0d3a"],
  },
  dark: {
    ground: "#161b22",
    ink: "#dfe3e8",
    series: ["#7db3f2", "#f0a06a", "#4fc7b0", "#e391cd", "#d9bd4a", "#a9d6ff", "#f08a7c", "#a6adb8"],
    levels: ["#272d36", "#5d3a6e", "#c0435f", "#f2924a", "#fbe6a2"],
  },
};

export type Theme = "light" | "dark" | "auto";

/** The style sheet of a figure: marks take the colour of their class. `auto` follows the page's reader; paper is light. */
export function figureStyle(theme: Theme, scope = "svg"): string {
  if (theme !== "auto") return rules(palettes[theme], scope);
  return `${rules(palettes.light, scope)}@media screen and (prefers-color-scheme:dark){${rules(palettes.dark, scope)}}`;
}

function rules({ ground, ink, series, levels }: Palette, scope: string): string {
  const colours = [
    ...series.map((colour, index) => [`series${index}`, colour] as const),
    ...levels.map((colour, index) => [`levels${index}`, colour] as const),
  ];
  return `${scope}{color:${ink}}.ground{fill:${ground}}.halo{stroke:${ground};stroke-width:3px;stroke-linejoin:round;paint-order:stroke}${colours.map(([name, colour]) => `.${name}{color:${colour}}.${name}-fill{color:${colour};fill:${colour}}`).join("")}`;
}

/** The class of a series' marks that are strokes. Those that are filled have `-fill` behind it: not every program passes currentColor on to what is inside. */
export function colourClass({ palette, color }: { palette: "series" | "levels"; color: number }): string {
  return `${palette}${color % palettes.light[palette].length}`;
}

const dashes = ["none", "7,4", "2,3", "10,3,2,3", "5,2", "14,4", "1,4"] as const;

/** The dashes of an index. */
export function dashOf(index: number): string {
  return dashes[index % dashes.length] ?? "none";
}

const symbols = ["circle", "square", "triangle", "diamond", "cross", "star", "wye"] as const;

/** The marker of an index. */
export function symbolOf(index: number): (typeof symbols)[number] {
  return symbols[index % symbols.length] ?? "circle";
}
