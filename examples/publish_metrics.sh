#!/bin/sh
# Publishes the load of this machine into a room, once a second, with nothing but curl.
#
#   examples/publish_metrics.sh [SERVER [ROOM]]      default: http://127.0.0.1:8080 and demo/metrics
#
# Watch it on SERVER/live.html?room=ROOM. Number and interval of messages: COUNT (endless), INTERVAL (seconds).

server=${1:-http://127.0.0.1:8080}
room=${2:-demo/metrics}
count=${COUNT:--1}

while [ "$count" -ne 0 ]; do
  # "… load average: 0.31, 0.25, 0.20"; macOS writes "averages" and leaves out the commas.
  load=$(LC_ALL=C uptime | sed 's/.*average[s]*: *//; s/[, ].*//')
  processes=$(ps -A | wc -l)
  curl --silent --show-error --fail --max-time 10 --output /dev/null \
    --header 'Content-Type: application/json' \
    --data "{\"load\":$load,\"processes\":$((processes))}" \
    "$server/rooms/$room" || echo "not published; trying again" >&2
  count=$((count - 1))
  [ "$count" -eq 0 ] || sleep "${INTERVAL:-1}"
done
