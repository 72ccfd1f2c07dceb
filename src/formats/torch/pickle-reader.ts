import { PickleCursor, PickleDict, PickleFloat, PickleGlobal, PickleInstance, PickleList, PickleSet, PickleTuple } from "./pickle-cursor.js";

/** What gives meaning to a pickle. Both see inert data and return data; nothing in a pickle is ever executed. */
interface PickleHooks {
  /** What stands for a persistent id. */
  persistent(id: unknown): unknown;
  /** What stands for a call; `undefined` for calls that mean nothing here, which become a `PickleInstance`. */
  construct(callable: PickleGlobal, args: readonly unknown[]): unknown;
}

/** The newest pickle protocol there is (PEP 574). */
const newestProtocol = 5;

/**
 * Read a pickle (protocols 2 to 5) into inert data, executing nothing.
 * @param offset where it begins in the file at `path`, for errors.
 * @throws {BhBridgeError} `FORMAT_INVALID`, also for opcodes that only older protocols write; what the hooks throw.
 */
export function readPickle(bytes: Uint8Array, hooks: PickleHooks, path: string, offset: number): unknown {
  const machine = new PickleMachine(new PickleCursor(bytes, path, offset), hooks);
  const { cursor } = machine;
  for (;;) {
    const opcode = cursor.u8();
    if (opcode === stop) return machine.pop();
    const execute = opcodes.get(opcode);
    if (!execute) throw cursor.fail(`the opcode 0x${opcode.toString(16).padStart(2, "0")} is not one that torch writes`);
    execute(machine);
  }
}

/** The stack machine that pickles are programs for, less everything that could run code. */
class PickleMachine {
  readonly cursor: PickleCursor;
  readonly hooks: PickleHooks;
  readonly #memo = new Map<number, unknown>();
  readonly #marked: unknown[][] = [];
  #stack: unknown[] = [];

  constructor(cursor: PickleCursor, hooks: PickleHooks) {
    this.cursor = cursor;
    this.hooks = hooks;
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    if (this.#stack.length === 0) throw this.cursor.fail("a value is taken from an empty stack");
    return this.#stack.pop();
  }

  top(): unknown {
    if (this.#stack.length === 0) throw this.cursor.fail("a value is looked for on an empty stack");
    return this.#stack.at(-1);
  }

  mark(): void {
    this.#marked.push(this.#stack);
    this.#stack = [];
  }

  /** All values since the last mark. */
  popMarked(): unknown[] {
    const items = this.#stack;
    const outer = this.#marked.pop();
    if (!outer) throw this.cursor.fail("a mark is missing");
    this.#stack = outer;
    return items;
  }

  pushTuple(length: number): void {
    const items = Array.from({ length }, () => this.pop()).reverse();
    this.push(new PickleTuple(items));
  }

  remember(key = this.#memo.size): void {
    this.#memo.set(key, this.top());
  }

  recall(key: number): void {
    if (!this.#memo.has(key)) throw this.cursor.fail(`the memo has no value ${key}`);
    this.push(this.#memo.get(key));
  }

  append(items: readonly unknown[]): void {
    const target = this.top();
    if (!(target instanceof PickleList || target instanceof PickleInstance)) throw this.cursor.fail("something is appended to a value that is not a list");
    for (const item of items) target.items.push(item);
  }

  setItems(items: readonly unknown[]): void {
    const target = this.top();
    const dict = target instanceof PickleInstance ? target.dict : target;
    if (!(dict instanceof PickleDict)) throw this.cursor.fail("a key is set in a value that is not a dict");
    if (items.length % 2 === 1) throw this.cursor.fail("a key has no value");
    for (let index = 0; index < items.length; index += 2) {
      if (!isHashable(items[index], 0)) throw this.cursor.fail("a key is a list, a dict, a set, or a kind of tuple that torch does not write");
      dict.set(items[index], items[index + 1]);
    }
  }

  addItems(items: readonly unknown[]): void {
    const target = this.top();
    if (!(target instanceof PickleSet)) throw this.cursor.fail("something is added to a value that is not a set");
    for (const item of items) target.items.push(item);
  }

  call(): void {
    const args = this.pop();
    const callable = this.pop();
    if (!(args instanceof PickleTuple)) throw this.cursor.fail("the arguments of a call are not a tuple");
    if (!(callable instanceof PickleGlobal || callable instanceof PickleInstance)) throw this.cursor.fail("what is called is neither a function nor a class");
    const known = callable instanceof PickleGlobal ? this.hooks.construct(callable, args.items) : undefined;
    this.push(known === undefined ? new PickleInstance(callable, args) : known);
  }

  /** `BUILD`: attributes for the value on top. A dict's own attributes (`_metadata` of a state dict) hold nothing that is read here. */
  setState(): void {
    const state = this.pop();
    const target = this.top();
    if (target instanceof PickleInstance) target.state = state;
    else if (!(target instanceof PickleDict)) throw this.cursor.fail("attributes are set on what has none");
  }

  pushGlobal(module: unknown, name: unknown): void {
    if (typeof module !== "string" || typeof name !== "string") throw this.cursor.fail("the name of a global is not a string");
    this.push(new PickleGlobal(module, name));
  }
}

/** Maximum size and depth of tuples in keys; torch writes two or three plain items. */
const maxKeyItems = 8;
const maxKeyDepth = 2;

function isHashable(key: unknown, depth: number): boolean {
  if (key instanceof PickleTuple) return depth < maxKeyDepth && key.items.length <= maxKeyItems && key.items.every((item) => isHashable(item, depth + 1));
  return !(key instanceof PickleList || key instanceof PickleDict || key instanceof PickleSet);
}

const stop = 0x2e;

/** Every opcode that protocols 2 to 5 write, by its byte; names as in Python's `pickletools`. */
const opcodes: ReadonlyMap<number, (machine: PickleMachine) => void> = new Map([
  [0x80, (m) => checkProtocol(m)], // PROTO
  [0x95, (m) => m.cursor.frame()], // FRAME: a hint on buffering, nothing else
  [0x28, (m) => m.mark()], // MARK
  [0x30, (m) => void m.pop()], // POP
  [0x31, (m) => void m.popMarked()], // POP_MARK
  [0x32, (m) => m.push(m.top())], // DUP
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4a, (m) => m.push(m.cursor.i32())], // BININT
  [0x4b, (m) => m.push(m.cursor.u8())], // BININT1
  [0x4d, (m) => m.push(m.cursor.u16())], // BININT2
  [0x8a, (m) => m.push(m.cursor.integer(m.cursor.u8()))], // LONG1
  [0x8b, (m) => m.push(m.cursor.integer(m.cursor.u32()))], // LONG4
  [0x47, (m) => m.push(new PickleFloat(m.cursor.f64()))], // BINFLOAT
  [0x58, (m) => m.push(m.cursor.text(m.cursor.u32()))], // BINUNICODE
  [0x8c, (m) => m.push(m.cursor.text(m.cursor.u8()))], // SHORT_BINUNICODE
  [0x8d, (m) => m.push(m.cursor.text(m.cursor.length64()))], // BINUNICODE8
  [0x54, (m) => m.push(m.cursor.text(m.cursor.u32()))], // BINSTRING
  [0x55, (m) => m.push(m.cursor.text(m.cursor.u8()))], // SHORT_BINSTRING
  [0x42, (m) => m.push(m.cursor.bytes(m.cursor.u32()))], // BINBYTES
  [0x43, (m) => m.push(m.cursor.bytes(m.cursor.u8()))], // SHORT_BINBYTES
  [0x8e, (m) => m.push(m.cursor.bytes(m.cursor.length64()))], // BINBYTES8
  [0x96, (m) => m.push(m.cursor.bytes(m.cursor.length64()))], // BYTEARRAY8
  [0x5d, (m) => m.push(new PickleList())], // EMPTY_LIST
  [0x61, (m) => m.append([m.pop()])], // APPEND
  [0x65, (m) => m.append(m.popMarked())], // APPENDS
  [0x7d, (m) => m.push(new PickleDict())], // EMPTY_DICT
  [0x73, (m) => m.setItems([m.pop(), m.pop()].reverse())], // SETITEM
  [0x75, (m) => m.setItems(m.popMarked())], // SETITEMS
  [0x8f, (m) => m.push(new PickleSet([]))], // EMPTY_SET
  [0x90, (m) => m.addItems(m.popMarked())], // ADDITEMS
  [0x91, (m) => m.push(new PickleSet(m.popMarked()))], // FROZENSET
  [0x29, (m) => m.pushTuple(0)], // EMPTY_TUPLE
  [0x85, (m) => m.pushTuple(1)], // TUPLE1
  [0x86, (m) => m.pushTuple(2)], // TUPLE2
  [0x87, (m) => m.pushTuple(3)], // TUPLE3
  [0x74, (m) => m.push(new PickleTuple(m.popMarked()))], // TUPLE
  [0x71, (m) => m.remember(m.cursor.u8())], // BINPUT
  [0x72, (m) => m.remember(m.cursor.u32())], // LONG_BINPUT
  [0x94, (m) => m.remember()], // MEMOIZE
  [0x68, (m) => m.recall(m.cursor.u8())], // BINGET
  [0x6a, (m) => m.recall(m.cursor.u32())], // LONG_BINGET
  [0x51, (m) => m.push(m.hooks.persistent(m.pop()))], // BINPERSID
  [0x63, (m) => m.pushGlobal(m.cursor.line(), m.cursor.line())], // GLOBAL
  [0x93, (m) => m.pushGlobal(...stackGlobal(m))], // STACK_GLOBAL
  [0x52, (m) => m.call()], // REDUCE
  [0x81, (m) => m.call()], // NEWOBJ
  [0x92, (m) => newObjectWithKeywords(m)], // NEWOBJ_EX
  [0x62, (m) => m.setState()], // BUILD
]);

function checkProtocol(machine: PickleMachine): void {
  const protocol = machine.cursor.u8();
  if (protocol > newestProtocol) throw machine.cursor.fail(`the protocol is ${protocol}; the newest known is ${newestProtocol}`);
}

function stackGlobal(machine: PickleMachine): [module: unknown, name: unknown] {
  const name = machine.pop();
  return [machine.pop(), name];
}

function newObjectWithKeywords(machine: PickleMachine): void {
  const keywords = machine.pop();
  const args = machine.pop();
  if (!(args instanceof PickleTuple && keywords instanceof PickleDict))
    throw machine.cursor.fail("the arguments of a new object are neither a tuple nor a dict");
  machine.push(new PickleInstance(machine.pop(), new PickleTuple([args, keywords])));
}
