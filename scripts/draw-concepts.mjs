// Draws the pictures of docs/learn from a run of the preset quick: `npm run docs:pictures` calls it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const style = `svg{color:#1f2328;font-family:system-ui,'DejaVu Sans',sans-serif}.ground{fill:#fff}.ink{fill:#1f2328}.soft{fill:#57606a}.line{stroke:#57606a;fill:none}.grid{fill:#e9ecef}
.blue{fill:#1f4e8c}.sky{fill:#3d8fd1}.orange{fill:#c4560a}.green{fill:#00796b}.blue-line{stroke:#1f4e8c;fill:none}.orange-line{stroke:#c4560a;fill:none}.on{fill:#fff}
@media screen and (prefers-color-scheme:dark){svg{color:#dfe3e8}.ground{fill:#161b22}.ink{fill:#dfe3e8}.soft{fill:#a6adb8}.line{stroke:#a6adb8}.grid{fill:#272d36}
.blue{fill:#7db3f2}.sky{fill:#a9d6ff}.orange{fill:#f0a06a}.green{fill:#4fc7b0}.blue-line{stroke:#7db3f2}.orange-line{stroke:#f0a06a}.on{fill:#161b22}}`;

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const text = (x, y, words, { color = "ink", size = 15, anchor = "start", weight = "normal" } = {}) =>
  `<text x="${x}" y="${y}" class="${color}" font-size="${size}" text-anchor="${anchor}" font-weight="${weight}">${escaped(words)}</text>`;
const middle = (x, y, words, rest = {}) => text(x, y, words, { anchor: "middle", ...rest });
const box = (x, y, width, height, color, rest = "") => `<rect x="${x}" y="${y}" width="${width}" height="${height}" class="${color}" rx="2" ${rest}/>`;
const disc = (x, y, radius, color) => `<circle cx="${x}" cy="${y}" r="${radius}" class="${color}"/>`;
const line = (x1, y1, x2, y2, { color = "line", width = 1.5, head = false, dash = "" } = {}) =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" class="${color}" stroke-width="${width}"${dash && ` stroke-dasharray="${dash}"`}${head ? ' marker-end="url(#head)"' : ""}/>`;
const range = (count) => Array.from({ length: count }, (_, index) => index);

/** A picture 480 wide, so that its text can be read on a phone. */
const picture = (title, height, parts) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="480" height="${height}" viewBox="0 0 480 ${height}" role="img"><title>${escaped(title)}</title><style>${style}</style>` +
  `<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8Z" class="soft"/></marker></defs>` +
  `<rect width="480" height="${height}" class="ground"/>${parts.flat(9).join("")}</svg>\n`;

/** Rows of the last snapshot, a shade per number: the larger, the more opaque. */
function embedding({ rowOf }) {
  const rows = ["e", "t", "q", "#", "@"];
  const columns = 12;
  const all = rows.flatMap((letter) => rowOf(letter).slice(0, columns).map(Math.abs));
  const opacity = (value) => (0.12 + (0.88 * Math.abs(value)) / Math.max(...all)).toFixed(2);
  const parts = rows.map((letter, index) => {
    const y = 34 + 34 * index;
    const color = index < 3 ? "orange" : "blue";
    const cells = rowOf(letter)
      .slice(0, columns)
      .map((value, column) => box(70 + 27 * column, y, 25, 26, color, `fill-opacity="${opacity(value)}"`));
    return [text(30, y + 19, letter, { size: 18, color }), cells, text(400, y + 18, "…")];
  });
  return picture("Five rows of the embedding; the rows of # and @ are equal", 224, [
    text(20, 22, "token"),
    text(70, 22, "its row (12 of 64 numbers; strong colour: large)"),
    parts,
    `<path d="M418 136 h10 v60 h-10" class="line" stroke-width="1.5"/>`,
    text(434, 171, "equal", { color: "blue" }),
  ]);
}

/** All 128 bytes, with those of the text filled. */
function tokens({ dead }) {
  const cells = range(128).map((token) => {
    const [x, y] = [16 + 28 * (token % 16), 44 + 28 * Math.floor(token / 16)];
    const isDead = dead.has(token);
    const label = token === 32 ? "␣" : token === 10 ? "⏎" : token > 32 && token < 127 ? String.fromCharCode(token) : "·";
    return [box(x, y, 25, 25, isDead ? "grid" : "orange"), middle(x + 12.5, y + 18, label, { size: 14, color: isDead ? "soft" : "on" })];
  });
  return picture(`The 128 bytes: ${128 - dead.size} are live, ${dead.size} are dead`, 284, [
    box(16, 14, 15, 15, "orange"),
    text(38, 27, `live: ${128 - dead.size} bytes of the text`),
    box(240, 14, 15, 15, "grid"),
    text(262, 27, `dead: ${dead.size}, never in the text`),
    cells,
  ]);
}

/** Copies of one vector, and independent ones. */
function singular() {
  const spread = [10, 47, 95, 140, 176, 214, 260, 301, 338];
  const arrow = (x, y, degrees, color) =>
    line(x, y, x + 74 * Math.cos((degrees * Math.PI) / 180), y - 74 * Math.sin((degrees * Math.PI) / 180), { color, width: 2.5, head: true });
  return picture("A normal start has random rows, a singular start has one row for all tokens", 232, [
    middle(120, 24, "normal: every row is random"),
    spread.map((degrees) => arrow(120, 122, degrees, "line")),
    middle(360, 24, "singular: one row for all"),
    arrow(340, 156, 52, "blue-line"),
    text(392, 92, "128 ×", { color: "blue", weight: "bold" }),
    middle(360, 218, "C = 1, P = 128", { color: "soft" }),
    middle(120, 218, "C = 0, P = 0", { color: "soft" }),
  ]);
}

/** Black holes as discs of their population; every dot is a token of its own. */
function blackHole({ censusAt }) {
  const panels = [0, 1, 10, 800].map((step, index) => {
    const { C, P, populations } = censusAt(step);
    const x = 60 + 120 * index;
    const alone = 128 - P;
    const dots = range(alone).map((dot) => disc(x - 44 + 8 * (dot % 12), 138 + 8 * Math.floor(dot / 12), 2.6, "orange"));
    const [largest = 0, ...others] = populations;
    const holes = others.map((population, at) => disc(x - 40 + 18 * at, 112, 3.4 * Math.sqrt(population), "sky"));
    const heart = disc(x, 66, 3.4 * Math.sqrt(largest), "blue");
    const name = step === 0 ? "start" : `step ${step}`;
    return [
      middle(x, 20, name),
      heart,
      middle(x, 71, `${largest}`, { color: "on", weight: "bold" }),
      holes,
      dots,
      middle(x, 220, `C = ${C}, P = ${P}`, { size: 14 }),
    ];
  });
  return picture("One black hole of 128 tokens at the start; tokens leave it, and 52 remain after 800 steps", 256, [
    panels,
    disc(20, 243, 6, "blue"),
    text(32, 248, "black hole with its tokens", { size: 13, color: "soft" }),
    disc(262, 243, 3, "orange"),
    text(272, 248, "token with a row of its own", { size: 13, color: "soft" }),
  ]);
}

/** The values of a number with 3 significant bits; a small update returns, a large one arrives. */
function lattice() {
  const place = (value) => 30 + 420 * value;
  const values = [0, 1, 2, 3].flatMap((octave) => range(4).map((step) => 2 ** (-octave - 1) * (1 + step / 4))).concat(1);
  const ticks = values.map((value) => line(place(value), 96, place(value), 112, { width: 2 }));
  const names = [
    [0.125, "1/8"],
    [0.25, "1/4"],
    [0.5, "1/2"],
    [1, "1"],
  ].map(([value, name]) => middle(place(value), 132, name));
  const jump = (from, to, color) =>
    `<path d="M${place(from)} 92 Q${place((from + to) / 2)} 50 ${place(to)} 92" class="${color}" stroke-width="2.5" marker-end="url(#head)"/>`;
  return picture("The lattice: values are dense near zero; an update below half a cell is rounded away", 206, [
    line(place(0), 104, place(1), 104),
    ticks,
    names,
    middle(place(0), 132, "0"),
    `<path d="M${place(0.625) + 3} 93 C${place(0.625) + 60} 56 ${place(0.625) - 50} 56 ${place(0.625) - 3} 93" class="orange-line" stroke-width="2.5" marker-end="url(#head)"/>`,
    jump(0.3125, 0.375, "blue-line"),
    middle(place(0.645), 46, "less than half a cell:", { size: 14, color: "orange" }),
    middle(place(0.645), 62, "rounded back", { size: 14, color: "orange" }),
    middle(place(0.3), 46, "more than half:", { size: 14, color: "blue" }),
    middle(place(0.3), 62, "moves", { size: 14, color: "blue" }),
    text(20, 168, "A cell doubles in size at every power of two.", { color: "soft", size: 14 }),
    text(20, 190, "Drawn with 3 significant bits; bfloat16 has 8.", { color: "soft", size: 14 }),
  ]);
}

/** A stack of matrices, with steps between. */
function history() {
  const sheets = [0, 1, 2, 800].map((snapshot, index) => {
    const x = 24 + 116 * index + (index === 3 ? 10 : 0);
    const cells = range(20).map((cell) => box(x + 14 * (cell % 5), 56 + 14 * Math.floor(cell / 5), 12, 12, (cell * 7 + index * 3) % 5 < 2 ? "blue" : "grid"));
    return [middle(x + 34, 44, `${snapshot}`, { weight: "bold" }), cells];
  });
  const arrows = [0, 1].map((index) => [
    line(98 + 116 * index, 82, 136 + 116 * index, 82, { head: true }),
    middle(116 + 116 * index, 72, `step ${index + 1}`, { size: 12, color: "soft" }),
  ]);
  return picture("A history: a snapshot before training and one after every step", 168, [
    text(20, 20, "snapshots"),
    sheets,
    arrows,
    middle(350, 88, "…", { size: 22 }),
    text(20, 150, "history.safetensors: 801 × 128 × 64 numbers in bfloat16", { color: "soft", size: 14 }),
  ]);
}

/** The two numbers of the tutorial that differ in their last bit. */
function bits() {
  const bitsOf = (value) => (new Uint32Array(new Float32Array([value]).buffer)[0] >>> 16).toString(2).padStart(16, "0");
  const rows = [1.2200325727462769e-7, 1.210719347000122e-7].map((value, index) => {
    const y = 44 + 66 * index;
    const cells = [...bitsOf(value)].map((bit, at) => {
      const x = 20 + 27 * at + (at > 0 ? 6 : 0) + (at > 8 ? 6 : 0);
      const differs = bit !== bitsOf(index === 0 ? 1.210719347000122e-7 : 1.2200325727462769e-7)[at];
      return [box(x, y, 24, 26, differs ? "orange" : "grid"), middle(x + 12, y + 19, bit, { color: differs ? "on" : "ink" })];
    });
    return [text(20, y - 8, `${value}`, { size: 14 }), cells];
  });
  return picture("Two bfloat16 numbers that differ in their last bit", 182, [
    rows,
    text(20, 164, "sign", { size: 13, color: "soft" }),
    text(72, 164, "exponent (8 bits)", { size: 13, color: "soft" }),
    text(294, 164, "fraction (7 bits)", { size: 13, color: "soft" }),
  ]);
}

/** Dead tokens at the end: together, apart, or not to be judged. */
function verdict() {
  const crowd = (x, y, color) => range(7).map((dot) => disc(x + 11 * Math.cos(dot), y + 11 * Math.sin(2.4 * dot), 4.5, color));
  const ring = (x, y, radius) => `<circle cx="${x}" cy="${y}" r="${radius}" class="blue-line" stroke-width="2"/>`;
  const scene = (x, name, parts) => [middle(x, 224, name, { weight: "bold" }), parts];
  return picture("Null: dead tokens stay together. Positive: they separate. Degenerate: the run cannot be scored", 240, [
    middle(240, 22, "dead tokens at the start: equal rows"),
    ring(240, 58, 24),
    crowd(240, 58, "blue"),
    [90, 240, 390].map((x) => line(240, 86, x, 122, { head: true })),
    scene(90, "null", [ring(90, 160, 24), crowd(90, 160, "blue"), middle(90, 204, "still equal", { size: 14, color: "soft" })]),
    scene(240, "positive", [
      ring(215, 160, 22),
      crowd(215, 160, "blue"),
      [disc(258, 142, 4.5, "sky"), disc(270, 172, 4.5, "sky"), disc(252, 176, 4.5, "sky")],
      middle(240, 204, "some differ", { size: 14, color: "soft" }),
    ]),
    scene(390, "degenerate", [middle(390, 166, "NaN", { size: 20, color: "orange" }), middle(390, 204, "no answer", { size: 14, color: "soft" })]),
  ]);
}

/** Runs of an experiment: a row per arm, a column per seed. */
function pairs() {
  const arms = ["still", "noisy"];
  const seeds = range(6);
  return picture("Runs of two arms with the same seed form a pair", 196, [
    arms.map((arm, row) => [
      text(16, 92 + 62 * row, arm, { weight: "bold" }),
      text(16, 110 + 62 * row, row === 0 ? "control" : "treatment", { size: 12, color: "soft" }),
      seeds.map((seed) => disc(118 + 56 * seed, 92 + 62 * row, 13, row === 0 ? "blue" : "orange")),
    ]),
    seeds.map((seed) => middle(118 + 56 * seed, 46, `${seed + 1}`)),
    text(16, 46, "seed"),
    `<rect x="94" y="62" width="48" height="122" rx="22" class="line" stroke-width="1.5" stroke-dasharray="5 4"/>`,
    text(150, 24, "dashed: a pair, trained from the same start", { size: 13, color: "soft" }),
  ]);
}

/** The evidence of the tutorial's arm `noisy` after every pair. */
function evidence() {
  const e = [1, 1, 1.3, 2, 3.3, 5.8, 10, 19, 37];
  const [x, y] = [(pair) => 56 + 48 * pair, (value) => 176 - 88 * Math.log10(value)];
  const path = e.map((value, pair) => `${pair === 0 ? "M" : "L"}${x(pair)} ${y(value).toFixed(1)}`).join("");
  return picture("The evidence grows with every pair and crosses 20 at the eighth", 226, [
    [1, 10].map((value) => [line(x(0), y(value), x(8), y(value), { width: 0.5 }), text(20, y(value) + 5, `${value}`)]),
    line(x(0), y(20), x(8), y(20), { dash: "6 4" }),
    text(20, y(20) + 5, "20", { weight: "bold" }),
    text(70, y(20) - 8, "decided at 20", { size: 14 }),
    `<path d="${path}" class="orange-line" stroke-width="2.5"/>`,
    e.map((value, pair) => disc(x(pair), y(value), pair === 8 ? 7 : 4, "orange")),
    range(9).map((pair) => middle(x(pair), 198, `${pair}`, { size: 13 })),
    middle(248, 218, "complete pairs", { size: 14, color: "soft" }),
    text(16, 20, "e-value"),
    text(330, 22, "positive", { color: "orange", weight: "bold" }),
  ]);
}

/** What differs between two arms of a comparison of norms. */
function confound() {
  const rows = [
    ["norm", "LayerNorm", "RMSNorm", "the question", "green"],
    ["decay of its weights", "0", "0.01", "confound", "orange"],
    ["its biases", "yes", "no", "confound", "orange"],
    ["seed, text, order", "equal", "equal", "", "soft"],
  ];
  return picture("Two arms differ in their norm, and also in weight decay and biases", 196, [
    text(196, 26, "arm A", { weight: "bold" }),
    text(292, 26, "arm B", { weight: "bold" }),
    rows.map(([name, one, other, role, color], row) => {
      const y = 60 + 36 * row;
      return [
        line(14, y - 24, 466, y - 24, { width: 0.5 }),
        text(14, y, name),
        text(196, y, one),
        text(292, y, other),
        text(384, y, role, { color, size: 14 }),
      ];
    }),
  ]);
}

const drawings = { embedding, tokens, singular, "black-hole": blackHole, lattice, history, bits, verdict, pairs, evidence, confound };

/** Writes `NAME.svg`, and `NAME-dark.svg` for the dark pages of the site, for every concept. The data are those of a run of the preset quick. */
export async function drawConcepts(directory, folder, { census, openRun }) {
  const dead = new Set(JSON.parse(readFileSync(join(directory, "run.json"), "utf8")).corpus.deadTokens);
  const censuses = new Map();
  let last;
  for await (const { step, matrix } of (await openRun(directory)).history()) {
    if ([0, 1, 10, 800].includes(step)) censuses.set(step, census(matrix));
    last = matrix;
  }
  const rowOf = (letter) => range(last.shape[1]).map((column) => last.at(letter.charCodeAt(0), column));
  mkdirSync(folder, { recursive: true });
  for (const [name, draw] of Object.entries(drawings)) {
    const drawn = draw({ dead, rowOf, censusAt: (step) => censuses.get(step) });
    writeFileSync(join(folder, `${name}.svg`), drawn);
    writeFileSync(join(folder, `${name}-dark.svg`), drawn.replace("@media screen and (prefers-color-scheme:dark)", "@media screen"));
  }
}
