"""Prints what the libraries of trackers read: python read_trackers.py FOLDER…, each with a folder per tracker.

For every folder and tracker an object of runs by name, of metrics by name, of [step, value] in the order of the log.
"""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "python"))
from bh_bridge.scripts.read_logs import stored_records  # wandb reads its files in Go only


def tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    return {"": {tag: [(each.step, each.value) for each in events.Scalars(tag)] for tag in events.Tags()["scalars"]}}


def wandb(folder):
    from wandb.proto import wandb_internal_pb2

    runs = {}
    for path in sorted(folder.rglob("*.wandb"), key=lambda path: path.stat().st_mtime):
        for data in stored_records(path.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            if record.WhichOneof("record_type") == "run":
                run = runs.setdefault(f"{record.run.run_id} {record.run.display_name}", {})
            if record.WhichOneof("record_type") == "history":
                items = record.history.item
                values = {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items}
                for name, value in values.items():
                    if not name.startswith("_") and name != "train/global_step":
                        run.setdefault(name, []).append((values["train/global_step"], value))
    return runs


def mlflow(folder):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder.resolve()}/mlflow.db")
    runs = {}
    for experiment in client.search_experiments():
        for run in client.search_runs([experiment.experiment_id]):
            history = {name: client.get_metric_history(run.info.run_id, name) for name in run.data.metrics}
            runs[f"{run.info.run_name} {run.info.status}"] = {
                name: [
                    (each.step, each.value) for each in sorted(metrics, key=lambda each: (each.step, each.timestamp))
                ]
                for name, metrics in history.items()
            }
    return runs


def trackio(folder):
    os.environ["TRACKIO_DIR"] = str(folder)
    import trackio.utils
    from trackio import sqlite_storage

    sqlite_storage.TRACKIO_DIR = trackio.utils.TRACKIO_DIR = Path(folder)
    store = sqlite_storage.SQLiteStorage
    runs = {}
    for name in store.get_runs("bh-bridge"):
        run = runs.setdefault(name, {})
        for log in store.get_logs("bh-bridge", name):
            for metric, value in log.items():
                if metric not in ("step", "timestamp", "train/global_step"):
                    run.setdefault(metric, []).append((log["train/global_step"], value))
    return runs


os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
readers = {"tensorboard": tensorboard, "wandb": wandb, "mlflow": mlflow, "trackio": trackio}
found = [
    {name: read(Path(folder) / name) for name, read in readers.items() if (Path(folder) / name).exists()}
    for folder in sys.argv[1:]
]
print(json.dumps(found))
