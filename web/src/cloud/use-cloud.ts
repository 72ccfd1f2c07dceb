import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { setQuery } from "../address.js";
import type { BasisDocument } from "../documents.js";
import { onPaper } from "../printing.js";
import { useTheme } from "../theme.js";
import type { Camera } from "./camera.js";
import { Cloud } from "./cloud.js";
import { CloudPicture, type PictureInput } from "./cloud-picture.js";
import { handlePointer } from "./cloud-pointer.js";
import type { HoleMarks } from "./holes.js";
import { type StateBits, States } from "./states.js";

interface CloudInput extends PictureInput {
  basis: BasisDocument;
  /** The camera, which several pictures can share. */
  camera: Camera;
  /** Whether a drag turns the cloud instead of moving it. */
  isTurning?: boolean;
  isPlaying: boolean;
  isTouring: boolean;
  speed: number;
  onState(state: number): void;
}

/** The canvas with the cloud: it draws when something has changed, and each frame while it moves. */
export function useCloud(input: CloudInput) {
  const { history, basis, camera, followed, hovered } = input;
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
  const { isDark } = useTheme();

  const follow = useCallback((row: number | null) => setQuery({ token: row === null ? "" : String(row) }), []);

  // The cloud stays as long as tokens and dimensions do; a live history that grows changes neither.
  const { id, tokens, dims, dtype, states: count } = history;
  const states = useMemo(() => new States(history, () => redraw.current()), [id]);
  states.grow(history);
  useEffect(() => () => states.close(), [states]);

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
      const found = statesNow.current.state(state);
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

  const statesNow = useRef(states);
  statesNow.current = states;
  useEffect(() => redraw.current(), [input.state, input.isPlaying, input.isTouring, input.way, followed, states, count]);

  useEffect(() => {
    picture.current?.fit();
    redraw.current();
  }, [isDark]);
  const resetView = useCallback(() => camera.reset(), [camera]);
  const fitHole = useCallback((row: number | null) => picture.current?.fitHole(row), []);
  return { canvas, overlay, problem, shownState, holes, bits, follow, isActive, resetView, fitHole };
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
