/** A text that the report has packed. */
export async function unpackedText(base64: string): Promise<string> {
  return new TextDecoder().decode(await unpacked(base64));
}

/** Frames of numbers that the report has packed: `packedFrames` says how. @param width numbers in a frame */
export async function unpackedFrames(base64: string, width: number): Promise<Uint16Array> {
  const bytes = await unpacked(base64);
  const numbers = new Uint16Array(bytes.length / 2);
  for (let index = 0; index < numbers.length; index++) {
    const folded = (bytes[index] ?? 0) | ((bytes[numbers.length + index] ?? 0) << 8);
    const difference = (folded >> 1) ^ -(folded & 1);
    numbers[index] = (numbers[index - width] ?? 0) + difference;
  }
  return numbers;
}

async function unpacked(base64: string): Promise<Uint8Array> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
