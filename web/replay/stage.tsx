import "./stage.css";
import type { ComponentChildren } from "preact";
import { type StageMark, stageMarks } from "./stage-text.js";
import type { useCloud } from "./use-cloud.js";

/** The sign of a kind of token, as the cloud draws it. */
function Mark({ kind }: { kind: StageMark }) {
  return (
    <svg width="14" height="14" viewBox="-8 -8 16 16" aria-hidden="true" class={`mark ${kind}`}>
      {kind === "live" && <circle r="5" />}
      {kind === "dead" && <path d="M0-6L6 0L0 6L-6 0Z" />}
      {kind === "hole" && <circle r="5.5" />}
      {kind === "followed" && <circle r="5.5" />}
    </svg>
  );
}

const isTouched = window.matchMedia("(pointer: coarse)").matches;
const hints = isTouched
  ? { idle: "Tap to zoom and move", active: "Pinch zooms, drag moves · tap outside to scroll" }
  : { idle: "Click or Enter to zoom and move", active: "Wheel zooms · drag moves, Shift turns · Esc leaves" };

interface StageProps extends Pick<ReturnType<typeof useCloud>, "canvas" | "overlay" | "problem" | "isActive"> {
  tokens: number;
  step: string;
  /** Name of the token below the pointer. */
  hovered: string | undefined;
  /** Further content of the corner. */
  children?: ComponentChildren;
}

/** The cloud itself, with the step in its corner and its marks below. */
export function Stage({ canvas, overlay, problem, isActive, tokens, step, hovered, children }: StageProps) {
  if (problem) {
    return (
      <div class="stage">
        <p class="problem">{problem}</p>
      </div>
    );
  }
  return (
    <div class={isActive ? "stage active" : "stage"}>
      <div class="view">
        <canvas ref={canvas} tabIndex={0} role="img" aria-label={`Cloud of ${tokens} tokens after step ${step}. ${isActive ? hints.active : hints.idle}`} />
        <canvas ref={overlay} class="labels" />
        <div class="corner">
          <span>
            step <b data-testid="step">{step}</b>
            {hovered !== undefined && <span> · {hovered}</span>}
          </span>
          {children}
        </div>
        <p class="hint">{isActive ? hints.active : hints.idle}</p>
      </div>
      <Marks />
    </div>
  );
}

/** What the marks of a stage mean. */
export function Marks() {
  return (
    <ul class="key" aria-label="Marks">
      {stageMarks.map(({ kind, text }) => (
        <li key={kind}>
          <Mark kind={kind} /> {text}
        </li>
      ))}
    </ul>
  );
}
