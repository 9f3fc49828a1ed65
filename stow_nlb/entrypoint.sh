#!/bin/bash
# Runs the service, and nginx in front of it. Ends when either of them ends; on SIGTERM, both finish their requests.
set -euo pipefail

RUN_DIR=/tmp/stow
mkdir -p "$RUN_DIR"
export LISTEN="0.0.0.0:8080" UPSTREAM="$STOW_HOST:$STOW_PORT" RUN_DIR
python -c 'import os, pathlib, string, sys
template = string.Template(pathlib.Path("stow_nlb/nginx.conf").read_text())
sys.stdout.write(template.substitute(os.environ))' > "$RUN_DIR/nginx.conf"

python -m stow_nlb &
service=$!
nginx -c "$RUN_DIR/nginx.conf" -e stderr &
proxy=$!

# The signal only ends the wait. The service gets one TERM: aiohttp drops unfinished requests at a second signal.
trap : TERM INT
status=0
wait -n "$service" "$proxy" || status=$?

# QUIT: nginx accepts no more connections and waits for the current requests.
kill -QUIT "$proxy" 2>/dev/null || true
kill -TERM "$service" 2>/dev/null || true
wait "$service" "$proxy" || true
exit "$status"
