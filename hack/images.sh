#!/usr/bin/env bash
# Builds the operator's and the builder's images from the repository's Dockerfile and loads them into the node.
set -euo pipefail
HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=lib/common.sh
. "$HACK/lib/common.sh"
# shellcheck source=lib/kubernetes.sh
. "$HACK/lib/kubernetes.sh"
# shellcheck source=lib/debian.sh
. "$HACK/lib/debian.sh"
# shellcheck source=lib/stand-ins.sh
. "$HACK/lib/stand-ins.sh"
# shellcheck source=lib/labels.sh
. "$HACK/lib/labels.sh"

CONTEXT="${INDEXOPERATOR_CONTEXT:-$(dirname "$HACK")}"
TAG="${INDEXOPERATOR_TAG:-dev}"
! is_foreign || TAG+="-$(image_arch)"
TARGETS=(operator builder)
LOADER_IMAGE=docker.io/indexoperator/loader:dev

usage() {
  cat <<HELP
Usage: hack/images.sh build [operator|builder]...
       hack/images.sh load DIR [operator|builder]...
       hack/images.sh save FOLDER [operator|builder]...
       hack/images.sh unpack FOLDER [operator|builder]...
       hack/images.sh load-file DIR ARCHIVE.tar
       hack/images.sh load-pause DIR
       hack/images.sh load-loader DIR
       hack/images.sh reproduce [operator|builder]...
       hack/images.sh clean

build       builds the named targets (default: both) of the Dockerfile as docker.io/indexoperator/TARGET:dev; in about a
            second when nothing that goes into them has changed. Uses docker when a daemon answers, else buildah (as root).
            Where the base images cannot be pulled, stand-ins are made from Debian packages and this machine's own .NET.
load        loads them into the containerd of the node in DIR (hack/node.sh); what is already there is skipped.
save        writes them as docker archives FOLDER/TARGET.tar, for example for kind load image-archive.
unpack      writes the files of each into FOLDER/TARGET, and its configuration, as the OCI has it, into FOLDER/TARGET.json.
load-file   loads any docker archive.
load-pause  the image of pod sandboxes, made here from a few lines of C.
load-loader the image indexoperator/loader:dev, made here of Debian's static busybox: what the demo copies data into a claim with.
reproduce   builds once more from nothing and fails unless that gives the image that there is: the configuration, and each layer bit
            for bit. 1 to 3 minutes an image. Code 77 where docker builds, whose images tell when they were built.
clean       removes the built images and layers.

INDEXOPERATOR_CONTEXT     folder with the Dockerfile (default: the repository)
INDEXOPERATOR_TAG         tag of the images in place of dev (hack/previous-release.sh)
INDEXOPERATOR_ARCH        arm64 on an amd64 machine: images for arm64, tagged dev-arm64. buildah makes them without an emulator; the base
                          image of the SDK has to be a stand-in then, as the public one has no compiler for another architecture
INDEXOPERATOR_STAND_INS   yes: use stand-ins without trying to pull; no: never
Layers and NuGet packages are kept in $INDEXOPERATOR_CACHE; NuGet's configuration and the
certificates of this machine are mounted while building and are in no image.
HELP
}

image_of() { printf 'docker.io/indexoperator/%s:%s\n' "$1" "$TAG"; }

use_docker() {
  if [ -z "${BUILD_WITH:-}" ]; then
    if command -v docker >/dev/null && timeout 5 docker info >/dev/null 2>&1; then BUILD_WITH=docker; else BUILD_WITH=buildah; fi
  fi
  [ "$BUILD_WITH" = docker ]
}

# What the Dockerfile can see: the Dockerfile itself, files beside it and all that it copies, and the revision. Not what a build writes.
source_hash() {
  local -a roots
  mapfile -t roots < <(copied_paths)
  {
    stand_in_key
    source_revision
    {
      find . -maxdepth 1 -type f ! -name '*.md' -print0
      # shellcheck disable=SC2068  # COPY takes patterns
      [ ${#roots[@]} = 0 ] || find ${roots[@]} \( -name .git -o -name bin -o -name obj -o -name artifacts -o -name TestResults \) -prune \
        -o -type f -print0
    } 2>/dev/null | sort -zu | xargs -0 sha256sum --
  } | sha256sum | cut -c1-20
}

image_label() { # image_label IMAGE LABEL
  if use_docker; then
    docker image inspect --format "{{index .Config.Labels \"$2\"}}" "$1" 2>/dev/null
  else
    buildah_here inspect --type image --format "{{index .OCIv1.Config.Labels \"$2\"}}" "$1" 2>/dev/null
  fi
}

image_id() {
  if use_docker; then docker image inspect --format '{{.Id}}' "$1"; else buildah_here inspect --type image --format '{{.FromImageID}}' "$1"; fi |
    sed 's/^sha256://'
}

# What a container of an image is made of: configuration, layers and history, hashed. Not the ids of the steps between, by which buildah
# names a step's parent: they change with the manifest of the base image in this machine's store, which no container sees.
image_content() {
  buildah_here inspect --type image --format '{{.Config}}' "$1" | sed -E 's/"comment":"FROM [^"]*"/"comment":""/g' | sha256sum | cut -c1-64
}

build_target() { # build_target TARGET IMAGE [OPTION OF THE BUILD]...: under long_step
  local options=(--target "$1" -t "$2" "${@:3}" --build-arg "VERSION=$(source_version)") config ignore='' dockerfile
  ! is_foreign || options+=(--platform "linux/$(image_arch)")
  for config in "$HOME/.nuget/NuGet/NuGet.Config" "$HOME/.config/NuGet/NuGet.Config"; do
    [ ! -f "$config" ] || break
    config=''
  done
  if use_docker; then
    [ -z "$config" ] || options+=(--secret "id=nugetconfig,src=$config")
    DOCKER_BUILDKIT=1 docker build --network host --build-arg "REVISION=$(source_revision)" "${options[@]}" .
    return
  fi
  mkdir -p "$INDEXOPERATOR_CACHE/nuget"
  # Docker knows it by itself; this buildah leaves it out of what is run. Mounted while building, in no layer: packages, and what follows.
  options+=(--build-arg "TARGETARCH=$(image_arch)" --volume "$INDEXOPERATOR_CACHE/nuget:/root/.nuget/packages:rw")
  ! is_foreign || options+=(--build-arg "BUILDPLATFORM=linux/$(machine_arch)")
  [ -z "$config" ] || options+=(--volume "$config:/root/.nuget/NuGet/NuGet.Config:ro" --secret "id=nugetconfig,src=$config")
  [ ! -d /etc/ssl/certs ] || options+=(--volume /etc/ssl/certs:/etc/ssl/certs:ro)
  [ ! -d /usr/local/share/ca-certificates ] || options+=(--volume /usr/local/share/ca-certificates:/usr/local/share/ca-certificates:ro)
  if [ ! -e .dockerignore ]; then
    ignore=$(mktemp)
    printf '**/bin\n**/obj\n.git\nartifacts\n**/TestResults\n' >"$ignore"
    options+=(--ignorefile "$ignore")
  fi
  mapfile -t -O "${#options[@]}" options < <(stand_in_options)
  # Written out: of a label that an argument or an option sets, this buildah takes an earlier value from its layers; and where one stage has
  # a platform of its own, it takes that for the next ones.
  dockerfile=$(mktemp)
  sed "s/\${REVISION}/$(source_revision)/" Dockerfile >"$dockerfile"
  ! is_foreign || sed -i "s,^FROM \\\${,FROM --platform=linux/$(image_arch) \${," "$dockerfile"
  # In a process namespace of its own: a compiler server that the build leaves behind ends with it. Times say nothing, so that the same
  # source gives the same image.
  unshare --pid --fork --kill-child buildah "${BUILDAH_STORAGE[@]}" bud --isolation chroot --layers --timestamp 0 --pull=false \
    --network host "${options[@]}" -f "$dockerfile" .
  rm -f "$dockerfile" ${ignore:+"$ignore"}
}

build() {
  local targets=("$@") target hash built id
  [ ${#targets[@]} != 0 ] || targets=("${TARGETS[@]}")
  need_known_arch
  [ -f "$CONTEXT/Dockerfile" ] || die "no Dockerfile in $CONTEXT" "images are built from the repository" "set INDEXOPERATOR_CONTEXT to the folder that has it"
  cd "$CONTEXT"
  if ! use_docker; then
    need_root "building images with buildah"
    need_commands buildah
  fi
  hold_lock "$INDEXOPERATOR_CACHE/images.lock" "building images"
  use_docker || buildah_here rm --all >/dev/null 2>&1 || true # what an interrupted build left mounted
  hash=$(source_hash)
  for target in "${targets[@]}"; do
    # Not a label in the image: buildah keeps the old one when all layers come from its cache.
    built="$INDEXOPERATOR_CACHE/images/$target-$TAG.built"
    id=$(image_id "$(image_of "$target")" 2>/dev/null) || id=''
    if [ -n "$id" ] && [ "$(cat "$built" 2>/dev/null)" = "$hash $id" ]; then
      log "image $target is up to date"
      continue
    fi
    use_docker || ensure_base_images
    long_step "Building image $target with $BUILD_WITH" "15-90 s" build_target "$target" "$(image_of "$target")"
    mkdir -p "$INDEXOPERATOR_CACHE/images"
    printf '%s %s\n' "$hash" "$(image_id "$(image_of "$target")")" >"$built"
  done
}

reproduce() { # reproduce [TARGET]...
  local targets=("$@") target image again id added
  [ ${#targets[@]} != 0 ] || targets=("${TARGETS[@]}")
  if use_docker; then # 77, as other suites' skipped tests
    log "cannot compare images of docker: its builds note when they ran. Run this where no docker daemon answers"
    exit 77
  fi
  build "${targets[@]}"
  for target in "${targets[@]}"; do
    image=$(image_of "$target")
    buildah_here images --all --quiet --no-trunc | sort >"$INDEXOPERATOR_CACHE/images/before"
    long_step "Building image $target from nothing" "2 min" build_target "$target" "$image-again" --no-cache
    id=$(image_content "$image") again=$(image_content "$image-again")
    # Both are kept where they differ: the next step compares them.
    [ "$id" = "$again" ] || die "image $target is not reproducible" "the same source gave the content sha256:$id, then sha256:$again" \
      "find what differs: buildah ${BUILDAH_STORAGE[*]} from $image, then $image-again, 'buildah mount' of both, diff -r"
    buildah_here rmi "$image-again" >/dev/null # the name alone
    mapfile -t added < <(buildah_here images --all --quiet --no-trunc | sort | comm -13 "$INDEXOPERATOR_CACHE/images/before" -)
    [ ${#added[@]} = 0 ] || buildah_here rmi --force "${added[@]}" >/dev/null
    log "image $target: twice the content sha256:$id"
  done
}

# ---- loading -----------------------------------------------------------------------------------------------------------

ctr_import() { # ctr_import DIR ARCHIVE
  ctr --address "$(containerd_socket "$1")" -n k8s.io images import "$2" >/dev/null ||
    die "could not load $2" "containerd of the node in $1 refused or does not run" "hack/node.sh status $1"
}

archive_of() { # archive_of TARGET: the built image as a docker archive in the cache; prints its path
  local target=$1 id archive partial
  id=$(image_id "$(image_of "$target")" 2>/dev/null) || id=''
  [ -n "$id" ] || die "no image $(image_of "$target")" "it was not built" "hack/images.sh build $target"
  mkdir -p "$INDEXOPERATOR_CACHE/images"
  archive="$INDEXOPERATOR_CACHE/images/$target-$TAG-${id:0:20}.tar"
  if [ ! -s "$archive" ]; then
    rm -f "$INDEXOPERATOR_CACHE/images/$target-$TAG"-*
    partial="$archive.partial"
    if use_docker; then
      docker tag "$(image_of "$target")" "indexoperator/$target:$TAG"
      docker save "indexoperator/$target:$TAG" -o "$partial"
    else
      buildah_here push -q "$(image_of "$target")" "docker-archive:$partial:$(image_of "$target")" >/dev/null
    fi
    mv "$partial" "$archive"
  fi
  printf '%s\n' "$archive"
}

load() { # load DIR [TARGET]...
  local dir=$1 targets=("${@:2}") target archive
  [ ${#targets[@]} != 0 ] || targets=("${TARGETS[@]}")
  for target in "${targets[@]}"; do
    archive=$(archive_of "$target")
    if [ "$(cat "$dir/containerd/loaded-$target" 2>/dev/null)" = "$archive" ]; then
      log "image $target is already in the node"
      continue
    fi
    log "loading image $target ($(du -h "$archive" | cut -f1)) into the node"
    ctr_import "$dir" "$archive"
    printf '%s\n' "$archive" >"$dir/containerd/loaded-$target"
  done
}

save() { # save FOLDER [TARGET]...
  local folder=$1 targets=("${@:2}") target
  [ ${#targets[@]} != 0 ] || targets=("${TARGETS[@]}")
  mkdir -p "$folder"
  for target in "${targets[@]}"; do
    ln -f "$(archive_of "$target")" "$folder/$target.tar"
  done
}

unpack() { # unpack FOLDER [TARGET]...
  local folder=$1 targets=("${@:2}") target container
  [ ${#targets[@]} != 0 ] || targets=("${TARGETS[@]}")
  ! use_docker || die "cannot unpack images of docker" "it is buildah that lays them open" "BUILD_WITH=buildah hack/images.sh build, then unpack"
  for target in "${targets[@]}"; do
    container=$(buildah_here from --pull-never --arch "$(image_arch)" "$(image_of "$target")") || die "no image $(image_of "$target")" "it was not built" "hack/images.sh build $target"
    mkdir -p "$folder/$target"
    cp -a "$(buildah_here mount "$container")/." "$folder/$target/"
    buildah_here rm "$container" >/dev/null
    buildah_here inspect --type image --format '{{.Config}}' "$(image_of "$target")" >"$folder/$target.json"
  done
}

# The process that holds a pod's namespaces: waits for ever, collects orphans, goes when told.
build_pause() { # build_pause FILE
  local folder
  folder=$(mktemp -d)
  cat >"$folder/pause.c" <<'C'
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void stop(int signal) { (void)signal; _exit(0); }
static void reap(int signal) { (void)signal; while (waitpid(-1, NULL, WNOHANG) > 0) {} }
int main(void) {
  signal(SIGINT, stop);
  signal(SIGTERM, stop);
  signal(SIGCHLD, reap);
  for (;;) pause();
}
C
  gcc -Os -static -o "$folder/pause" "$folder/pause.c"
  strip "$folder/pause"
  printf 'FROM scratch\nCOPY pause /pause\nUSER 65535:65535\nENTRYPOINT ["/pause"]\n' >"$folder/Dockerfile"
  build_small "$PAUSE_IMAGE" "$folder" "$1"
}

# What the demo copies data into a claim with: Debian's static busybox.
build_loader() { # build_loader FILE
  local folder
  folder=$(mktemp -d)
  cp "$(command -v busybox)" "$folder/busybox"
  printf 'FROM scratch\nCOPY busybox /bin/busybox\nUSER 65532:65532\nENTRYPOINT ["/bin/busybox"]\n' >"$folder/Dockerfile"
  build_small "$LOADER_IMAGE" "$folder" "$1"
}

build_small() { # build_small IMAGE FOLDER FILE: from the Dockerfile in FOLDER, which is gone then, into a docker archive
  # In a process namespace of its own: a compiler server that the build leaves behind ends with it.
  unshare --pid --fork --kill-child buildah "${BUILDAH_STORAGE[@]}" bud --isolation chroot -t "$1" "$2"
  buildah_here push "$1" "docker-archive:$3.partial:$1"
  mv "$3.partial" "$3"
  rm -rf "$2"
}

load_small() { # load_small DIR NAME COMMAND: the image that build_NAME makes by means of COMMAND
  local archive="$INDEXOPERATOR_CACHE/images/$2-1.tar"
  if [ ! -s "$archive" ]; then
    need_commands "$3" buildah
    mkdir -p "$(dirname "$archive")"
    long_step "Building the $2 image" "3 s" "build_$2" "$archive"
  fi
  ctr_import "$1" "$archive"
}

main() {
  local command=${1:-}
  case $command in
    -h | --help | help) usage; exit 0 ;;
    build) build "${@:2}" ;;
    reproduce) reproduce "${@:2}" ;;
    save | unpack) "$command" "${2:?$command needs a folder}" "${@:3}" ;;
    load | load-file | load-pause | load-loader)
      [ -d "${2:-}" ] || die "$command needs the folder of a node" "${2:-nothing} is no folder" "hack/images.sh $command $INDEXOPERATOR_STATE/demo"
      case $command in
        load) load "$(realpath "$2")" "${@:3}" ;;
        load-file) ctr_import "$(realpath "$2")" "${3:?load-file needs an archive}" ;;
        load-pause) load_small "$(realpath "$2")" pause gcc ;;
        load-loader) load_small "$(realpath "$2")" loader busybox ;;
      esac
      ;;
    clean)
      need_root "removing images"
      buildah_here rmi --all --force >/dev/null 2>&1 || true
      rm -rf "$INDEXOPERATOR_CACHE/images" "$INDEXOPERATOR_CACHE/buildah" "$INDEXOPERATOR_CACHE/released"
      ;;
    *) usage >&2; die "unknown command: ${command:-(none)}" ;;
  esac
}

main "$@"
