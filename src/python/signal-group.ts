/** Signal a process and those that it started; false when it leads no group of its own. */
export function signalGroup(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(-pid, name);
  } catch {
    return false; // it has not left Node's group yet, or has ended
  }
}
