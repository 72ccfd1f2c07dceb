import { InvalidArgumentError } from "commander";

/** A training step from the command line. */
export function parseStep(text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("A step is a number from 0 on.");
}
