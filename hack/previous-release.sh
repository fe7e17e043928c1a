#!/usr/bin/env bash
# The release before this checkout, made anew from the commit that was tagged: what an upgrade is tried from.
set -euo pipefail
HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=lib/common.sh
. "$HACK/lib/common.sh"
cd "$(dirname "$HACK")"

usage() {
  cat <<HELP
Usage: hack/previous-release.sh find
       hack/previous-release.sh build
       hack/previous-release.sh load DIR

find   prints VERSION COMMIT of the newest release in tests/released that has a commit and is not newer than this checkout. Fails where
       this clone does not have that commit
build  makes its images, as docker.io/indexoperator/TARGET:VERSION, by hack/images.sh with the Dockerfile and the sources of that commit,
       and prints the folder with operator.tar, builder.tar, its charts/ and its config/. Takes about 4 minutes, once on a machine
load   builds, and loads both images into the node in DIR (hack/node.sh); prints the folder

The folder is in $INDEXOPERATOR_CACHE/released, by commit and by what base images are made of.
HELP
}

find_release() { # sets RELEASE and COMMIT
  local present file version words
  present=v$(source_version)
  RELEASE=''
  for file in tests/released/v*/commit; do
    [ -e "$file" ] || continue
    version=$(basename "$(dirname "$file")")
    if [ "$(printf '%s\n' "$version" "$present" | sort -V | tail -n 1)" = "$present" ] &&
      [ "$(printf '%s\n' "$version" "$RELEASE" | sort -V | tail -n 1)" = "$version" ]; then RELEASE=$version; fi
  done
  [ -n "$RELEASE" ] || die "no previous release" "no folder in tests/released up to $present has a file commit" "docs/releasing.md, Making a release"
  COMMIT=$(cat "tests/released/$RELEASE/commit")
  [[ $COMMIT =~ ^[0-9a-f]{40}$ ]] || die "no commit of $RELEASE" "tests/released/$RELEASE/commit is not one line of 40 hexadecimal digits" \
    "git rev-parse '$RELEASE^{commit}' >tests/released/$RELEASE/commit"
  if ! words=$(git cat-file -e "$COMMIT^{commit}" 2>&1); then
    die "this clone does not have commit $COMMIT, the release $RELEASE" "it is shallow, or no clone at all; git said: ${words:-nothing}" \
      "git fetch --unshallow (in a workflow: fetch-depth: 0)"
  fi
}

build() {
  local entry temporary
  # shellcheck source=lib/stand-ins.sh
  . "$HACK/lib/stand-ins.sh"
  entry="released/$RELEASE-${COMMIT:0:12}-$(stand_in_key)"
  hold_lock "$INDEXOPERATOR_CACHE/released.lock" "making the images of $RELEASE"
  if [ ! -d "$INDEXOPERATOR_CACHE/$entry" ]; then
    log "making the images of the previous release, $RELEASE (commit ${COMMIT:0:12}): 4 minutes, once on this machine"
    rm -rf "$INDEXOPERATOR_CACHE/released/$RELEASE"-*
    temporary=$(cache_begin "$entry")
    mkdir "$temporary/source"
    git archive "$COMMIT" | tar -x -C "$temporary/source"
    INDEXOPERATOR_CONTEXT="$temporary/source" INDEXOPERATOR_TAG="$RELEASE" "$HACK/images.sh" build
    INDEXOPERATOR_TAG="$RELEASE" "$HACK/images.sh" save "$temporary"
    mv "$temporary/source/charts" "$temporary/source/config" "$temporary"
    rm -rf "$temporary/source"
    printf '%s %s\n' "$RELEASE" "$COMMIT" >"$temporary/release"
    cache_commit "$temporary" "$entry"
  fi
  printf '%s\n' "$INDEXOPERATOR_CACHE/$entry"
}

load() { # load DIR
  local folder target
  folder=$(build)
  for target in operator builder; do
    log "loading image $target of $RELEASE ($(du -h "$folder/$target.tar" | cut -f1)) into the node"
    "$HACK/images.sh" load-file "$1" "$folder/$target.tar"
  done
  printf '%s\n' "$folder"
}

main() {
  case ${1:-} in
    -h | --help | help) usage; exit 0 ;;
    find | build) ;;
    load) [ -d "${2:-}" ] || die "load needs the folder of a node" "${2:-nothing} is no folder" "hack/previous-release.sh load $INDEXOPERATOR_STATE/e2e" ;;
    *) usage >&2; die "unknown command: ${1:-(none)}" ;;
  esac
  find_release
  case $1 in
    find) printf '%s %s\n' "$RELEASE" "$COMMIT" ;;
    build) build ;;
    load) load "$2" ;;
  esac
}

main "$@"
