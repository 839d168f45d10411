#!/usr/bin/env bash
# Builds the container image for real and starts the server in it, on a machine that reaches no image registry:
#   tests/front_door/image.sh [PORT]
# The base image is made with debootstrap, with this machine's mirror, proxies and certificates. Needs root,
# debootstrap and buildah. The image stays behind as localhost/roomcast:check.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
checkout="$(cd "$here/../.." && pwd)"
scratch="${ROOMCAST_IMAGE_CHECK:-/tmp/roomcast-image}"
# shellcheck source=tests/front_door/debian_root.sh
source "$here/debian_root.sh"
base=localhost/roomcast-base:trixie
image=localhost/roomcast:check
port="${1:-$((20000 + RANDOM % 10000))}"
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER="${STORAGE_DRIVER:-vfs}"

container=''
server=''
cleanup() {
  [[ -z "$server" ]] || kill "$server" 2>/dev/null || true
  [[ -z "$container" ]] || buildah rm "$container" >/dev/null || true
}
trap cleanup EXIT

mkdir -p "$scratch"
if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
  unpacked="$(mktemp -d "$scratch/base.XXXXXX")"
  unpack_root trixie "$scratch" "$unpacked"
  # An image has no business with this machine's npm settings.
  rm -f "$unpacked/root/.npmrc"
  container="$(buildah from scratch)"
  buildah add --quiet "$container" "$unpacked" / >/dev/null
  buildah commit --quiet "$container" "$base" >/dev/null
  buildah rm "$container" >/dev/null
  container=''
  rm -rf --one-file-system "$unpacked"
fi

# The committed state, as built from a clone.
rm -rf "$scratch/context"
git clone --quiet --no-hardlinks "$checkout" "$scratch/context"
(cd "$scratch/context" && ROOMCAST_BASE_IMAGE="$base" ./dev image "$image")

inspect() { buildah inspect --type image --format "$1" "$image"; }
[[ "$(inspect '{{.Docker.Config.User}}')" == 10001:10001 ]] || { echo 'the image does not run as 10001, a number'; exit 1; }
mapfile -t entry < <(inspect '{{range .Docker.Config.Entrypoint}}{{println .}}{{end}}')
[[ "${entry[*]:0:2}" == '/usr/bin/roomcast --default' ]] || { echo 'the image does not start roomcast'; exit 1; }
mapfile -t health < <(inspect '{{range .Docker.Config.Healthcheck.Test}}{{println .}}{{end}}')
[[ "${health[0]}" == CMD ]] || { echo 'the image has no health check'; exit 1; }

megabytes() {
  local container
  container="$(buildah from --pull-never "$1")"
  du -sm "$(buildah mount "$container")" | cut -f1
  buildah rm "$container" >/dev/null
}
echo "the image holds $(megabytes "$image") MB of files, its bare base $(megabytes "$base") MB"

# get PATH: the status line.
get() {
  local line
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$1" "$port" >&3
  read -r -t 10 line <&3
  exec 3>&-
  printf '%s\n' "${line%$'\r'}"
}

container="$(buildah from --pull-never "$image")"
in_image() { buildah run --network host --env "HEALTH_PORT=$port" "$container" -- "$@"; }
# Arguments must not remove the setting that makes the image reachable.
in_image "${entry[@]/8080/$port}" --set drain_seconds=0 &
server=$!
for ((i = 0; i < 100; i++)); do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  kill -0 "$server" 2>/dev/null || { echo 'the server in the image did not start'; exit 1; }
  sleep 0.2
done
pid="$(pgrep -n -f "^/usr/bin/roomcast --default .*:$port")"
[[ "$(stat -c %u "/proc/$pid")" != 0 ]] || { echo 'the server in the image runs as root'; exit 1; }

for path in / /healthz; do
  status="$(get "$path")"
  echo "GET $path: $status"
  [[ "$status" == 'HTTP/1.1 200'* ]]
done
in_image "${health[@]:1}"
echo 'the health check passes'
kill -TERM "$pid"
wait "$server"
server=''
if in_image "${health[@]:1}" 2>/dev/null; then echo 'the health check passes with no server'; exit 1; fi
echo 'image: passed'
