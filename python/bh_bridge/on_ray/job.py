"""The job of a sweep on a Ray cluster, started by entry.sh in the unpacked package.

It holds the workers (one actor each) and a channel to the controller, and ends if the controller stops sending
requests. It does not know the ledger.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import json
import threading

import ray
from ray import cloudpickle

from bh_bridge import on_ray
from bh_bridge.on_ray.channel import TOKEN, listen
from bh_bridge.on_ray.pool import WorkerPool


def main() -> None:
    if not TOKEN:
        raise SystemExit("BH_BRIDGE_CHANNEL_TOKEN is not set: bh-bridge starts this script as a job")
    cloudpickle.register_pickle_by_value(on_ray)  # actors cannot import it by name
    ray.init(log_to_driver=False)
    pool = WorkerPool()
    server = listen(pool)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host, port = server.server_address[:2]
    print("bh-bridge-channel " + json.dumps({"host": host, "port": port}), flush=True)
    pool.wait()
    for worker in list(pool.workers):
        pool.close(worker)


if __name__ == "__main__":
    main()
