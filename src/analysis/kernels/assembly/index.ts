export { carry, configure, nonfiniteAddress, resultsAddress, scan, seen } from "./timeline";
export { configureRows, hashesAddress, hashRows, rowPairEqual } from "./census";
