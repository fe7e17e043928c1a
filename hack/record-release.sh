#!/usr/bin/env bash
# Keeps, in tests/released/vVERSION, what this version writes: later versions are tested to read it (docs/releasing.md).
set -euo pipefail
HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=lib/common.sh
. "$HACK/lib/common.sh"
cd "$(dirname "$HACK")"

GOLDEN=tests/IndexOperator.Planning.Tests

# What is kept of each: a case of the planner (what is observed, what is done about it, the status), by what it makes.
declare -A PLANNER=(
  [build]=a-new-resource-gets-a-finalizer-and-a-job
  [binding]=a-new-data-version-is-published
  [check]=a-look-is-due
  [prune]=beyond-the-history-limit-is-pruned
  [cleanup]=deleted-mid-build-cleans-up
)
POD=a-pod-of-a-job-is-gated-and-gets-mounts-and-environment

usage() {
  cat <<'HELP'
Usage: hack/record-release.sh

Writes tests/released/vVERSION for the version in Directory.Build.props: the definition, objects with every field, what the planner
writes (Jobs, binding, status), a pod that the webhook changed, and the manifest and the reports of a build that really runs.
Run it right before a release is tagged; a version that has its tag is not written again.
HELP
}

build() { # build FOLDER: under long_step
  local folder=$1 work
  work=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  step_progress "data"
  dotnet run --project tools/TextCorpus --configuration Release -- --output "$work/corpus" --documents 60
  step_progress "a build"
  dotnet run --project src/IndexOperator.Builder --configuration Release -- build -f config/samples/web-mix.yaml \
    --map "/data=$work/corpus" --cache-root "$work/cache" --quiet 0s --termination-log "$work/build.json" -o json
  cp "$work"/cache/versions/*/index-manifest.json "$folder/index-manifest.json"
  cp config/samples/web-mix.yaml "$folder/index-manifest.of.yaml"
  cp "$work/build.json" "$folder/build-report.json"
  step_progress "a look"
  dotnet run --project src/IndexOperator.Builder --configuration Release -- check -f config/samples/web-mix.yaml \
    --map "/data=$work/corpus" --cache-root "$work/cache" --version-name "$(basename "$work"/cache/versions/*)" --checksums --content \
    --quiet 0s --termination-log "$work/check.json" -o json
  cp "$work/check.json" "$folder/check-report.json"
}

main() {
  case ${1:-} in
    '') ;;
    -h | --help | help) usage; exit 0 ;;
    *) usage >&2; die "unknown argument: $1" ;;
  esac
  local version folder name
  version=v$(source_version)
  folder=tests/released/$version
  if git rev-parse -q --verify "refs/tags/$version" >/dev/null; then
    die "$version is released" "the tag $version is there, and what was released does not change" "raise Version in Directory.Build.props first"
  fi
  if [ -e "$folder/commit" ]; then
    die "$version is released" "$folder/commit tells what was tagged, though this clone lacks the tag" "raise Version in Directory.Build.props first"
  fi
  rm -rf "$folder"
  mkdir -p "$folder"
  cp config/crd/indexoperator.io_pretrainindexes.yaml "$folder/crd.yaml"
  cp tests/IndexOperator.TestSupport/Data/fully-filled.yaml "$folder/pretrainindexes.yaml"
  for name in "${!PLANNER[@]}"; do
    mkdir "$folder/$name"
    cp "$GOLDEN/golden/${PLANNER[$name]}"/*.yaml "$folder/$name/"
  done
  mkdir "$folder/pod"
  cp "$GOLDEN/golden-pods/$POD"/*.yaml "$folder/pod/"
  long_step "Building an index to keep its manifest and reports" "20 s" build "$folder"
  log "wrote $folder: read the diff, and commit it"
}

main "$@"
