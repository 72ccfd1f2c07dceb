import type { ComponentChildren } from "preact";

/** States a second. */
const speeds = [5, 15, 30, 60, 240, 960];

interface TransportProps {
  /** Number of recorded states, and the one that is shown. */
  count: number;
  state: number;
  step: number;
  isPlaying: boolean;
  speed: number;
  play(): void;
  go(state: number): void;
  setSpeed(speed: number): void;
  /** The tour of other dimensions, where there are any. */
  tour?: { isOn: boolean; toggle(): void };
  resetView(): void;
  /** Whether the keys of the page work, which the buttons name. */
  hasKeys?: boolean;
  /** Further buttons. */
  children?: ComponentChildren;
}

/** The buttons and the scrubber below the cloud. */
export function Transport({ count, state, step, isPlaying, speed, play, go, setSpeed, tour, resetView, hasKeys, children }: TransportProps) {
  const keyed = (words: string, key: string) => (hasKeys ? `${words} (${key})` : words);
  return (
    <div class="transport">
      <button type="button" class="primary" onClick={play} aria-label={isPlaying ? "Pause" : "Play"} title={keyed(isPlaying ? "Pause" : "Play", "Space")}>
        {isPlaying ? "❚❚" : "▶"}
      </button>
      <button type="button" onClick={() => go(state - 1)} aria-label="One state back" title={keyed("One state back", ",")}>
        ‹
      </button>
      <input
        type="range"
        aria-label="Step"
        aria-valuetext={`step ${step}`}
        min={0}
        max={count - 1}
        value={state}
        onInput={(event) => go(Number(event.currentTarget.value))}
      />
      <button type="button" onClick={() => go(state + 1)} aria-label="One state on" title={keyed("One state on", ".")}>
        ›
      </button>
      <select aria-label="States a second" title="States a second" value={speed} onChange={(event) => setSpeed(Number(event.currentTarget.value))}>
        {speeds.map((each) => (
          <option key={each} value={each}>
            {each} / s
          </option>
        ))}
      </select>
      {tour && (
        <button type="button" aria-pressed={tour.isOn} onClick={tour.toggle} title={keyed("Go through the other dimensions", "t")}>
          Tour
        </button>
      )}
      <button type="button" onClick={resetView} title={keyed("The first principal directions again", "r")}>
        Reset view
      </button>
      {children}
    </div>
  );
}
