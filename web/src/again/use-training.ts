import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Snapshot, TrainingOrder, WorkerMessage, WorkerOrder } from "../../shared/portable/messages.js";

/** A training in a worker, as far as it is. */
export interface LiveTraining {
  readonly state: "idle" | "loading" | "running" | "paused" | "done" | "failed";
  /** One per step, from step 0. The same array grows. */
  readonly snapshots: readonly Snapshot[];
  readonly problem: string | undefined;
}

const idle: LiveTraining = { state: "idle", snapshots: [], problem: undefined };

/** Start, pause and end trainings in a worker, one at a time. @param open a new worker. */
export function useTraining(open: () => Worker) {
  const [training, setTraining] = useState<LiveTraining>(idle);
  const worker = useRef<Worker | undefined>(undefined);
  const end = useCallback(() => {
    worker.current?.terminate();
    worker.current = undefined;
  }, []);
  useEffect(() => end, [end]);
  const start = useCallback(
    async (prepare: () => Promise<TrainingOrder>) => {
      end();
      setTraining({ ...idle, state: "loading" });
      try {
        const order = await prepare();
        const opened = open();
        worker.current = opened;
        const snapshots: Snapshot[] = [];
        opened.addEventListener("message", ({ data }: MessageEvent<WorkerMessage>) => {
          if (worker.current !== opened) return;
          if (data.kind === "snapshot") {
            snapshots.push(data);
            setTraining(({ state }) => ({ state: state === "paused" ? state : "running", snapshots, problem: undefined }));
          } else setTraining({ state: data.kind, snapshots, problem: data.kind === "failed" ? data.message : undefined });
        });
        opened.addEventListener("error", ({ message }) => setTraining({ state: "failed", snapshots, problem: message || "The worker could not be started." }));
        opened.postMessage({ kind: "train", order } satisfies WorkerOrder);
      } catch (error) {
        setTraining({ ...idle, state: "failed", problem: error instanceof Error ? error.message : String(error) });
      }
    },
    [end, open],
  );
  const stop = useCallback(() => {
    end();
    setTraining((before) => ({ ...before, state: before.snapshots.length > 0 ? "done" : "idle" }));
  }, [end]);
  const pause = useCallback((isPaused: boolean) => {
    worker.current?.postMessage({ kind: "pause", isPaused } satisfies WorkerOrder);
    setTraining((before) => ({ ...before, state: isPaused ? "paused" : "running" }));
  }, []);
  return { training, start, stop, pause };
}
