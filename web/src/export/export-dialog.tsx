import "./export.css";
import { useEffect, useRef, useState } from "preact/hooks";
import { saveFile } from "../../shared/save-file.js";
import { shown, bytes as sizeInWords } from "../figures.js";
import { gifEncoder, pixelsOf, webmEncoder } from "./encoders.js";
import { FramePainter, type ReplayedView } from "./frame-painter.js";

interface ExportProps {
  /** One replay, or the two of a pair. */
  views(): readonly ReplayedView[];
  /** Recorded steps, ascending, and the one that is shown. */
  steps: readonly number[];
  step: number;
}

interface Wanted {
  format: "webm" | "gif" | "png";
  size: string;
  from: number;
  to: number;
  /** Every nth recorded step. */
  every: number;
  frameMs: number;
}

const sizes = ["640×480", "960×720", "1280×720", "1920×1080", "720×1280"];
/** Milliseconds a frame, as GIF can have them. */
const paces = [200, 100, 50, 40, 20];
/** Frames that a film has by default at most. */
const usualFrames = 400;

/** A button that saves the replay as a film or a picture, made in this browser. */
export function ExportButton(props: ExportProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" aria-haspopup="dialog" title="Save as WebM, GIF or PNG" onClick={() => setOpen(true)}>
        Save …
      </button>
      {isOpen && <ExportDialog {...props} close={() => setOpen(false)} />}
    </>
  );
}

function ExportDialog({ views, steps, step, close }: ExportProps & { close(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const running = useRef<AbortController | undefined>(undefined);
  const [done, setDone] = useState<number>();
  const [said, setSaid] = useState("");
  const [wanted, setWanted] = useState<Wanted>({
    format: "webm",
    size: "960×720",
    from: steps[0] ?? 0,
    to: steps.at(-1) ?? 0,
    every: Math.max(1, Math.ceil(steps.length / usualFrames)),
    frameMs: 40,
  });
  useEffect(() => {
    dialog.current?.showModal();
    return () => running.current?.abort();
  }, []);
  const set = (change: Partial<Wanted>) => setWanted((before) => ({ ...before, ...change }));
  const isFilm = wanted.format !== "png";
  const chosen = isFilm ? chosenSteps(steps, wanted) : [step];
  const save = async () => {
    const controller = new AbortController();
    running.current = controller;
    setDone(0);
    setSaid("");
    try {
      const { name, blob } = await exported(views(), chosen, wanted, { signal: controller.signal, onFrame: setDone });
      saveFile(name, blob);
      setSaid(`Saved ${name}, ${sizeInWords(blob.size)}.`);
    } catch (error) {
      setSaid(controller.signal.aborted ? "Cancelled. Nothing was saved." : error instanceof Error ? error.message : String(error));
    } finally {
      running.current = undefined;
      setDone(undefined);
    }
  };
  return (
    <dialog ref={dialog} class="export" aria-label="Save the replay" onClose={close}>
      <h3>Save the replay</h3>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <ExportFields {...{ wanted, set, steps, step, isFilm }} isBusy={done !== undefined} />
        <p class="note">
          {isFilm ? `${shown(chosen.length)} frames, ${shown((chosen.length * wanted.frameMs) / 1000)} s. ` : ""}Seen as the replay is now, with the step
          written on it. Made in this browser; nothing is sent.
        </p>
        <p role="status">
          {done === undefined ? said : `Frame ${shown(done)} of ${shown(chosen.length)}`}
          {done !== undefined && <progress value={done} max={chosen.length} aria-label="Frames" />}
        </p>
        <div class="buttons">
          {done === undefined ? (
            <button type="submit" class="primary" disabled={chosen.length === 0}>
              Save
            </button>
          ) : (
            <button type="button" class="danger" onClick={() => running.current?.abort()}>
              Cancel
            </button>
          )}
          <button type="button" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </div>
      </form>
    </dialog>
  );
}

interface FieldsProps {
  wanted: Wanted;
  set(change: Partial<Wanted>): void;
  steps: readonly number[];
  step: number;
  isFilm: boolean;
  isBusy: boolean;
}

function ExportFields({ wanted, set, steps, step, isFilm, isBusy }: FieldsProps) {
  const first = steps[0] ?? 0;
  const last = steps.at(-1) ?? 0;
  return (
    <fieldset disabled={isBusy}>
      <label>
        Format
        <select value={wanted.format} onChange={({ currentTarget }) => set({ format: currentTarget.value as Wanted["format"] })}>
          <option value="webm">WebM</option>
          <option value="gif">GIF</option>
          <option value="png">PNG of step {step}</option>
        </select>
      </label>
      <label>
        Size
        <select value={wanted.size} onChange={({ currentTarget }) => set({ size: currentTarget.value })}>
          {sizes.map((size) => (
            <option key={size}>{size}</option>
          ))}
        </select>
      </label>
      {isFilm && (
        <>
          <NumberField label="From step" value={wanted.from} min={first} max={last} onValue={(from) => set({ from })} />
          <NumberField label="To step" value={wanted.to} min={first} max={last} onValue={(to) => set({ to })} />
          <NumberField label="Every nth recorded step" value={wanted.every} min={1} max={steps.length} onValue={(every) => set({ every })} />
          <label>
            Frames a second
            <select value={wanted.frameMs} onChange={({ currentTarget }) => set({ frameMs: Number(currentTarget.value) })}>
              {paces.map((ms) => (
                <option key={ms} value={ms}>
                  {1000 / ms}
                </option>
              ))}
            </select>
          </label>
        </>
      )}
    </fieldset>
  );
}

interface NumberFieldProps {
  label: string;
  value: number;
  min: number;
  max: number;
  onValue(value: number): void;
}

function NumberField({ label, value, min, max, onValue }: NumberFieldProps) {
  return (
    <label>
      {label}
      <input type="number" value={value} min={min} max={max} step={1} required onInput={({ currentTarget }) => onValue(currentTarget.valueAsNumber)} />
    </label>
  );
}

/** The recorded steps of a range, every nth of them, always with the last. */
function chosenSteps(steps: readonly number[], { from, to, every }: Pick<Wanted, "from" | "to" | "every">): number[] {
  const inside = steps.filter((step) => step >= from && step <= to);
  return inside.filter((_, index) => index % Math.max(1, every) === 0 || index === inside.length - 1);
}

async function exported(
  views: readonly ReplayedView[],
  steps: readonly number[],
  { format, size, frameMs }: Wanted,
  { signal, onFrame }: { signal: AbortSignal; onFrame(done: number): void },
): Promise<{ name: string; blob: Blob }> {
  const [width = 640, height = 480] = size.split("×").map(Number);
  using painter = new FramePainter(views, { width, height });
  const subject = views.map(({ name }) => name.replaceAll(/[^\w.-]+/g, "-")).join("-and-");
  if (format === "png") {
    await painter.paint(steps[0] ?? 0, signal);
    const blob = await new Promise<Blob | null>((resolve) => painter.canvas.toBlob(resolve));
    if (!blob) throw new Error("The picture cannot be encoded");
    return { name: `${subject}-step-${steps[0]}.png`, blob };
  }
  const film = { width, height, frameMs };
  const encoder = format === "webm" ? await webmEncoder(film) : await gifEncoder(film, await samplesOf(painter, steps, signal));
  try {
    for (const [index, step] of steps.entries()) {
      await painter.paint(step, signal);
      await encoder.add(painter.canvas);
      onFrame(index + 1);
    }
    return { name: `${subject}-steps-${steps[0]}-${steps.at(-1)}.${format}`, blob: await encoder.finish() };
  } finally {
    encoder.close();
  }
}

/** Pixels of a few frames from the first to the last. */
async function samplesOf(painter: FramePainter, steps: readonly number[], signal: AbortSignal): Promise<Uint8ClampedArray[]> {
  const samples: Uint8ClampedArray[] = [];
  for (const share of [0, 0.1, 0.5, 1]) {
    await painter.paint(steps[Math.round(share * (steps.length - 1))] ?? 0, signal);
    samples.push(pixelsOf(painter.canvas).slice());
  }
  return samples;
}
