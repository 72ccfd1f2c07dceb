/** Where a part of the configuration comes from: its values as they were written, and the source of each. */
export interface Layer {
  values: Record<string, unknown>;
  /** What to call the source of the value at a dotted path: `preset quick`, `my.yaml:3:5`, `--set`. */
  sourceOf(path: string): string;
}
