import { expect, test } from "vitest";
import { explainSetupFailure } from "../../../../src/python/setup/setup-steps.js";

// What Debian's venv and pip print when these things happen.
test.each([
  ["ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "The disk is full"],
  [
    "The virtual environment was not created successfully because ensurepip is not available.  On Debian/Ubuntu systems, you need to install the python3-venv",
    "apt install python3-venv",
  ],
  [
    "WARNING: Retrying (Retry(total=0, …)) after connection broken by 'NewConnectionError(': Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/torch/\nERROR: No matching distribution found for torch>=2.6",
    "The server cannot be reached",
  ],
  [
    "ERROR: Could not find a version that satisfies the requirement torch>=2.6 (from versions: none)\nERROR: No matching distribution found for torch>=2.6",
    "no build for this Python and system",
  ],
  ["SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed'))", "set PIP_CERT"],
  ["Error: [Errno 13] Permission denied: '/opt/venv'", "choose another with --dir"],
  ["ERROR: something new", "See the lines above"],
])("%s", (output, remedy) => {
  const explained = explainSetupFailure(output);
  expect(explained).toContain(remedy);
  expect(explained).toMatch(/\. Run the same command again to continue$/);
});
