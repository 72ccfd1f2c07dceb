import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { setQuery } from "../address.js";
import type { BasisDocument } from "../documents.js";
import { useTheme } from "../theme.js";
import { Cloud } from "./cloud.js";
import { CloudPicture, type PictureInput } from "./cloud-picture.js";
import { handlePointer } from "./cloud-pointer.js";
import type { HoleMarks } from "./holes.js";
import { States } from "./states.js";
import { Camera } from "./view-angle.js";

interface CloudInput extends PictureInput {
  basis: BasisDocument;
  /** The camera of several pictures; a picture has its own by default. */
  camera?: Camera;
  isPlaying: boolean;
  isTouring: boolean;
  speed: number;
  onState(state: number): void;
}

/** The canvas with the cloud: it draws when something has changed, and each frame while it moves. */
export function useCloud(input: CloudInput) {
  const { history, basis, followed, hovered } = input;
  const canvas = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const newest = useRef(input);
  newest.current = input;
  const [problem, setProblem] = useState<string>();
  const [shownState, setShownState] = useState(input.state);
  const [holes, setHoles] = useState<HoleMarks>();
  const camera = useMemo(() => input.camera ?? new Camera(basis), [input.camera, basis]);
  const redraw = useRef<() => void>(() => undefined);
  const { isDark } = useTheme();

  const follow = useCallback((row: number | null) => setQuery({ token: row === null ? "" : String(row) }), []);

  // The cloud stays as long as tokens and dimensions do; a live history that grows changes neither.
  const { id, tokens, dims, dtype, states: count } = history;
  const states = useMemo(() => new States(history, () => redraw.current()), [id, count]);
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
    const picture = new CloudPicture(cloud, element, labels, { basis, angle: camera.angle, zoom: camera.zoom, newest, dims, dtype });
    const { request, stop } = animated(picture, camera, newest, (state) => {
      const found = statesNow.current.state(state);
      if (found && picture.show(state, found)) {
        setShownState(state);
        setHoles(picture.holes);
      }
      return found !== undefined;
    });
    redraw.current = request;
    const resize = new ResizeObserver(() => {
      picture.fit();
      request();
    });
    resize.observe(element);
    const leave = camera.join(request);
    const undo = handlePointer(element, picture, { angle: camera.angle, zoom: camera.zoom, request: () => camera.changed(), follow, hovered });
    const unhear = hovered.listen(request);
    request();
    return () => {
      stop();
      leave();
      resize.disconnect();
      undo();
      unhear();
      cloud.close();
      redraw.current = () => undefined;
    };
  }, [id, tokens, dims, dtype, basis, camera, follow, hovered]);

  const statesNow = useRef(states);
  statesNow.current = states;
  useEffect(() => redraw.current(), [input.state, input.isPlaying, input.isTouring, input.way, followed, isDark, states]);

  const resetView = useCallback(() => camera.reset(), [camera]);
  return { canvas, overlay, problem, shownState, holes, follow, resetView };
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
