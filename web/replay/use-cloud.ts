import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { onPaper } from "../shared/on-paper.js";
import type { Camera } from "./camera.js";
import { Cloud } from "./cloud.js";
import { CloudPicture, type PictureInput } from "./cloud-picture.js";
import { handlePointer } from "./cloud-pointer.js";
import type { HoleMarks } from "./holes.js";
import type { ReplayedBasis, StateBits } from "./replayed.js";

interface CloudInput extends PictureInput {
  basis: ReplayedBasis;
  /** The camera, which several pictures can share. */
  camera: Camera;
  /** Whether a drag turns the cloud instead of moving it. */
  isTurning?: boolean;
  /** Whether the colours are those of a dark page. */
  isDark: boolean;
  isPlaying: boolean;
  isTouring?: boolean;
  speed: number;
  follow(row: number | null): void;
  onState(state: number): void;
}

/** The canvas with the cloud: it draws when something has changed, and each frame while it moves. */
export function useCloud(input: CloudInput) {
  const { history, states, basis, camera, followed, hovered, follow, isDark } = input;
  const canvas = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const newest = useRef(input);
  newest.current = input;
  const [problem, setProblem] = useState<string>();
  const [shownState, setShownState] = useState(input.state);
  const [holes, setHoles] = useState<HoleMarks>();
  const [bits, setBits] = useState<StateBits>();
  const [isActive, setActive] = useState(false);
  const picture = useRef<CloudPicture | undefined>(undefined);
  const turns = useRef(false);
  turns.current = input.isTurning ?? false;
  const redraw = useRef<() => void>(() => undefined);

  // The cloud stays as long as tokens and dimensions do; a live history that grows changes neither.
  const { id, tokens, dims, dtype, states: count } = history;
  useEffect(() => states.listen(() => redraw.current()), [states]);

  useEffect(() => {
    const element = canvas.current;
    const labels = overlay.current;
    if (!element || !labels) return;
    let cloud: Cloud;
    try {
      cloud = new Cloud(element, { tokens, dims, dtype }, basis);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      return;
    }
    const made = new CloudPicture(cloud, element, labels, { basis, camera, newest, dims, dtype });
    picture.current = made;
    const { request, stop } = animated(made, camera, newest, (state) => {
      const found = newest.current.states.state(state);
      if (found && made.show(state, found)) {
        setShownState(state);
        setHoles(made.holes);
        setBits(found);
      }
      return found !== undefined;
    });
    redraw.current = request;
    const resize = new ResizeObserver(() => {
      made.fit();
      request();
    });
    resize.observe(element);
    const leave = camera.join(request);
    const undo = handlePointer(element, made, { camera, turns, follow, hovered, setActive });
    const unhear = hovered.listen(request);
    const endPaper = onPaper(() => {
      made.fit();
      made.draw();
      drawBelow(labels, element);
      request();
    });
    request();
    return () => {
      endPaper();
      stop();
      leave();
      resize.disconnect();
      undo();
      unhear();
      cloud.close();
      picture.current = undefined;
      redraw.current = () => undefined;
    };
  }, [id, tokens, dims, dtype, basis, camera, follow, hovered]);

  useEffect(() => redraw.current(), [input.state, input.isPlaying, input.isTouring, input.way, followed, states, count]);

  useEffect(() => {
    picture.current?.fit();
    redraw.current();
  }, [isDark]);
  const resetView = useCallback(() => camera.reset(), [camera]);
  const fitHole = useCallback((row: number | null) => picture.current?.fitHole(row), []);
  return { canvas, overlay, problem, shownState, holes, bits, isActive, resetView, fitHole };
}

/** Draw the cloud below its labels: the browser clears the picture of WebGL before it prints the page. */
function drawBelow(labels: HTMLCanvasElement, cloud: HTMLCanvasElement): void {
  const context = labels.getContext("2d");
  if (!context) return;
  context.save();
  context.resetTransform();
  context.globalCompositeOperation = "destination-over";
  context.drawImage(cloud, 0, 0);
  context.restore();
}

/**
 * Draws a picture when something has changed, and each frame while it plays or tours.
 *
 * @param show takes a state into the picture; returns whether it is there.
 */
function animated(picture: CloudPicture, camera: Camera, newest: { readonly current: CloudInput }, show: (state: number) => boolean) {
  let frame = 0;
  let before = 0;
  let owed = 0;
  const draw = (now: number) => {
    frame = 0;
    const { isPlaying, isTouring, speed, state, history, onState } = newest.current;
    const seconds = before === 0 ? 0 : Math.min(0.1, (now - before) / 1000);
    before = isPlaying || isTouring ? now : 0;
    if (isTouring) {
      camera.angle.tour(seconds);
      camera.changed();
    }
    const isThere = show(state);
    picture.draw();
    if (isPlaying && isThere) {
      owed += seconds * speed;
      const steps = Math.floor(owed);
      owed -= steps;
      if (steps > 0) onState(Math.min(history.states - 1, state + steps));
    }
    if (isPlaying || isTouring) request();
  };
  const request = () => {
    if (frame === 0) frame = requestAnimationFrame(draw);
  };
  return { request, stop: () => cancelAnimationFrame(frame) };
}
