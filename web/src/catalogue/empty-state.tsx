import { useState } from "preact/hooks";
import { hrefOf } from "../address.js";

const commands: readonly (readonly [command: string, what: string])[] = [
  ["bh-bridge train --preset quick", "trains a small model in a minute"],
  ["bh-bridge serve path/to/runs", "shows the runs of another folder"],
];

/** Shown while the folders hold nothing: what will be here, how to start, and where to drop a run. */
export function EmptyState() {
  return (
    <main>
      <section class="empty-state" aria-label="Runs">
        <div>
          <h1>There is no run here yet</h1>
          <p>Start one, and it appears here with its first step:</p>
          <ul>
            {commands.map(([command, what]) => (
              <li key={command}>
                <Command text={command} /> <small>{what}</small>
              </li>
            ))}
          </ul>
          <p>
            Or <a href={hrefOf("try")}>train a small model in this browser</a>, without Python.
          </p>
          <p class="drop-target">
            Or drop the zip or the folder of a run anywhere on this page.
            <small>It is read by the server of this page and goes nowhere else.</small>
          </p>
        </div>
        <Preview />
      </section>
    </main>
  );
}

/** A command to paste. */
function Command({ text }: { text: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <span class="command">
      <code>{text}</code>
      <button type="button" class="small" aria-label={`Copy ${text}`} onClick={() => void copy()}>
        {isCopied ? "Copied" : "Copy"}
      </button>
    </span>
  );
}

/** The path of P in a typical run: nearly all live tokens leave in the first steps, the dead ones stay. */
const path = "M62,36H74V52H84V70H92V84H104V96H120V104H146V110H196V116H300";

/** A drawing of the list and a chart, as they will be. */
function Preview() {
  return (
    <figure class="preview">
      <svg viewBox="0 0 320 210" role="img" aria-label="Sketch: a list of runs with their verdicts, and the population of black holes over the steps">
        <rect class="frame" x="1" y="1" width="318" height="208" rx="10" />
        <text x="16" y="24">
          P, tokens in black holes
        </text>
        <path class="rule" d="M62,36V136H304" />
        <text class="tick" x="56" y="41" text-anchor="end">
          128
        </text>
        <text class="tick" x="56" y="120" text-anchor="end">
          51
        </text>
        <text class="tick" x="304" y="152" text-anchor="end">
          steps
        </text>
        <path class="area" d={`${path}V136H62Z`} />
        <path class="line" d={path} />
        {[164, 187].map((y, at) => (
          <g key={y}>
            <path class="rule" d={`M1,${y - 4}H319`} />
            <rect class="bar" x="16" y={y + 4} width={at === 0 ? 96 : 72} height="8" rx="4" />
            <circle class="dot" cx="160" cy={y + 8} r="4" />
            <rect class="bar" x="172" y={y + 4} width="44" height="8" rx="4" />
            <rect class="bar" x="262" y={y + 4} width="42" height="8" rx="4" />
          </g>
        ))}
      </svg>
      <figcaption>
        Each run gets a line here: verdict, the population of black holes over the steps, loss and duration. Its page adds charts and a replay of every step.
      </figcaption>
    </figure>
  );
}
