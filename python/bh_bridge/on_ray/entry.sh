#!/bin/sh
# Starts the module of this folder that is named (job, look) with the Python that Ray itself runs on: the one in the raylet's command, which is an ancestor
# of this process; where the system does not show it, the first on PATH that has Ray.
PYTHONPATH=$(cd "$(dirname "$0")/../.." && pwd)${PYTHONPATH:+:$PYTHONPATH}
PYTHONSAFEPATH=1 # "-m" and "-c" would import from the working folder first
export PYTHONPATH PYTHONSAFEPATH
ancestor=$PPID
while [ "${ancestor:-1}" -gt 1 ] && [ -r "/proc/$ancestor/cmdline" ]; do
  python=$(tr '\0' '\n' <"/proc/$ancestor/cmdline" | sed -n 's/^--python_worker_command=\([^ ]*\) .*/\1/p')
  if [ -n "$python" ]; then exec "$python" -m "bh_bridge.on_ray.$1"; fi
  ancestor=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$ancestor/status")
done
for python in python3 python; do
  if "$python" -c "import ray" 2>/dev/null; then exec "$python" -m "bh_bridge.on_ray.$1"; fi
done
echo "no Python with Ray was found on the head node" >&2
exit 1
