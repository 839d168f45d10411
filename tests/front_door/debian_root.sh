# shellcheck shell=bash
# A bare Debian in a folder, for bare_root.sh and image.sh. Nothing here names a host: where packages come from is
# read off this machine's own settings.

# shellcheck disable=SC2016 # apt's own placeholders
# repository LABEL: the address this machine gets that part of Debian from.
repository() {
  apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
    awk -v label="$1" '$1 == label { print $2; exit }'
}

# make_tarball SUITE FILE
make_tarball() {
  local suite="$1" build mirror security
  mirror="$(repository Debian)"
  security="$(repository Debian-Security)"
  [[ -n "$mirror" ]] || { echo 'no Debian mirror is known: run apt-get update first' >&2; return 1; }
  build="$(mktemp -d "$2.build.XXXXXX")"
  debootstrap --variant=minbase --include=git,ca-certificates "$suite" "$build" "$mirror"
  {
    echo "deb $mirror $suite main"
    echo "deb $mirror $suite-updates main"
    [[ -z "$security" ]] || echo "deb $security $suite-security main"
  } >"$build/etc/apt/sources.list"
  # As bare as the published images: no lists, so that ./dev has to fetch them.
  rm -rf "$build"/var/lib/apt/lists/* "$build"/var/cache/apt/archives/*.deb
  tar -C "$build" -cf "$2.part" . && mv "$2.part" "$2"
  rm -rf "$build"
}

# unpack_root SUITE CACHE ROOT: a bare root with git and ca-certificates that reaches what this machine reaches.
unpack_root() {
  local suite="$1" tarball="$2/$1.tar" root="$3" certificate
  [[ -f "$tarball" ]] || make_tarball "$suite" "$tarball"
  tar -C "$root" -xf "$tarball"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  apt-config dump | grep -E '^Acquire::(http|https|ftp|Check-|Retries|ForceIPv4)' \
    >"$root/etc/apt/apt.conf.d/99host" || true
  mkdir -p "$root/usr/local/share/ca-certificates"
  for certificate in /usr/local/share/ca-certificates/*.crt; do
    [[ ! -e "$certificate" ]] || cp "$certificate" "$root/usr/local/share/ca-certificates/"
  done
  cat /etc/npmrc "${HOME:-/root}/.npmrc" >"$root/root/.npmrc" 2>/dev/null || true
  chmod 600 "$root/root/.npmrc"
}
