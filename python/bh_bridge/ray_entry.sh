#!/bin/sh
# Starts ray_job.py, or the script that is named, with the Python that Ray itself runs on: the one in the raylet's command, which is an ancestor of this
# process; where the system does not show it, the first on PATH that has Ray.
here=$(dirname "$0")
ancestor=$PPID
while [ "${ancestor:-1}" -gt 1 ] && [ -r "/proc/$ancestor/cmdline" ]; do
  python=$(tr '\0' '\n' <"/proc/$ancestor/cmdline" | sed -n 's/^--python_worker_command=\([^ ]*\) .*/\1/p')
  if [ -n "$python" ]; then exec "$python" "$here/${1:-ray_job.py}"; fi
  ancestor=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$ancestor/status")
done
for python in python3 python; do
  if "$python" -c "import ray" 2>/dev/null; then exec "$python" "$here/${1:-ray_job.py}"; fi
done
echo "no Python with Ray was found on the head node" >&2
exit 1
