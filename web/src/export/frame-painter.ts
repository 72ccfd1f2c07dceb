import { tokenName } from "../../../src/text/names.js";
import type { Camera } from "../../replay/camera.js";
import { Cloud } from "../../replay/cloud.js";
import { CloudPicture, type PictureInput } from "../../replay/cloud-picture.js";
import { type StateBits, stateOfStep } from "../../replay/replayed.js";
import { Shared } from "../../shared/step-cursor.js";
import { States } from "../cloud/states.js";
import type { BasisDocument, HistoryDocument, RowPathDocument } from "../documents.js";
import { shown } from "../figures.js";

/** A replay as it is seen now. */
export interface ReplayedView {
  name: string;
  history: HistoryDocument;
  basis: BasisDocument;
  camera: Camera;
  followed: number | null;
  way: RowPathDocument | undefined;
}

/** Room of the line with name, step and counts above the cloud. */
const headHeight = 34;
const longestWaitMs = 20_000;

/** Paints frames of replays at a size of its own, off the page: the cloud with its labels, and over it the name, the step, C and P. */
export class FramePainter implements Disposable {
  readonly canvas = document.createElement("canvas");
  readonly #host = document.createElement("div");
  readonly #parts: readonly PaintedPart[];

  /** Replays are next to each other where the frame is wide, otherwise one below the other. */
  constructor(views: readonly ReplayedView[], { width, height }: { width: number; height: number }) {
    Object.assign(this.canvas, { width, height });
    this.#host.className = "export-stage"; // in the page, since colours and sizes come from its styles
    document.body.append(this.#host);
    const [across, down] = width >= height ? [views.length, 1] : [1, views.length];
    const size = { width: Math.floor(width / across), height: Math.floor(height / down) };
    this.#parts = views.map((view, index) => ({
      view,
      left: (index % across) * size.width,
      top: Math.floor(index / across) * size.height,
      ...size,
      stage: new HiddenStage(this.#host, view, { width: size.width, height: size.height - headHeight }),
    }));
  }

  /** Paint a step on the canvas. */
  async paint(step: number, signal: AbortSignal): Promise<void> {
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error("The frame cannot be drawn");
    const styles = getComputedStyle(this.#host);
    const [ground = "", ink = "", quiet = "", line = ""] = ["--stage", "--ink", "--quiet", "--line"].map((name) => styles.getPropertyValue(name));
    context.fillStyle = ground;
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    for (const { view, left, top, width, height, stage } of this.#parts) {
      const state = stateOfStep(view.history.steps, step, view.history.states);
      const { C, P } = await stage.drawOn(context, state, { left, top: top + headHeight }, signal);
      context.textBaseline = "middle";
      const counts = `C ${shown(C)}, P ${shown(P)}`;
      write(context, `step ${shown(view.history.steps?.[state] ?? state)}`, { x: left + 14, y: top + 18, font: "600 15px", colour: ink });
      write(context, counts, { x: left + 130, y: top + 18, font: "13px", colour: quiet });
      const from = left + 230;
      write(context, view.name, { x: from, y: top + 18, font: "13px", colour: quiet, room: left + width - from - 12 });
      context.strokeStyle = line;
      context.lineWidth = 1;
      context.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1);
    }
  }

  [Symbol.dispose](): void {
    for (const { stage } of this.#parts) stage.close();
    this.#host.remove();
  }
}

interface PaintedPart {
  view: ReplayedView;
  left: number;
  top: number;
  width: number;
  height: number;
  stage: HiddenStage;
}

/** A cloud that is in the page but not seen. */
class HiddenStage {
  readonly #cloud: Cloud;
  readonly #picture: CloudPicture;
  readonly #states: States;
  readonly #canvases: readonly HTMLCanvasElement[];
  readonly #newest: { current: PictureInput };
  #arrived: () => void = () => undefined;

  constructor(host: HTMLElement, view: ReplayedView, size: { width: number; height: number }) {
    const { history, basis, camera, followed, way } = view;
    const { tokens, dims, dtype } = history;
    const made = [document.createElement("canvas"), document.createElement("canvas")] as const;
    for (const canvas of made) {
      canvas.style.width = `${size.width / devicePixelRatio}px`;
      canvas.style.height = `${size.height / devicePixelRatio}px`;
    }
    host.append(...made);
    this.#canvases = made;
    const nameOf = (row: number) => tokenName(history.ids?.[row] ?? row, history.texts[row]);
    this.#states = new States(history);
    this.#states.listen(() => this.#arrived());
    this.#newest = { current: { history, states: this.#states, nameOf, state: 0, followed, way, hovered: new Shared<number | null>(null) } };
    this.#cloud = new Cloud(made[0], { tokens, dims, dtype }, basis);
    this.#picture = new CloudPicture(this.#cloud, ...made, { basis, camera, newest: this.#newest, dims, dtype });
  }

  async drawOn(context: CanvasRenderingContext2D, state: number, { left, top }: { left: number; top: number }, signal: AbortSignal) {
    this.#newest.current = { ...this.#newest.current, state };
    const bits = await this.#bitsOf(state, signal);
    this.#picture.show(state, bits);
    this.#picture.draw();
    for (const canvas of this.#canvases) context.drawImage(canvas, left, top); // at once: a drawn cloud is kept for one task only
    const { populations = [] } = this.#picture.holes ?? {};
    return { C: populations.length, P: populations.reduce((sum, population) => sum + population, 0) };
  }

  close(): void {
    this.#states.close();
    this.#cloud.close();
  }

  async #bitsOf(state: number, signal: AbortSignal): Promise<StateBits> {
    for (;;) {
      signal.throwIfAborted();
      const bits = this.#states.state(state);
      if (bits) return bits;
      await new Promise<void>((resolve, reject) => {
        const wait = setTimeout(() => reject(new Error("The server does not answer")), longestWaitMs);
        const go = () => {
          clearTimeout(wait);
          resolve();
        };
        this.#arrived = go;
        signal.addEventListener("abort", go, { once: true });
      });
    }
  }
}

interface Writing {
  x: number;
  y: number;
  font: string;
  colour: string;
  /** Width that there is; a longer text is cut. */
  room?: number;
}

function write(context: CanvasRenderingContext2D, text: string, { x, y, font, colour, room }: Writing): void {
  context.font = `${font} system-ui, sans-serif`;
  context.fillStyle = colour;
  let fitting = text;
  while (room !== undefined && fitting.length > 1 && context.measureText(fitting).width > room) fitting = `${fitting.slice(0, -2)}…`;
  if (room === undefined || room > 20) context.fillText(fitting, x, y);
}
