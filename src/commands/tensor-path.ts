import { existsSync } from "node:fs";

/** A file, and the tensor in it that is meant. */
export interface TensorPath {
  readonly path: string;
  readonly tensor?: string;
}

const separator = "::";

/** Take `FILE::TENSOR` apart; a file that has the two colons in its own name is found too. */
export function parseTensorPath(text: string): TensorPath {
  const at = text.lastIndexOf(separator);
  if (at <= 0 || existsSync(text)) return { path: text };
  return { path: text.slice(0, at), tensor: text.slice(at + separator.length) };
}
