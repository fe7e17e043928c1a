#!/usr/bin/env bash
# The main job on real input, on a real cluster: a PretrainIndex becomes Ready and a training pod reads it.
set -euo pipefail
HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=lib/common.sh
. "$HACK/lib/common.sh"
# shellcheck source=lib/demo-steps.sh
. "$HACK/lib/demo-steps.sh"

NAME=demo
NAMESPACE=training
DOCUMENTS=20000

usage() {
  cat <<HELP
Usage: hack/demo.sh up   [--kubeconfig FILE] [--operator-image IMAGE --builder-image IMAGE]
       hack/demo.sh down [--kubeconfig FILE]

up    runs the demo: a cluster on this machine (Debian 12, root), three datasets of real text, images, operator, a blended
      PretrainIndex built live, a training pod that reads it, reuse by a second resource, and a new data version.
down  removes everything that up started.

--kubeconfig FILE   use an existing cluster instead of making one; only the namespaces $NAMESPACE and index-operator-system,
                    the CRD and the cluster roles of config/ are touched.
--operator-image, --builder-image
                    images that the existing cluster can pull; without them they are built here and loaded with kind.
DEMO_STORAGE_CLASS  storage class of the claims on an existing cluster (default: the cluster's own).
DEMO_LOADER_IMAGE   image with /bin/busybox that copies the data into a claim there (default: busybox:1.37).
HELP
}

timeline() { TIMELINE+=("$(printf '%5s  %s' "$(elapsed)" "$1")"); }

step() { # step TITLE
  timeline "$1"
  printf '\n\033[1m== %s\033[0m\n' "$1" >&2
}

finished() { # however the demo ends: nothing of it goes on in the background, and the logs can be found
  local code=$?
  trap - EXIT
  local job
  for job in $(jobs -p); do kill "$job" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -f "${KUBECTL_WORK:-}"
  if [ "$code" != 0 ]; then
    printf '\n' >&2
    log "the demo did not finish (code $code)"
    log "logs: $INDEXOPERATOR_CACHE/logs${CLUSTER_DIR:+ and $CLUSTER_DIR/logs}"
    [ -z "${KUBECONFIG:-}" ] || log "look around: KUBECONFIG=$KUBECONFIG kubectl -n $NAMESPACE get pretrainindexes,jobs,pods"
    if [ "$OWN_CLUSTER" = yes ]; then
      if [ "${CLUSTER_WAS_UP:-no}" = no ]; then
        log "stopping the cluster that this run started; its logs are kept in $INDEXOPERATOR_CACHE/logs/last-demo"
        keep_logs
        "$HACK/cluster.sh" down --name "$NAME" || true
      else
        log "the cluster was up before and stays up; take it away with: make demo-down"
      fi
    fi
  fi
  exit "$code"
}

up() {
  TIMELINE=()
  trap finished EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM

  step "A cluster"
  start_cluster
  step "Real input: $DOCUMENTS documents of text that is on this machine"
  make_input
  step "Images and operator"
  install_operator
  step "A PretrainIndex: three datasets, blended 0.5 / 0.3 / 0.2"
  make_claims
  apply_index web-mix 2026-11-20
  watch_until_ready web-mix
  timeline "web-mix is Ready: $(version_of web-mix)"
  step "A training pod reads it"
  start_reader reader "$(version_of web-mix)"
  show_samples reader
  step "A second resource with the same content is not built again"
  apply_index web-mix-again 2026-11-20
  watch_until_ready web-mix-again
  show_events web-mix-again
  timeline "web-mix-again is Ready: $(index_field web-mix-again .status.current.outcome)"
  step "The data changes: 200 documents more, dataVersion 2026-11-23"
  local before
  before=$(version_of web-mix)
  change_input
  apply_index web-mix 2026-11-23
  watch_until_ready web-mix
  [ "$(version_of web-mix)" != "$before" ] || die "the version did not change" "the data did, so it should have" "kubectl -n $NAMESPACE describe pretrainindex web-mix"
  timeline "web-mix is Ready: $(version_of web-mix), $before stays mounted"
  show_old_and_new reader "$before"
  finish
}

finish() {
  printf '\n\033[1m== Timeline\033[0m\n'
  printf '%s\n' "${TIMELINE[@]}"
  printf '%5s  done\n' "$(elapsed)"
  cat <<NEXT

What to try next:
  export KUBECONFIG=$KUBECONFIG
  kubectl -n $NAMESPACE get pti -o wide
  kubectl -n $NAMESPACE describe pti web-mix
  kubectl -n $NAMESPACE get events --sort-by=.lastTimestamp
  kubectl -n $NAMESPACE annotate pti web-mix indexoperator.io/rebuild=once-more --overwrite   # ask again
  kubectl -n $NAMESPACE edit pti web-mix                                                      # break a prefix, see Ready
  kubectl -n index-operator-system logs deploy/index-operator
  make demo-down                                                                              # remove everything
NEXT
}

down() {
  if [ "$OWN_CLUSTER" = yes ]; then
    "$HACK/cluster.sh" down --name "$NAME"
  else
    remove_from_cluster
  fi
}

main() {
  local command=${1:-}
  case $command in
    -h | --help | help) usage; exit 0 ;;
    up | down) shift ;;
    *) usage >&2; die "unknown command: ${command:-(none)}" ;;
  esac
  OWN_CLUSTER=yes OPERATOR_IMAGE='' BUILDER_IMAGE=''
  unset KUBECONFIG
  while [ $# -gt 0 ]; do
    case $1 in
      --kubeconfig) export KUBECONFIG=${2:?--kubeconfig needs a file}; OWN_CLUSTER=no ;;
      --operator-image) OPERATOR_IMAGE=${2:?--operator-image needs an image} ;;
      --builder-image) BUILDER_IMAGE=${2:?--builder-image needs an image} ;;
      *) usage >&2; die "unknown option: $1" ;;
    esac
    shift 2
  done
  if [ "$OWN_CLUSTER" = no ]; then
    [ -f "$KUBECONFIG" ] || die "no kubeconfig at $KUBECONFIG"
  fi
  "$command"
}

main "$@"
