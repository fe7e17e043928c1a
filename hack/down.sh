#!/usr/bin/env bash
# Removes everything that was started for a name: the cluster, and with --cache also what was downloaded and built.
set -euo pipefail
HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=lib/common.sh
. "$HACK/lib/common.sh"

case ${1:-} in
  -h | --help | help)
    cat <<HELP
Usage: hack/down.sh [NAME] [--cache]

Takes the cluster NAME (default: demo) away with all it started. --cache also removes $INDEXOPERATOR_CACHE
(Kubernetes programs, images, NuGet packages: the next run makes them again) and the built images. Debian packages stay.
HELP
    exit 0
    ;;
esac

name=demo cache=''
for argument in "$@"; do
  case $argument in
    --cache) cache=yes ;;
    -*) die "unknown option: $argument" "see hack/down.sh --help" ;;
    *) name=$argument ;;
  esac
done
"$HACK/cluster.sh" down --name "$name"
if [ -n "$cache" ]; then
  "$HACK/images.sh" clean
  rm -rf "$INDEXOPERATOR_CACHE"
  log "removed $INDEXOPERATOR_CACHE"
fi
