import type { ReplayFrames } from "../../src/report/replay-frames.js";

/** More suggestions are not offered. */
const mostOffered = 50;

/** A field for the token to follow, which suggests tokens and reports those that do not exist. */
export function tokenInput() {
  const input = Object.assign(document.createElement("input"), { type: "search", placeholder: "Follow a token", autocomplete: "off" });
  input.setAttribute("aria-label", "Token to follow");
  input.setAttribute("list", "replayed-tokens");
  const offered = Object.assign(document.createElement("datalist"), { id: "replayed-tokens" });
  const problem = Object.assign(document.createElement("span"), { className: "problem" });
  problem.setAttribute("role", "alert");
  const element = Object.assign(document.createElement("span"), { className: "follow" });
  element.append(input, offered, problem);

  let tokens: ReplayFrames["tokens"] = [];
  let row = -1;

  function offer(): void {
    const typed = input.value.toLowerCase();
    const found: HTMLOptionElement[] = [];
    for (const { name, dead } of tokens) {
      if (found.length === mostOffered) break;
      if (name.toLowerCase().includes(typed))
        found.push(Object.assign(document.createElement("option"), { value: name, label: dead ? `${name} (dead)` : name }));
    }
    offered.replaceChildren(...found);
  }

  /** Find what is typed. @param isComplete whether the reader has finished typing. */
  function find(isComplete: boolean): void {
    offer();
    row = input.value === "" ? -1 : tokens.findIndex(({ name }) => name === input.value);
    problem.textContent = isComplete && input.value !== "" && row < 0 ? `No token ${input.value} in this run` : "";
  }

  return {
    element,
    /** The row of the token, or −1. */
    get row(): number {
      return row;
    },
    /** Offer the tokens of a run and follow none. */
    offer(next: ReplayFrames["tokens"]): void {
      tokens = next;
      input.value = "";
      find(true);
    },
    choose(next: number): void {
      row = next;
      input.value = tokens[next]?.name ?? "";
      problem.textContent = "";
    },
    onChange(listener: () => void): void {
      for (const [event, isComplete] of [
        ["input", false],
        ["change", true],
      ] as const) {
        input.addEventListener(event, () => {
          find(isComplete);
          listener();
        });
      }
    },
  };
}
