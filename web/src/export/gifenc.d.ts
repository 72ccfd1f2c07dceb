/** The parts of gifenc, which has no types of its own, that are used here. */
declare module "gifenc" {
  type Palette = number[][];

  export function quantize(rgba: Uint8Array | Uint8ClampedArray, maxColors: number): Palette;
  export function applyPalette(rgba: Uint8Array | Uint8ClampedArray, palette: Palette): Uint8Array;
  export function GIFEncoder(): {
    /** @param delay in milliseconds; the palette of the first frame is that of all. */
    writeFrame(indices: Uint8Array, width: number, height: number, options: { palette?: Palette; delay: number }): void;
    finish(): void;
    bytes(): Uint8Array;
  };
}
