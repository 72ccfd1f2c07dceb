const asciiBytes = 128;
/** Lengths of a character in UTF-8. */
const lengths = [1, 2, 3, 4] as const;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 as text; a byte that belongs to no whole character is written as `<0xE2>`. */
export function bytesAsText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const [length, character] = characterAt(bytes, at) ?? [1, hexadecimal(bytes[at] ?? 0)];
    text += character;
    at += length;
  }
  return text;
}

/** The character that begins at a byte, and its length; undefined where none does. */
function characterAt(bytes: Uint8Array, at: number): [number, string] | undefined {
  const first = bytes[at] ?? 0;
  if (first < asciiBytes) return [1, String.fromCharCode(first)];
  for (const length of lengths) {
    try {
      return [length, decoder.decode(bytes.subarray(at, at + length))];
    } catch {
      // not a whole character yet
    }
  }
  return undefined;
}

function hexadecimal(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}
