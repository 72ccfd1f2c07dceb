/**
 * Where two structures of numbers differ by more than `relative` of the larger number, and by more than `absolute`; empty when nowhere.
 *
 * @returns paths with both values, for a message that can be read.
 */
export function differences(actual: unknown, expected: unknown, relative: number, absolute = 0, path = ""): string[] {
  if (typeof actual === "number" && typeof expected === "number") {
    const allowed = Math.max(relative * Math.max(Math.abs(actual), Math.abs(expected)), absolute);
    return Math.abs(actual - expected) <= allowed ? [] : [`${path}: ${actual}, expected ${expected}`];
  }
  if (typeof actual === "object" && typeof expected === "object" && actual !== null && expected !== null) {
    const names = new Set([...Object.keys(actual), ...Object.keys(expected)]);
    return [...names].flatMap((name) => differences(Reflect.get(actual, name), Reflect.get(expected, name), relative, absolute, `${path}.${name}`));
  }
  return actual === expected ? [] : [`${path}: ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`];
}
