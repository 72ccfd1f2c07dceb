import { useEffect, useState } from "preact/hooks";
import { hrefOf } from "../address.js";
import type { DroppedDocument } from "../documents.js";
import { sendArchive, wordsOf } from "../server.js";

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

/** What was dropped: a zip as it is, a folder as a zip that this page packs. */
type Dropped = { readonly name: string; readonly archive: () => Promise<Blob> };

/** What a drop, or a choice of files, holds. It has to be asked for before anything is waited for: afterwards the browser has forgotten. */
function droppedItems(transfer: DataTransfer): Dropped[] {
  return [...transfer.items].flatMap((item): Dropped[] => {
    const entry = item.webkitGetAsEntry();
    if (entry?.isDirectory) return [{ name: `${entry.name}.zip`, archive: () => packed(entry as FileSystemDirectoryEntry) }];
    const file = item.getAsFile();
    return file ? [chosenFile(file)] : [];
  });
}

/** A file that was chosen. */
function chosenFile(file: File): Dropped {
  return { name: file.name, archive: async () => file };
}

/** Send what was dropped to this page's own server, one after the other. @returns what was in it. */
export async function sendDropped(items: readonly Dropped[]): Promise<Pick<DroppedDocument, "runs" | "plans">> {
  const found: { runs: string[]; plans: string[] } = { runs: [], plans: [] };
  for (const { name, archive } of items) {
    const { runs, plans } = await sendArchive(name, await archive());
    found.runs.push(...runs);
    found.plans.push(...plans);
  }
  return found;
}

async function packed(folder: FileSystemDirectoryEntry): Promise<Blob> {
  const { downloadZip } = await import("client-zip");
  return await downloadZip(filesIn(folder, folder.name)).blob();
}

async function* filesIn(folder: FileSystemDirectoryEntry, path: string): AsyncGenerator<{ name: string; input: File }> {
  const reader = folder.createReader();
  for (let entries = await read(reader); entries.length > 0; entries = await read(reader)) {
    for (const entry of entries) {
      const name = `${path}/${entry.name}`;
      if (entry.isDirectory) yield* filesIn(entry as FileSystemDirectoryEntry, name);
      else yield { name, input: await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)) };
    }
  }
}

/** Some of a folder's entries; none at its end. */
function read(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}
