import { createHash } from "node:crypto";

/** File systems allow 255 bytes a name; a run's own name may use this much of it, the time and the hash take 25. */
const slugBytes = 80;

/** Latin letters that are no letter with an accent, as they are transliterated. */
const transliterated: Readonly<Record<string, string>> = { ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ð: "d", þ: "th", ł: "l", ı: "i" };

/** A display name as a part of a path: lower-case ASCII letters, digits, dots and hyphens, at most 80 bytes; an odd name gets a hash of its own. */
export function slugOf(name: string): string {
  const letters = name.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  return slugOfLetters(
    letters.replaceAll(/[^\0-\x7f]/gu, (letter) => transliterated[letter] ?? letter),
    name,
  );
}

/** The slug that versions before 0.3 gave to a name with accents; directories are still found by it. */
export function earlierSlugOf(name: string): string {
  return slugOfLetters(name.normalize("NFKD").toLowerCase(), name);
}

function slugOfLetters(letters: string, name: string): string {
  const plain = letters.replaceAll(/[^a-z0-9.]+/g, "-").replaceAll(/^[-.]+|[-.]+$/g, "");
  if (plain.length > 0 && plain.length <= slugBytes) return plain;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return plain === "" ? `run-${hash}` : `${plain.slice(0, slugBytes - 9)}-${hash}`;
}

/** `2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c`: sorts by time, says what it is, and differs when the configuration does. */
export function runDirectoryName(started: Date, name: string, configHash: string): string {
  const time = started.toISOString().slice(0, 19).replaceAll(":", "-");
  return `${time}-${slugOf(name)}-${configHash.slice(0, 8)}`;
}
