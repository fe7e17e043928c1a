#!/usr/bin/env bash
# Compares `index-builder stage` with cp, and with cp followed by sha256sum, in one run on this machine.
set -euo pipefail
HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=lib/common.sh
. "$HACK/lib/common.sh"
cd "$(dirname "$HACK")"

SAMPLES=${SAMPLES:-60000000}
ROUNDS=${ROUNDS:-5}
TARGET=${TARGET:-/dev/shm}

usage() {
  cat <<'HELP'
Usage: hack/bench-stage.sh

Builds a version (SAMPLES=60000000, about 0.8 GB), then copies it ROUNDS (5) times each way from the page cache to TARGET
(/dev/shm), in turn, and prints the seconds, their medians, the ratio to cp and the processor time.
HELP
}

seconds() { # seconds COMMAND...: how long it takes, and processor time; its output is dropped
  local TIMEFORMAT='%R %U %S'
  { time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ printf "%.3f %.3f\n", $1, $2 + $3 }'
}

median() { # median COLUMN FILE
  cut -d' ' -f"$1" "$2" | sort -n | awk '{ line[NR] = $1 } END { print line[int((NR + 1) / 2)] }'
}

copy() { cp -r "$1" "$2"; }

copy_and_sum() {
  cp -r "$1" "$2"
  sha256sum "$2"/*
}

make_version() { # make_version FOLDER
  dotnet run --project tools/TextCorpus --configuration Release --verbosity quiet -- --output "$1/corpus" --datasets docs --documents 2000 >&2
  cat >"$1/index.yaml" <<MANIFEST
apiVersion: indexoperator.io/v1alpha1
kind: PretrainIndex
metadata: {name: bench, namespace: bench}
spec:
  data: {claimName: corpus, mountPath: /data, blend: [{prefix: /data/docs_text_document}]}
  dataset: {sequenceLength: 64, split: "100,0,0", samples: {train: $SAMPLES}, tokenizer: {preset: NeMoAutoTokenizer}}
  cache: {claimName: npy-index}
MANIFEST
  "$1/builder/index-builder" build -f "$1/index.yaml" --cache-root "$1/cache" --map "/data=$1/corpus" -o json >/dev/null
}

main() {
  case ${1:-} in
    -h | --help | help) usage; exit 0 ;;
  esac
  local work target version round way
  work=$(mktemp -d)
  target=$(mktemp -d -p "$TARGET")
  # shellcheck disable=SC2064 # The folders of now, not of then.
  trap "rm -rf '$work' '$target'" EXIT
  log "building"
  dotnet publish src/IndexOperator.Builder --configuration Release --use-current-runtime --output "$work/builder" --verbosity quiet >&2
  make_version "$work"
  version=$(echo "$work"/cache/versions/*)
  log "$(du -sm "$version" | cut -f1) MiB in $(find "$version" -type f | wc -l) files; $ROUNDS rounds"
  cat "$version"/* >/dev/null
  for ((round = 1; round <= ROUNDS; round++)); do
    seconds copy "$version" "$target/to" >>"$work/cp"
    rm -rf "${target:?}/to"
    seconds "$work/builder/index-builder" stage "$version" "$target/to" -o json >>"$work/stage"
    rm -rf "${target:?}/to"
    seconds copy_and_sum "$version" "$target/to" >>"$work/sum"
    rm -rf "${target:?}/to"
  done
  printf '%-22s %9s %7s %11s   %s\n' way 'median s' 'of cp' 'processor s' 'all s'
  for way in cp stage sum; do
    awk -v name="$way" -v median="$(median 1 "$work/$way")" -v base="$(median 1 "$work/cp")" -v cpu="$(median 2 "$work/$way")" -v all="$(cut -d' ' -f1 "$work/$way" | tr '\n' ' ')" \
      'BEGIN { title["cp"] = "cp -r"; title["stage"] = "index-builder stage"; title["sum"] = "cp -r, then sha256sum"
               printf "%-22s %9.3f %7.2f %11.3f   %s\n", title[name], median, median / base, cpu, all }'
  done
}

main "$@"
