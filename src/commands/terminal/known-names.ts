import { nearestName } from "../../config/nearest-name.js";

/**
 * The names in a list with commas between, each one that is known.
 *
 * @param complain makes the error for a name that is not, from what may have been meant.
 */
export function knownNames<Name extends string>(list: string, known: readonly Name[], complain: (name: string, meant: string) => Error): Name[] {
  return list.split(",").map((text) => {
    const given = text.trim();
    const name = known.find((each) => each === given);
    if (name !== undefined) return name;
    const near = nearestName(given, known);
    throw complain(given, near === undefined ? `there are ${known.join(", ")}` : `did you mean ${near}?`);
  });
}
