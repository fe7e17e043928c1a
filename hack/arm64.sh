#!/usr/bin/env bash
# Compiles both programs for arm64 on an amd64 machine, for tests to run under an emulator.
set -euo pipefail
HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=lib/common.sh
. "$HACK/lib/common.sh"
# shellcheck source=lib/debian.sh
. "$HACK/lib/debian.sh"
cd "$(dirname "$HACK")"

SOURCES=(global.json Directory.Build.props Directory.Packages.props .editorconfig src)

usage() {
  cat <<HELP
Usage: hack/arm64.sh

Compiles index-builder (ahead, as in its image) and index-operator (with the .NET runtime beside it, as no image is there to have one)
for linux-arm64, and prints the folder with builder/, operator/ and root/, the libraries of Debian for arm64. They run by

  qemu-aarch64-static -L FOLDER/root FOLDER/builder/index-builder --version

Installs cross compiler and emulator from Debian where they are missing, which needs root. What was compiled is kept in
$INDEXOPERATOR_CACHE/arm64 until the source changes. Code 77 on other machines than amd64 with Debian: arm64 has no need of it, and mirrors
of others (Ubuntu) do not have both architectures.
HELP
}

source_key() {
  {
    cat "$HACK/arm64.sh"
    dotnet --version
    find "${SOURCES[@]}" \( -name bin -o -name obj \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum --
  } | sha256sum | cut -c1-20
}

compile() { # compile FOLDER: under long_step
  local source
  source=$(mktemp -d)
  # Elsewhere: a restore for another architecture would unmake that of the checkout.
  tar -c --exclude=bin --exclude=obj "${SOURCES[@]}" | tar -x -C "$source"
  cd "$source"
  export CI=true # locked, as in images
  step_progress "index-builder"
  dotnet publish src/IndexOperator.Builder --configuration Release --arch arm64 --output "$1/builder"
  step_progress "index-operator"
  dotnet publish src/IndexOperator.Operator --configuration Release --arch arm64 --self-contained --output "$1/operator"
  rm -rf "$source"
  step_progress "libraries"
  # Unpacked, not installed: nothing of arm64 is run for that.
  mmdebstrap --variant=extract --architectures=arm64 --include=libssl3,libstdc++6 bookworm "$1/root" "$(debian_mirror)"
  # The emulator takes what is there in place of the machine's own.
  find "$1/root" -mindepth 1 -maxdepth 1 ! -name lib ! -name usr -exec rm -rf {} +
}

main() {
  local entry folder
  case ${1:-} in
    '') ;;
    -h | --help | help) usage; exit 0 ;;
    *) usage >&2; die "unknown argument: $1" ;;
  esac
  if [ "$(uname -m)" != x86_64 ] || ! grep -qx 'ID=debian' /etc/os-release; then
    log "compiling for arm64 needs an amd64 machine with Debian: this is $(uname -m) with $(sed -n 's/^ID=//p' /etc/os-release)"
    exit 77
  fi
  hold_lock "$INDEXOPERATOR_CACHE/arm64.lock" "compiling for arm64"
  install_packages "cross compiler and emulator" gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static mmdebstrap
  entry=arm64/$(source_key)
  if [ ! -d "$INDEXOPERATOR_CACHE/$entry" ]; then
    folder=$(cache_begin "$entry")
    long_step "Compiling for arm64" "2 min" compile "$folder"
    find "$INDEXOPERATOR_CACHE/arm64" -mindepth 1 -maxdepth 1 ! -path "$folder" -exec rm -rf {} + # of other sources
    cache_commit "$folder" "$entry"
  fi
  printf '%s\n' "$INDEXOPERATOR_CACHE/$entry"
}

main "$@"
