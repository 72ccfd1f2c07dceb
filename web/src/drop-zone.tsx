import { useEffect, useState } from "preact/hooks";
import { hrefOf } from "./address.js";
import { chosenFile, droppedItems, sendDropped } from "./dropped.js";
import { wordsOf } from "./server.js";

/** Opens runs that are dropped anywhere on the page, as a zip or a folder, or chosen by a button. They go to this page's own server and no further. */
export function DropZone() {
  const [isOver, setOver] = useState(false);
  const [words, setWords] = useState("");
  const open = async (items: Parameters<typeof sendDropped>[0]) => {
    if (items.length === 0) return;
    setWords(`Opening ${items.map(({ name }) => name).join(", ")} …`);
    try {
      const { runs, plans } = await sendDropped(items);
      setWords("");
      const [run] = runs;
      const [plan] = plans;
      if (runs.length === 1 && run !== undefined) location.hash = hrefOf("run", run);
      else if (runs.length === 0 && plans.length === 1 && plan !== undefined) location.hash = hrefOf("plan", plan);
      else location.hash = hrefOf("runs");
    } catch (error) {
      setWords(wordsOf(error));
    }
  };
  useEffect(() => {
    const isOfFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") === true;
    const over = (event: DragEvent) => {
      if (!isOfFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent) => {
      setOver(false);
      if (!event.dataTransfer || !isOfFiles(event)) return;
      event.preventDefault();
      void open(droppedItems(event.dataTransfer));
    };
    window.addEventListener("dragover", over);
    window.addEventListener("dragleave", leave);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragover", over);
      window.removeEventListener("dragleave", leave);
      window.removeEventListener("drop", drop);
    };
  }, []);
  return (
    <>
      <span role="status" class="opening">
        {words}
      </span>
      <label class="button small choose-file" title="Or drop a run's folder or its zip anywhere on the page">
        Open zip …
        <input
          type="file"
          accept=".zip,application/zip"
          multiple
          onChange={({ currentTarget }) => {
            void open([...(currentTarget.files ?? [])].map(chosenFile));
            currentTarget.value = "";
          }}
        />
      </label>
      {isOver && <div class="drop-here">Drop a run’s folder, or a zip of it. It is opened by the server of this page, and goes nowhere else</div>}
    </>
  );
}
