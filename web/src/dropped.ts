import type { DroppedDocument } from "./documents.js";
import { sendArchive } from "./server.js";

/** What was dropped: a zip as it is, a folder as a zip that this page packs. */
type Dropped = { readonly name: string; readonly archive: () => Promise<Blob> };

/** What a drop, or a choice of files, holds. It has to be asked for before anything is waited for: afterwards the browser has forgotten. */
export function droppedItems(transfer: DataTransfer): Dropped[] {
  return [...transfer.items].flatMap((item): Dropped[] => {
    const entry = item.webkitGetAsEntry();
    if (entry?.isDirectory) return [{ name: `${entry.name}.zip`, archive: () => packed(entry as FileSystemDirectoryEntry) }];
    const file = item.getAsFile();
    return file ? [chosenFile(file)] : [];
  });
}

/** A file that was chosen. */
export function chosenFile(file: File): Dropped {
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
