import { useEffect, useRef } from "preact/hooks";

interface Playback {
  isPlaying: boolean;
  /** Positions a second. */
  speed: number;
  /** The position that is asked for, and the last one. */
  at: number;
  last: number;
  /** Whether every picture shows the position that is asked for: none is left behind. */
  isShown: boolean;
  go(at: number): void;
  stop(): void;
}

/** Moves one position for several pictures, no faster than all of them can show it. */
export function usePlayback(playback: Playback): void {
  const newest = useRef(playback);
  newest.current = playback;
  const { isPlaying } = playback;
  useEffect(() => {
    if (!isPlaying) return;
    let frame = 0;
    let before = 0;
    let owed = 0;
    const move = (now: number) => {
      const { speed, at, last, isShown, go, stop } = newest.current;
      if (isShown) owed += before === 0 ? 0 : (Math.min(100, now - before) / 1000) * speed;
      before = now;
      const whole = Math.floor(owed);
      owed -= whole;
      if (isShown && at >= last) {
        stop();
        return;
      }
      if (whole > 0) go(Math.min(last, at + whole));
      frame = requestAnimationFrame(move);
    };
    frame = requestAnimationFrame(move);
    return () => cancelAnimationFrame(frame);
  }, [isPlaying]);
}
