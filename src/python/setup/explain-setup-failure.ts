/** What pip or venv says → what it means and what to do. The first that fits counts: a network failure also ends in "no matching distribution". */
const remedies: readonly [RegExp, string][] = [
  [
    /No space left on device|Errno 28\b/,
    "The disk is full: an environment takes about 1.1 GB with a CPU build of torch, 6 GB with CUDA. Free some space, or choose another disk with --dir",
  ],
  [
    /ensurepip is not available|No module named '?(venv|ensurepip)/,
    "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv",
  ],
  [
    /CERTIFICATE_VERIFY_FAILED|SSLError/,
    "The package index's certificate is not trusted: behind a proxy that inspects traffic, set PIP_CERT to its certificate",
  ],
  [
    /Temporary failure in name resolution|Name or service not known|nodename nor servname|getaddrinfo failed|Failed to establish a new connection|Network is unreachable|ProxyError|Connection (refused|reset|broken)|ConnectTimeout|timed out/i,
    "The package index cannot be reached: check the network and the proxy (HTTPS_PROXY), or name a mirror with --index-url",
  ],
  [/No matching distribution found/, "The index has no build for this Python and system: try another Python with --python, or another index with --index-url"],
  [/Permission denied|Errno 13\b|Read-only file system/, "The folder cannot be written to: choose another with --dir"],
  [/THESE PACKAGES DO NOT MATCH THE HASHES/, "A download was damaged: run the same command again"],
];

/** What to do about a failed set-up, from what the failed program said. */
export function explainSetupFailure(output: string): string {
  const remedy = remedies.find(([pattern]) => pattern.test(output))?.[1];
  return `${remedy ?? "See the lines above for the reason"}. Run the same command again to continue`;
}
