#!/usr/bin/env bash
# Compares `index-builder build` with what Megatron-Core does, in one run on this machine and byte for byte.
set -euo pipefail
HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=lib/common.sh
. "$HACK/lib/common.sh"
# shellcheck source=lib/debian.sh
. "$HACK/lib/debian.sh"
cd "$(dirname "$HACK")"

CONFIGURATION=${CONFIGURATION:-Release}
CACHE="$INDEXOPERATOR_CACHE/bench-builder"
REFERENCE=tools/BuilderBench/reference
PYTHON=/usr/bin/python3 # Debian's own, which has Debian's numpy, whatever comes first on PATH

usage() {
  cat <<HELP
Usage: hack/bench-builder.sh [OPTION...]

Publishes index-builder as the Dockerfile does, compiles the reference's C++, and runs both in turn. Options go to the
benchmark, for example: --works 50m-x1,1m --rounds 5 --check. A last --help lists them.
Inputs (18 GB for all works) stay in $CACHE.
HELP
}

# The command stands in the Dockerfile and nowhere else: what is measured is what ships.
publish_command() {
  local command
  command=$(sed -n 's/^RUN \(dotnet publish src\/IndexOperator\.Builder .*\) --output .*$/\1/p' Dockerfile)
  [ -n "$command" ] || die "found no command that publishes the builder" "the Dockerfile has no line 'RUN dotnet publish src/IndexOperator.Builder ... --output DIR'" "adapt publish_command in this script to it"
  # shellcheck disable=SC2016
  printf '%s\n' "${command//'${TARGETARCH}'/$(dpkg --print-architecture)}"
}

publish() { # publish FOLDER
  local -a command
  read -r -a command <<<"$(publish_command)"
  rm -rf "$1"
  log "publishing: ${command[*]}"
  "${command[@]}" --output "$1" --verbosity quiet >&2
}

# Flags as Megatron-Core's own: above all no -march, which would fuse multiplications and additions.
compile() { g++ -O3 -Wall -Wextra -Werror -shared -fPIC -o "$1" "$REFERENCE/kernels.cpp"; }

# Whether one of the works is so short that the imports of Megatron-Core count in it: 1m, which is among those that run by themselves.
starts_count() {
  case " $* " in
    *" --scale "*) return 1 ;;
    *" --works "*1m*) return 0 ;;
    *" --works "*) return 1 ;;
  esac
}

main() {
  case ${1:-} in
    -h | --help | help) usage; exit 0 ;;
  esac
  # A compiler server would go on and keep the lock of this run.
  export UseSharedCompilation=false MSBUILDDISABLENODEREUSE=1
  install_packages "what the reference is written in, and the linker of native programs" python3 python3-numpy g++ zlib1g-dev
  if starts_count "$@"; then
    install_packages "what Megatron-Core imports first (140 MB)" python3-torch
  fi
  hold_lock "$CACHE/lock" "the builder's benchmark"
  # Folders of outputs then lie apart on an ext4 disk: none pays for what was removed beside it.
  mkdir -p "$CACHE/run" && { chattr +T "$CACHE/run" 2>/dev/null || true; }
  publish artifacts/bench-builder
  compile "$CACHE/kernels.so"
  dotnet run --project tools/BuilderBench --configuration "$CONFIGURATION" --verbosity quiet -- \
    --builder artifacts/bench-builder/index-builder --python "$PYTHON" --reference "$REFERENCE" --kernels "$CACHE/kernels.so" --cache "$CACHE" "$@" || exit $? # it has said why
}

main "$@"
