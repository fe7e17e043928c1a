#!/usr/bin/env bash
# Both images for arm64, made on an amd64 machine, for tests to run under an emulator.
set -euo pipefail
HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=lib/common.sh
. "$HACK/lib/common.sh"
# shellcheck source=lib/debian.sh
. "$HACK/lib/debian.sh"
cd "$(dirname "$HACK")"

usage() {
  cat <<HELP
Usage: hack/arm64.sh

Builds both images for arm64 (INDEXOPERATOR_ARCH=arm64 hack/images.sh build), lays their files open and prints the folder: operator/ and
builder/ are the images' roots, operator.json and builder.json their configurations. Their programs run by

  qemu-aarch64-static -L FOLDER/builder FOLDER/builder/app/index-builder --version

Base images are always stand-ins, as the public SDK has no compiler for another architecture. Installs the emulator and what images are
built with from Debian where they are missing, which needs root. What was made is kept in $INDEXOPERATOR_CACHE/arm64. Code 77 on other
machines than amd64 with Debian: arm64 has no need of it, and mirrors of others (Ubuntu) do not have both architectures.
HELP
}

main() {
  local entry folder
  case ${1:-} in
    '') ;;
    -h | --help | help) usage; exit 0 ;;
    *) usage >&2; die "unknown argument: $1" ;;
  esac
  if [ "$(uname -m)" != x86_64 ] || ! grep -qx 'ID=debian' /etc/os-release; then
    log "building for arm64 needs an amd64 machine with Debian: this is $(uname -m) with $(sed -n 's/^ID=//p' /etc/os-release)"
    exit 77
  fi
  hold_lock "$INDEXOPERATOR_CACHE/arm64.lock" "building images for arm64"
  install_packages "an emulator of arm64, and what images are built with" qemu-user-static buildah mmdebstrap
  export INDEXOPERATOR_ARCH=arm64 INDEXOPERATOR_STAND_INS=yes BUILD_WITH=buildah
  "$HACK/images.sh" build
  entry=arm64/$(cat "$INDEXOPERATOR_CACHE"/images/{operator,builder}-dev-arm64.built | sha256sum | cut -c1-20)
  if [ ! -d "$INDEXOPERATOR_CACHE/$entry" ]; then
    folder=$(cache_begin "$entry")
    "$HACK/images.sh" unpack "$folder"
    find "$INDEXOPERATOR_CACHE/arm64" -mindepth 1 -maxdepth 1 ! -path "$folder" -exec rm -rf {} + # of other sources
    cache_commit "$folder" "$entry"
  fi
  printf '%s\n' "$INDEXOPERATOR_CACHE/$entry"
}

main "$@"
