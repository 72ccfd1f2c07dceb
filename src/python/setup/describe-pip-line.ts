/** What pip is at, in words; `detail` is of interest only to who watches the line change. */
export interface PipStep {
  text: string;
  detail: boolean;
}

/** `torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl` → `torch 2.13.0`: name and version are the first two parts of a wheel's name (PEP 427). */
function packageOf(file: string): string {
  const [name = file, version = ""] = decodeURIComponent(file.split("/").at(-1) ?? file).split("-");
  return `${name} ${version.replace(/\+.*|\.tar\.gz$/, "")}`.trim();
}

/** Translate a line of pip's output; undefined for a line that says nothing new (a bar, an indented remark). */
export function describePipLine(line: string): PipStep | undefined {
  const [, verb, rest = ""] =
    /^\s*(Collecting|Downloading|Using cached|Processing|Building wheel for|Installing collected packages:|Requirement already satisfied:)\s+(.+)$/.exec(
      line,
    ) ?? [];
  const [first = ""] = rest.split(" ");
  switch (verb) {
    case "Collecting":
      return { text: `looking for ${/^[\w.-]+/.exec(first)?.[0] ?? first}`, detail: true };
    case "Requirement already satisfied:":
      return { text: `${/^[\w.-]+/.exec(first)?.[0] ?? first} is there`, detail: true };
    case "Downloading": {
      // Recent pips fetch a wheel's metadata first, in a file of its own.
      if (first.endsWith(".metadata")) return undefined;
      const size = /\((.+)\)$/.exec(rest)?.[1];
      return { text: `downloading ${packageOf(first)}${size ? `, ${size}` : ""}`, detail: !/[MG]B$/.test(size ?? "") };
    }
    case "Using cached":
    case "Processing":
      return first.endsWith(".metadata") ? undefined : { text: `reading ${packageOf(first)}`, detail: false };
    case "Building wheel for":
      return { text: `building ${first}`, detail: false };
    case "Installing collected packages:":
      return { text: `installing ${rest.split(",").length} packages`, detail: false };
    default:
      return undefined;
  }
}
