#!/usr/bin/env bash
# Builds Kubernetes from Debian's source package into the cache: the last resort where no release can be downloaded.
set -euo pipefail
# shellcheck source=lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=lib/debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/debian.sh"

VERSION=1.20.2 # what Debian 12 carries; the newest that its Go 1.19 builds as it stands
SUITE=bookworm
COMPONENTS=(kube-apiserver kube-controller-manager kubelet kube-scheduler kube-proxy)
USUAL=("5-6 min" "1 min" "40 s" "15 s" "40 s")
PACKAGES=(golang-1.19-go rsync make gcc libc6-dev dpkg-dev golang-github-modern-go-reflect2-dev)
REVISION=2 # goes up with every change to how it is built
ENTRY="kubernetes/v$VERSION-debian$REVISION"

usage() {
  cat <<HELP
Usage: hack/build-kubernetes.sh

Builds ${COMPONENTS[*]}
$VERSION from Debian's source package and puts them into the cache folder:
  $INDEXOPERATOR_CACHE/$ENTRY
About 9 minutes on two cores, once. Each finished program is kept, so an interrupted run goes on where it stopped.
Needs root (it installs Go 1.19 from Debian) and a configured Debian mirror; the apt sources of the machine are not changed.
hack/provision.sh runs this when nothing faster gives the binaries.
HELP
}

fetch_source() { # fetch_source FOLDER: unpacks to FOLDER/go/src/k8s.io/kubernetes
  local folder=$1 mirror apt keyring=/usr/share/keyrings/debian-archive-keyring.gpg signed='' tarballs
  mirror=$(debian_mirror)
  apt=$folder/apt
  mkdir -p "$apt/lists/partial" "$apt/parts" "$folder/download"
  [ ! -e "$keyring" ] || signed="[signed-by=$keyring] "
  printf 'deb-src %s%s %s main\n' "$signed" "$mirror" "$SUITE" >"$apt/sources.list"
  local options=(-o "Dir::Etc::SourceList=$apt/sources.list" -o "Dir::Etc::SourceParts=$apt/parts"
    -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache::srcpkgcache=" -o "Dir::Cache::pkgcache=" -o APT::Sandbox::User=root)
  step_progress "asking $mirror for the source package"
  apt-get "${options[@]}" update
  step_progress "downloading 34 MB"
  (cd "$folder/download" && apt-get "${options[@]}" source --download-only kubernetes)
  tarballs=("$folder"/download/kubernetes_*"$VERSION".orig.tar.*)
  [ -e "${tarballs[0]}" ] || { echo "Debian's source package is not version $VERSION: $(ls "$folder/download")"; return 1; }
  step_progress "unpacking"
  mkdir -p "$folder/unpacking"
  tar -xf "${tarballs[0]}" -C "$folder/unpacking" --strip-components=1
  # reflect2 1.0.1, which 1.20 carries, knows nothing of how Go 1.18 changed maps: the API server panics while it decodes
  # JSON. 1.0.2 does, and Debian has it.
  rm -rf "$folder/unpacking/vendor/github.com/modern-go/reflect2"
  cp -rL /usr/share/gocode/src/github.com/modern-go/reflect2 "$folder/unpacking/vendor/github.com/modern-go/reflect2"
  mkdir -p "$folder/go/src/k8s.io"
  mv -T "$folder/unpacking" "$folder/go/src/k8s.io/kubernetes"
  rm -rf "$folder/download" "$folder/apt"
}

build_component() { # build_component FOLDER NAME
  local folder=$1 name=$2
  # The tarball is no git checkout: say the version, or the kubelet reports v0.0.0.
  cat >"$folder/version" <<STAMP
KUBE_GIT_COMMIT='$(printf '%040d' 0)'
KUBE_GIT_TREE_STATE='archive'
KUBE_GIT_VERSION='v$VERSION'
KUBE_GIT_MAJOR='${VERSION%%.*}'
KUBE_GIT_MINOR='$(cut -d. -f2 <<<"$VERSION")'
STAMP
  cd "$folder/go/src/k8s.io/kubernetes"
  env -u GOROOT -u GOFLAGS PATH="/usr/lib/go-1.19/bin:$PATH" GOPATH="$folder/go" GOCACHE="$folder/gocache" \
    GO111MODULE=off GOTOOLCHAIN=local CGO_ENABLED=0 KUBE_GIT_VERSION_FILE="$folder/version" \
    make WHAT="cmd/$name" GOFLAGS= GOLDFLAGS='-s -w' KUBE_VERBOSE=1
  mkdir -p "$folder/done"
  cp "_output/bin/$name" "$folder/done/$name.partial"
  mv -T "$folder/done/$name.partial" "$folder/done/$name"
}

main() {
  case ${1:-} in
    '') ;;
    -h | --help | help) usage; exit 0 ;;
    *) usage >&2; die "unknown argument: $1" ;;
  esac
  [ ! -d "$INDEXOPERATOR_CACHE/$ENTRY" ] || { log "already there: $INDEXOPERATOR_CACHE/$ENTRY"; exit 0; }
  need_root "building Kubernetes"
  hold_lock "$INDEXOPERATOR_CACHE/build-kubernetes.lock" "building Kubernetes"
  [ ! -d "$INDEXOPERATOR_CACHE/$ENTRY" ] || exit 0

  local folder="$INDEXOPERATOR_CACHE/$ENTRY-building" i name free
  mkdir -p "$folder"
  free=$(df --output=avail -BG "$folder" | tail -n 1 | tr -dc 0-9)
  [ "$free" -ge 5 ] || die "not enough room to build Kubernetes" "$folder has $free GB free; the build takes 5 GB" \
    "free some, or set INDEXOPERATOR_CACHE to a folder elsewhere"
  install_packages "Go 1.19 and build tools" "${PACKAGES[@]}"
  [ -d "$folder/go/src/k8s.io/kubernetes" ] ||
    long_step "Fetching the source of Kubernetes $VERSION from Debian" "20 s" fetch_source "$folder"
  for i in "${!COMPONENTS[@]}"; do
    name=${COMPONENTS[$i]}
    [ -x "$folder/done/$name" ] ||
      long_step "Building Kubernetes $VERSION, program $((i + 1)) of ${#COMPONENTS[@]}: $name" "${USUAL[$i]} on two cores" \
        build_component "$folder" "$name"
  done
  cache_commit "$folder/done" "$ENTRY"
  chmod -R u+w "$folder" && rm -rf "$folder"
  log "Kubernetes $VERSION is in $INDEXOPERATOR_CACHE/$ENTRY"
}

main "$@"
