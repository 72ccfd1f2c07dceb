import TrainingWorker from "../../shared/portable/worker.js?worker";
import { getBytes } from "../server.js";
import { useTitle } from "../title.js";
import { TryIt } from "./try-it.js";

/** The page Try it, as the server has it. */
export function TryView() {
  useTitle("Try it");
  return <TryIt library={() => getBytes("/api/library")} text={async () => new Uint8Array(await getBytes("/api/text"))} worker={() => new TrainingWorker()} />;
}
