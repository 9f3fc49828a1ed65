#!/bin/bash
# Runs the service and nginx before it; ends when either ends, and lets both finish what they are at on SIGTERM.
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

# The signal only ends the wait. What follows is done once: aiohttp drops what it is finishing if it is told twice.
trap : TERM INT
status=0
wait -n "$service" "$proxy" || status=$?

# QUIT: nginx takes no more connections and waits for the requests under way.
kill -QUIT "$proxy" 2>/dev/null || true
kill -TERM "$service" 2>/dev/null || true
wait "$service" "$proxy" || true
exit "$status"
