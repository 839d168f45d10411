#!/usr/bin/env bash
# The part of bare_root.sh that runs inside the bare root: the first steps with a new clone of roomcast.
set -euo pipefail

checkout=/root/roomcast
log=/root/run.log

# get PORT PATH: the status line of a GET, without curl.
get() {
  local line
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$2" "$1" >&3
  read -r -t 10 line <&3 || line=''
  exec 3>&-
  printf '%s\n' "${line%$'\r'}"
}

# The default address, or another one if it is in use on this machine.
port=8080
arguments=()
if (exec 3<>/dev/tcp/127.0.0.1/8080) 2>/dev/null; then
  port=$((20000 + RANDOM % 10000))
  arguments=(--listen "http://127.0.0.1:$port")
  echo "port 8080 is taken on this machine: using $port"
fi

# serve_once LIMIT: ./dev run until it answers, at most LIMIT seconds, then SIGTERM; the exit status must be 0.
serve_once() {
  local pid path status deadline=$((SECONDS + $1)) start=$SECONDS
  ./dev run "${arguments[@]}" >"$log" 2>&1 </dev/null &
  pid=$!
  until [[ "$(get "$port" /healthz 2>/dev/null)" == 'HTTP/1.1 200'* ]]; do
    if ! kill -0 "$pid" 2>/dev/null || [[ $SECONDS -gt $deadline ]]; then
      tail -n 60 "$log"
      echo "./dev run did not answer on port $port"
      return 1
    fi
    sleep 0.5
  done
  echo "./dev run answered after $((SECONDS - start)) s"
  for path in / /healthz; do
    status="$(get "$port" "$path")"
    echo "GET $path: $status"
    [[ "$status" == 'HTTP/1.1 200'* ]]
  done
  grep -F "127.0.0.1:$port" "$log"
  kill -TERM "$pid"
  wait "$pid"
}

update-ca-certificates >/dev/null 2>&1
cd "$checkout"
serve_once 1500
echo 'a second time, with nothing to do:'
serve_once 30

if [[ "${1:-}" == --test ]]; then
  ./dev test
fi
