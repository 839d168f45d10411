#!/usr/bin/env bash
# Proves the front door on a machine with nothing but git and ca-certificates:
#   tests/front_door/bare_root.sh bookworm|trixie [--test]
# Lays out a bare Debian with debootstrap, clones what is committed here into it, and runs ./dev run there (and with
# --test ./dev test as well). Needs root and debootstrap. Mirror, proxies and certificates are this machine's own.
# Everything is mounted inside a mount namespace of its own, which ends with the run: nothing can stay mounted.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
checkout="$(cd "$here/../.." && pwd)"
scratch="${ROOMCAST_BARE_ROOT:-/tmp/roomcast-bare-root}"
suite="${1:-}"
[[ "$suite" == bookworm || "$suite" == trixie ]] || { echo "usage: $0 bookworm|trixie [--test]" >&2; exit 2; }
[[ $EUID -eq 0 ]] || { echo 'bare_root: needs root (debootstrap, mount)' >&2; exit 1; }

# shellcheck disable=SC2016 # apt's own placeholders
# repository LABEL: the address this machine gets that part of Debian from.
repository() {
  apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
    awk -v label="$1" '$1 == label { print $2; exit }'
}

# make_tarball FILE: a bare root, kept for the next run.
make_tarball() {
  local build mirror security
  mirror="$(repository Debian)"
  security="$(repository Debian-Security)"
  [[ -n "$mirror" ]] || { echo 'bare_root: run apt-get update first' >&2; exit 1; }
  build="$(mktemp -d "$scratch/$suite.build.XXXXXX")"
  debootstrap --variant=minbase --include=git,ca-certificates "$suite" "$build" "$mirror"
  {
    echo "deb $mirror $suite main"
    echo "deb $mirror $suite-updates main"
    [[ -z "$security" ]] || echo "deb $security $suite-security main"
  } >"$build/etc/apt/sources.list"
  # As bare as the published images: no lists, so that ./dev has to fetch them.
  rm -rf "$build"/var/lib/apt/lists/* "$build"/var/cache/apt/archives/*.deb
  tar -C "$build" -cf "$1.part" . && mv "$1.part" "$1"
  rm -rf "$build"
}

# What this machine needs to reach its registries: proxies, certificates, name service.
copy_network_settings() {
  local root="$1" certificate
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  apt-config dump | grep -E '^Acquire::(http|https|ftp|Check-|Retries|ForceIPv4)' >"$root/etc/apt/apt.conf.d/99host" || true
  mkdir -p "$root/usr/local/share/ca-certificates"
  for certificate in /usr/local/share/ca-certificates/*.crt; do
    [[ ! -e "$certificate" ]] || cp "$certificate" "$root/usr/local/share/ca-certificates/"
  done
  cat /etc/npmrc "${HOME:-/root}/.npmrc" >"$root/root/.npmrc" 2>/dev/null || true
  chmod 600 "$root/root/.npmrc"
}

root=''
cleanup() { [[ -z "$root" ]] || rm -rf --one-file-system "$root"; }
trap cleanup EXIT

mkdir -p "$scratch"
tarball="$scratch/$suite.tar"
[[ -f "$tarball" ]] || make_tarball "$tarball"
root="$(mktemp -d "$scratch/$suite.XXXXXX")"
tar -C "$root" -xf "$tarball"
copy_network_settings "$root"
git clone --quiet --no-hardlinks "$checkout" "$root/root/roomcast"
install -m 755 "$here/inside.sh" "$root/root/inside.sh"

# Only what names a registry or a proxy is passed on; everything else the scripts must do without.
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
