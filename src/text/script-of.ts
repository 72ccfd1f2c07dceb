/** Writing systems that have letters of their own, by their names in Unicode (property Script); those with most letters of present texts. */
const scripts = [
  "Latin",
  "Greek",
  "Cyrillic",
  "Armenian",
  "Hebrew",
  "Arabic",
  "Devanagari",
  "Bengali",
  "Gurmukhi",
  "Gujarati",
  "Tamil",
  "Telugu",
  "Kannada",
  "Malayalam",
  "Sinhala",
  "Thai",
  "Lao",
  "Tibetan",
  "Myanmar",
  "Georgian",
  "Ethiopic",
  "Khmer",
  "Mongolian",
  "Hangul",
  "Hiragana",
  "Katakana",
  "Han",
] as const;
const expressions = scripts.map((name) => ({ name, letters: new RegExp(`\\p{Script=${name}}`, "u") }));
const lonePart = /<0x[0-9A-F]{2}>/g;
const letter = /\p{L}/u;

/** The writing system of a token's text, by Unicode's name; `several`, `other`, or in words what a text without letters is. */
export function scriptOf(text: string | null): string {
  if (text === null) return "no text";
  const written = text.replaceAll(lonePart, "");
  if (written === "" && text !== "") return "parts of characters";
  if (!letter.test(written)) return "no letters";
  const found = expressions.filter(({ letters }) => letters.test(written));
  const [only] = found;
  return found.length > 1 ? "several" : (only?.name ?? "other");
}
