/** Bytes of a video track, frame by frame. */
export interface EncodedFrame {
  readonly bytes: Uint8Array;
  readonly isKey: boolean;
}

interface VideoFormat {
  readonly width: number;
  readonly height: number;
  /** Duration of a frame in milliseconds. */
  readonly frameMs: number;
}

type Part = Uint8Array | readonly Part[];

/** A WebM file of one VP8 track with its duration and an index, so that players can seek (RFC 9559). */
export function webmOf(frames: readonly EncodedFrame[], { width, height, frameMs }: VideoFormat): Blob {
  const info = element(0x1549a966, [
    element(0x2ad7b1, whole(1_000_000)), // a millisecond in nanoseconds
    element(0x4489, float(frames.length * frameMs)),
    element(0x4d80, text("bh-bridge")),
    element(0x5741, text("bh-bridge")),
  ]);
  const video = element(0xe0, [element(0xb0, whole(width)), element(0xba, whole(height))]);
  const track = [
    element(0xd7, whole(1)),
    element(0x73c5, whole(1)),
    element(0x83, whole(1)), // video
    element(0x9c, whole(0)), // no lacing
    element(0x86, text("V_VP8")),
    element(0x23e383, whole(Math.round(frameMs * 1_000_000))),
    video,
  ];
  const tracks = element(0x1654ae6b, element(0xae, track));
  const groups = clusters(frames, frameMs);
  const lengths = groups.map(({ part }) => lengthOf(part));
  const cuesAt = lengthOf(info) + lengthOf(tracks);
  const indexFrom = (first: number) =>
    element(
      0x1c53bb6b,
      groups.map(({ ms }, index) => {
        const position = first + lengths.slice(0, index).reduce((sum, length) => sum + length, 0);
        return element(0xbb, [element(0xb3, whole(ms)), element(0xb7, [element(0xf7, whole(1)), element(0xf1, whole(position, 8))])]);
      }),
    );
  const cues = indexFrom(cuesAt + lengthOf(indexFrom(0))); // positions have a fixed size, so its length is known
  const head = element(0x1a45dfa3, [
    element(0x4286, whole(1)),
    element(0x42f7, whole(1)),
    element(0x42f2, whole(4)),
    element(0x42f3, whole(8)),
    element(0x4282, text("webm")),
    element(0x4287, whole(4)),
    element(0x4285, whole(2)),
  ]);
  const segment = element(0x18538067, [info, tracks, cues, ...groups.map(({ part }) => part)]);
  return new Blob(flat([head, segment]) as BlobPart[], { type: "video/webm" });
}

/** A cluster begins at each key frame, from which a player can start. */
function clusters(frames: readonly EncodedFrame[], frameMs: number): { ms: number; part: Part }[] {
  const found: { ms: number; blocks: Part[] }[] = [];
  frames.forEach(({ bytes, isKey }, index) => {
    const ms = Math.round(index * frameMs);
    if (isKey || found.length === 0) found.push({ ms, blocks: [] });
    const cluster = found.at(-1);
    const after = ms - (cluster?.ms ?? 0);
    cluster?.blocks.push(element(0xa3, [Uint8Array.of(0x81, after >> 8, after & 255, isKey ? 0x80 : 0), bytes]));
  });
  return found.map(({ ms, blocks }) => ({ ms, part: element(0x1f43b675, [element(0xe7, whole(ms)), ...blocks]) }));
}

function element(id: number, content: Part): Part {
  return [whole(id), sized(lengthOf(content)), content];
}

/** A length as EBML writes it, in eight bytes. */
function sized(length: number): Uint8Array {
  const bytes = whole(length, 8);
  bytes[0] = 0x01;
  return bytes;
}

function whole(value: number, size = Math.max(1, Math.ceil(value.toString(16).length / 2))): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => Math.floor(value / 256 ** (size - 1 - at)) % 256);
}

function float(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return bytes;
}

const text = (ascii: string) => new TextEncoder().encode(ascii);

function flat(part: Part): Uint8Array[] {
  return part instanceof Uint8Array ? [part] : part.flatMap(flat);
}

function lengthOf(part: Part): number {
  return flat(part).reduce((sum, { length }) => sum + length, 0);
}
