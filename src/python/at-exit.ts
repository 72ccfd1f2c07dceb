const cleanUps = new Set<() => void>();

function runAll(): void {
  for (const cleanUp of cleanUps) cleanUp();
}

/** Run a clean-up when Node exits, unless it is taken back before by calling what is returned. */
export function atExit(cleanUp: () => void): () => void {
  if (cleanUps.size === 0) process.once("exit", runAll);
  cleanUps.add(cleanUp);
  return () => {
    cleanUps.delete(cleanUp);
    if (cleanUps.size === 0) process.off("exit", runAll);
  };
}
