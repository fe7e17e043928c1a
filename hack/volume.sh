#!/usr/bin/env bash
# A PersistentVolume on a folder of a cluster made by hack/cluster.sh, and the claim bound to it.
set -euo pipefail
HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=lib/common.sh
. "$HACK/lib/common.sh"

usage() {
  cat <<'HELP'
Usage: hack/volume.sh CLUSTER_DIR NAMESPACE NAME [fresh] [--path FOLDER]

Makes FOLDER (default CLUSTER_DIR/volumes/NAME) a PersistentVolume NAMESPACE-NAME and binds the claim NAME of the namespace
to it, so that both exist at once. With "fresh" the folder is emptied first. Anybody may write to it: build pods are not root.
HELP
}

main() {
  case ${1:-} in
    -h | --help | help) usage; exit 0 ;;
  esac
  [ $# -ge 3 ] || { usage >&2; die "a cluster's folder, a namespace and a name are needed"; }
  local dir=$1 namespace=$2 name=$3 folder=''
  shift 3
  local fresh=no
  while [ $# -gt 0 ]; do
    case $1 in
      fresh) fresh=yes ;;
      --path) folder=${2:?--path needs a folder}; shift ;;
      *) usage >&2; die "unknown option: $1" ;;
    esac
    shift
  done
  [ -d "$dir" ] || die "no cluster at $dir" "it is not up" "hack/cluster.sh up"
  folder=${folder:-$dir/volumes/$name}
  mkdir -p "$folder"
  [ "$fresh" = no ] || find "$folder" -mindepth 1 -delete
  chmod 0777 "$folder" 2>/dev/null || true
  kubectl apply -f - <<MANIFEST
apiVersion: v1
kind: PersistentVolume
metadata: {name: $namespace-$name}
spec:
  capacity: {storage: 10Gi}
  accessModes: [ReadWriteMany]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: index-operator-local
  claimRef: {namespace: $namespace, name: $name}
  hostPath: {path: "$folder", type: Directory}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $name, namespace: $namespace}
spec:
  storageClassName: index-operator-local
  accessModes: [ReadWriteMany]
  resources: {requests: {storage: 1Gi}}
MANIFEST
}

main "$@"
