#!/usr/bin/env bash
# Proves the front door on a machine with nothing but git and ca-certificates:
#   tests/front_door/bare_root.sh bookworm|trixie [--test]
# Lays out a bare Debian with debootstrap, clones what is committed here into it, and runs ./dev run there (and with
# --test ./dev test as well). Needs root and debootstrap. Mirror, proxies and certificates are this machine's own.
# Everything is mounted in a separate mount namespace, which ends with the run: nothing can stay mounted.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
checkout="$(cd "$here/../.." && pwd)"
# shellcheck source=tests/front_door/debian_root.sh
source "$here/debian_root.sh"
scratch="${ROOMCAST_BARE_ROOT:-/tmp/roomcast-bare-root}"
suite="${1:-}"
[[ "$suite" == bookworm || "$suite" == trixie ]] || { echo "usage: $0 bookworm|trixie [--test]" >&2; exit 2; }
[[ $EUID -eq 0 ]] || { echo 'bare_root: needs root (debootstrap, mount)' >&2; exit 1; }

root=''
cleanup() { [[ -z "$root" ]] || rm -rf --one-file-system "$root"; }
trap cleanup EXIT

mkdir -p "$scratch"
root="$(mktemp -d "$scratch/$suite.XXXXXX")"
unpack_root "$suite" "$scratch" "$root"
git clone --quiet --no-hardlinks "$checkout" "$root/root/roomcast"
install -m 755 "$here/inside.sh" "$root/root/inside.sh"

# Only variables that name a registry or a proxy are passed on; the scripts must do without all others.
mapfile -t passed < <(env | grep -iE '^((http|https|no)_proxy|npm_config_[a-z_]*|NODE_EXTRA_CA_CERTS)=' || true)

# shellcheck disable=SC2016 # expanded by the inner shell
unshare --mount --pid --fork --kill-child bash -euc '
  root="$1"; shift
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount --bind /dev "$root/dev"
  mount -t tmpfs -o size=2g,mode=1777 tmpfs "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  exec env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
' bare_root "$root" "${passed[@]}" chroot "$root" /root/inside.sh "${2:-}"
echo "bare_root: $suite passed"
