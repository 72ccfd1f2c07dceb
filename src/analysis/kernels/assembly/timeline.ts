// The classes of every state of a history, their counts, and their changes from state to state.
import { elementsOf, fillKeys, finiteElement, hashRows, infiniteElement, nanElement, rowMoved, rowsEqual, rowsHaveNonfinite, rowsHaveNonzero, reserve, resetArena } from "./rows";

/** i32 values written for each state, in the order of `timelineFields` in TypeScript. */
const resultFields: usize = 10;

/** Entries of 8 bytes. */
const smallTable: u32 = 1024;

let kind: i32 = 0;
let tokens: i32 = 0;
let rowBytes: usize = 0;
let stateBytes: usize = 0;

// Slot 0 of the state buffer holds the state before the chunk; the states of the chunk follow.
let states: usize = 0;
let results: usize = 0;
let keys: usize = 0;
let hashes: usize = 0;
let table: usize = 0;
let tableMask: u32 = 0;
// Slots of an older generation count as empty, so the table is never cleared.
let generation: u32 = 0;

let classes: usize = 0;
let counts: usize = 0;
let previousClasses: usize = 0;
let previousCounts: usize = 0;
let hasPrevious: bool = false;

// For each hole of the earlier (later) state: one hole with members of it, and the marks of what has been counted for it.
let destinations: usize = 0;
let origins: usize = 0;
let marks: usize = 0;

let nonfiniteTokens: usize = 0;
let sawNonzero: bool = false;
let sawFinite: bool = false;
let sawMotion: bool = false;

const splitMark: u8 = 1;
const fissionMark: u8 = 2;
const joinMark: u8 = 4;
const mergeMark: u8 = 8;

/**
 * Lay out memory for chunks of `capacity` states of `tokenCount` rows of `bytesPerRow` bytes, and reset. Returns the address of slot 0 of the state buffer, or 0
 * if memory is insufficient.
 */
export function configure(elementKind: i32, tokenCount: i32, bytesPerRow: u32, capacity: u32): usize {
  kind = elementKind;
  tokens = tokenCount;
  rowBytes = bytesPerRow;
  let tableSize: u32 = 2;
  while (tableSize < <u32>tokenCount * 2) tableSize <<= 1;
  // A larger table has fewer collisions, as long as it fits into the first-level cache.
  if (tableSize <= smallTable) tableSize <<= 2;
  tableMask = tableSize - 1;
  const perToken = <u64>tokenCount * 4;
  const bytes = <u64>tokenCount * bytesPerRow;
  resetArena();
  keys = reserve((<u64>bytesPerRow + 31) & ~15);
  hashes = reserve(perToken * 2);
  table = reserve(<u64>tableSize * 8);
  classes = reserve(perToken);
  counts = reserve(perToken);
  previousClasses = reserve(perToken);
  previousCounts = reserve(perToken);
  destinations = reserve(perToken);
  origins = reserve(perToken);
  marks = reserve(tokenCount);
  nonfiniteTokens = reserve(tokenCount);
  results = reserve(<u64>capacity * resultFields * 4);
  states = reserve(bytes * (capacity + 1) + 16);
  if (states == 0) return 0;
  stateBytes = <usize>bytes;
  fillKeys(keys, rowBytes);
  memory.fill(table, 0, <usize>tableSize * 8);
  memory.fill(nonfiniteTokens, 0, tokenCount);
  generation = 0;
  hasPrevious = false;
  sawNonzero = false;
  sawFinite = false;
  sawMotion = false;
  return states;
}

/** Address of the results of the last `scan`: `resultFields` i32 values per state. */
export function resultsAddress(): usize {
  return results;
}

/** Address of one byte per token: 1 if it has held NaN or infinity. */
export function nonfiniteAddress(): usize {
  return nonfiniteTokens;
}

/** Whether some component was not 0 (bit 0), some was finite (bit 1), some changed as a number (bit 2). */
export function seen(): i32 {
  return <i32>sawNonzero | (<i32>sawFinite << 1) | (<i32>sawMotion << 2);
}

/** Note the elements and motion of a state whose rows have been hashed. */
function observe(state: usize): void {
  sawNonzero = sawNonzero || rowsHaveNonzero;
  sawFinite = sawFinite || !rowsHaveNonfinite;
  for (let token: i32 = 0; token < tokens && hasPrevious && !sawMotion; token++) {
    const row = state + <usize>token * rowBytes;
    sawMotion = rowMoved(kind, row - stateBytes, row, rowBytes);
  }
}

/** Note the elements of a row in a state with NaN or infinity; returns whether it has NaN. */
function observeNonfinite(token: i32, row: usize): bool {
  const elements = elementsOf(kind, row, rowBytes);
  if (elements & (infiniteElement | nanElement)) store<u8>(nonfiniteTokens + token, 1);
  if (elements & finiteElement) sawFinite = true;
  return (elements & nanElement) != 0;
}

/** The class of a row: the first token with its value. Adds the row if it is the first. */
@inline function classOf(token: i32, hash: u64, state: usize): i32 {
  let slot = <u32>hash & tableMask;
  while (true) {
    const entry = load<u64>(table + (<usize>slot << 3));
    if (<u32>(entry >> 32) != generation) {
      store<u64>(table + (<usize>slot << 3), (<u64>generation << 32) | <u64>token);
      return token;
    }
    const first = <i32>entry;
    if (
      load<u64>(hashes + (<usize>first << 3)) == hash &&
      rowsEqual(state + <usize>first * rowBytes, state + <usize>token * rowBytes, rowBytes)
    )
      return first;
    slot = (slot + 1) & tableMask;
  }
}

function classify(state: usize, result: usize): void {
  generation++;
  let unique: i32 = 0;
  let holes: i32 = 0;
  let population: i32 = 0;
  let largest: i32 = 0;
  hashRows(kind, state, tokens, rowBytes, keys, hashes);
  observe(state);
  for (let token: i32 = 0; token < tokens; token++) {
    const isNan = rowsHaveNonfinite && observeNonfinite(token, state + <usize>token * rowBytes);
    const first = isNan ? token : classOf(token, load<u64>(hashes + (<usize>token << 3)), state);
    store<i32>(classes + (<usize>token << 2), first);
    if (first == token) {
      store<i32>(counts + (<usize>token << 2), 1);
      unique++;
      continue;
    }
    const count = load<i32>(counts + (<usize>first << 2)) + 1;
    store<i32>(counts + (<usize>first << 2), count);
    if (count == 2) {
      holes++;
      population += 2;
    } else population++;
    if (count > largest) largest = count;
  }
  store<i32>(result, unique);
  store<i32>(result, holes, 4);
  store<i32>(result, population, 8);
  store<i32>(result, largest, 12);
}

@inline function mark(token: i32, bit: u8): i32 {
  const bits = load<u8>(marks + token);
  if (bits & bit) return 0;
  store<u8>(marks + token, bits | bit);
  return 1;
}

@inline function at(array: usize, index: i32): i32 {
  return load<i32>(array + (<usize>index << 2));
}

/** Store the first hole found for `hole`; returns 1 when a different one is found for the first time. */
@inline function another(array: usize, hole: i32, found: i32, bit: u8): i32 {
  const known = at(array, hole);
  if (known == found) return 0;
  if (known >= 0) return mark(hole, bit);
  store<i32>(array + (<usize>hole << 2), found);
  return 0;
}

function compare(result: usize): void {
  let fissions: i32 = 0, splits: i32 = 0, merges: i32 = 0, joins: i32 = 0, escapes: i32 = 0, captures: i32 = 0;
  if (hasPrevious && memory.compare(classes, previousClasses, <usize>tokens << 2) != 0) {
    memory.fill(destinations, 0xff, <usize>tokens << 2);
    memory.fill(origins, 0xff, <usize>tokens << 2);
    memory.fill(marks, 0, tokens);
    for (let token: i32 = 0; token < tokens; token++) {
      const before = at(previousClasses, token);
      const after = at(classes, token);
      const wasInHole = at(previousCounts, before) > 1;
      const isInHole = at(counts, after) > 1;
      if (wasInHole) {
        if (!isInHole) escapes++;
        // A class is named after its first token, so a hole is intact as long as its members share this token's class.
        if (after != at(classes, before)) splits += mark(before, splitMark);
        if (isInHole) fissions += another(destinations, before, after, fissionMark);
      }
      if (isInHole) {
        if (!wasInHole) captures++;
        if (before != at(previousClasses, after)) joins += mark(after, joinMark);
        if (wasInHole) merges += another(origins, after, before, mergeMark);
      }
    }
  }
  store<i32>(result, fissions, 16);
  store<i32>(result, splits, 20);
  store<i32>(result, merges, 24);
  store<i32>(result, joins, 28);
  store<i32>(result, escapes, 32);
  store<i32>(result, captures, 36);
}

/** Scan the states in slots 1 to `count` and write their results in order. */
export function scan(count: u32): void {
  for (let index: u32 = 0; index < count; index++) {
    const result = results + <usize>index * resultFields * 4;
    classify(states + <usize>(index + 1) * stateBytes, result);
    compare(result);
    hasPrevious = true;
    const olderClasses = previousClasses;
    const olderCounts = previousCounts;
    previousClasses = classes;
    previousCounts = counts;
    classes = olderClasses;
    counts = olderCounts;
  }
}

/** Copy the state in slot `count` to slot 0, as the state before the next chunk. */
export function carry(count: u32): void {
  memory.copy(states, states + <usize>count * stateBytes, stateBytes);
}
