#!/usr/bin/env bash
# A whole Kubernetes on this machine, by one command: provision, control plane, node.
set -euo pipefail
HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=lib/common.sh
. "$HACK/lib/common.sh"
# shellcheck source=lib/kubernetes.sh
. "$HACK/lib/kubernetes.sh"

usage() {
  cat <<HELP
Usage: hack/cluster.sh up [--name NAME] [--restricted]
       hack/cluster.sh down|status [--name NAME]

up      provisions the machine, starts a control plane with scheduler and a node labelled nvidia.com/gpu.present=true, and
        prints the path of the kubeconfig as its only line on standard output. Returns at once when the cluster is up and
        healthy; a broken one is taken down and started anew.
          --restricted   pods that controllers make have to keep the restricted Pod Security Standard, also where the API
                         server does not know the label of namespaces that asks for it (before 1.23); only an administrator
                         may make others
down    removes all of it: pods, processes, mounts, network, rules, files.
status  says what runs; code 0 when all of it does.

NAME is demo unless given; state is in $INDEXOPERATOR_STATE/NAME. One cluster with a node at a time (they
share bridge and ports); bare control planes (hack/control-plane.sh) can run beside it. Needs root.
HELP
}

healthy() { "$HACK/control-plane.sh" status "$DIR" >/dev/null 2>&1 && "$HACK/node.sh" status "$DIR" >/dev/null 2>&1; }

remove() {
  [ -d "$DIR" ] || return 0
  "$HACK/node.sh" down "$DIR"
  "$HACK/control-plane.sh" down "$DIR"
  ! grep -q " $DIR/" /proc/self/mountinfo || die "cannot remove $DIR" "something is still mounted in it" "see: grep $DIR /proc/mounts"
  rm -rf "$DIR"
}

up() {
  hold_lock "/run/indexoperator-$NAME.lock" "the cluster $NAME"
  if healthy; then
    log "cluster $NAME is up"
  else
    "$HACK/provision.sh" all
    if [ -d "$DIR" ]; then
      log "cluster $NAME is not whole: taking away what is left of it, then starting anew"
      remove
    fi
    "$HACK/node.sh" network "$DIR"
    local options=(--bind "$BRIDGE_IP" --advertise "$BRIDGE_IP" --with-scheduler ${INDEXOPERATOR_AUDIT_LOGS:+--audit}) policies=''
    if [ -n "$RESTRICTED" ] && [ "$(minor_of "$(version_of "$(kubernetes_program kube-apiserver)")")" -lt 23 ]; then
      options+=(--admission PodSecurityPolicy)
      policies=yes
    fi
    "$HACK/control-plane.sh" up "$DIR" "${options[@]}" >/dev/null
    [ -z "$policies" ] || kubectl --kubeconfig "$DIR/admin.kubeconfig" apply -f "$HACK/lib/pod-security-policies.yaml" >&2
    "$HACK/node.sh" up "$DIR" --gpu-label
    log "cluster $NAME is up; use it with: export KUBECONFIG=$DIR/admin.kubeconfig"
  fi
  printf '%s\n' "$DIR/admin.kubeconfig"
}

down() {
  hold_lock "/run/indexoperator-$NAME.lock" "the cluster $NAME"
  if [ -d "$DIR" ]; then remove; else log "there is no cluster $NAME"; fi
  rmdir "$INDEXOPERATOR_STATE" 2>/dev/null || true
}

status() {
  [ -d "$DIR" ] || { printf 'there is no cluster %s\n' "$NAME"; exit 1; }
  local code=0
  "$HACK/control-plane.sh" status "$DIR" || code=1
  "$HACK/node.sh" status "$DIR" || code=1
  exit $code
}

main() {
  case ${1:-} in
    -h | --help | help) usage; exit 0 ;;
    up | down | status) ;;
    *) usage >&2; die "unknown command: ${1:-(none)}" ;;
  esac
  local command=$1
  shift
  NAME=demo RESTRICTED=''
  while [ $# -gt 0 ]; do
    case $1 in
      --name) NAME=${2:?--name needs a name}; shift ;;
      --restricted) RESTRICTED=yes ;;
      *) usage >&2; die "unknown option: $1" ;;
    esac
    shift
  done
  [[ $NAME =~ ^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$ ]] || die "not a cluster name: $NAME" "names are up to 20 small letters, digits and dashes"
  need_root "a cluster with a node"
  DIR="$INDEXOPERATOR_STATE/$NAME"
  "$command"
}

main "$@"
