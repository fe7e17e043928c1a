# shellcheck shell=bash
# Base images for machines that cannot pull them: a Debian root plus this machine's own .NET, tagged with the name that the
# Dockerfile pins, and given to it without the digest, so that buildah never dials out. Sourced by images.sh.

# shellcheck source=foreign.sh
. "$HACK/lib/foreign.sh"

BASE_REGISTRY=mcr.microsoft.com
BASE_PACKAGES=ca-certificates,libssl3,libicu72,tzdata,libstdc++6,zlib1g,libgcc-s1,passwd
NATIVE_PACKAGES=gcc,libc6-dev,zlib1g-dev # for images whose name ends in -aot
# All that images whose name ends in -chiseled have of their root: no shell, no package manager, no tools.
CHISELED_PACKAGES=(base-files libc6 libgcc-s1 libssl3 libstdc++6 zlib1g)
CHISELED_FILES=(./etc/ssl/certs/ca-certificates.crt ./etc/passwd ./etc/group ./etc/nsswitch.conf ./etc/ld.so.cache ./tmp/)
STAND_IN_LABEL=io.indexoperator.stand-in

# Prints ARGUMENT NAME of each base image of the Dockerfile: ARG ARGUMENT_NAME=registry/NAME, or as releases before 0.2.0 have it,
# ARG ARGUMENT_IMAGE=registry/NAME@DIGEST.
base_images() {
  sed -nE "s,^ARG ([A-Z_]+)_(NAME|IMAGE)=$BASE_REGISTRY/([^@]+)(@sha256:[0-9a-f]{64})?\$,\1 \3,p" Dockerfile
}

stand_in_options() { # prints options of buildah, a line each, that put stand-ins in place of base images
  registry_answers || base_images | sed -E "s|(.*) (.*)|--build-arg=\1_IMAGE=$(stand_in_of '\2')\n--build-arg=\1_DIGEST=|"
}

stand_in_of() { # stand_in_of NAME: the stand-in's name, under which no other architecture's is
  printf '%s/%s%s\n' "$BASE_REGISTRY" "$1" "$(! is_foreign || printf -- '-for-%s' "$(image_arch)")"
}

storage_driver() { # overlay cannot lie on overlay, as in most containers
  case $(stat -f -c %T "$INDEXOPERATOR_CACHE") in
    overlayfs) echo vfs ;;
    *) if grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null; then echo overlay; else echo vfs; fi ;;
  esac
}

mkdir -p "$INDEXOPERATOR_CACHE"
BUILDAH_STORAGE=(--root "$INDEXOPERATOR_CACHE/buildah/storage" --runroot /run/indexoperator-buildah
  --storage-driver "$(storage_driver)")

buildah_here() { buildah "${BUILDAH_STORAGE[@]}" "$@"; }

dotnet_root() {
  local program
  program=$(command -v dotnet) && dirname "$(readlink -f "$program")"
}

stand_in_key() { # changes with whatever a stand-in is made of
  {
    printf '%s\n' "4 $BASE_PACKAGES $NATIVE_PACKAGES ${CHISELED_PACKAGES[*]} ${CHISELED_FILES[*]} $(uname -m)"
    ! is_foreign || printf '%s %s\n' "$(image_arch)" "$CROSS_PACKAGES"
    find "$(dotnet_root)/shared" "$(dotnet_root)/sdk" -mindepth 1 -maxdepth 2 -name '[0-9]*' 2>/dev/null | sort
  } | sha256sum | cut -c1-16
}

registry_answers() {
  [ "${INDEXOPERATOR_STAND_INS:-}" != yes ] || return 1
  [ "${INDEXOPERATOR_STAND_INS:-}" != no ] || return 0
  if [ -z "${REGISTRY_ANSWERS:-}" ]; then
    REGISTRY_ANSWERS=no
    if curl -fsS --connect-timeout 3 --max-time 6 -o /dev/null "https://$BASE_REGISTRY/v2/" 2>/dev/null; then REGISTRY_ANSWERS=yes; fi
    export REGISTRY_ANSWERS
    [ "$REGISTRY_ANSWERS" = yes ] || log "$BASE_REGISTRY does not answer: base images are made from Debian packages and this machine's .NET"
  fi
  [ "$REGISTRY_ANSWERS" = yes ]
}

packages_of() { # packages_of NAME: what the Debian root of an image holds
  case $1 in
    *-aot) printf '%s,%s%s\n' "$BASE_PACKAGES" "$NATIVE_PACKAGES" "$(! is_foreign || printf ',%s' "$CROSS_PACKAGES")" ;;
    *) printf '%s\n' "$BASE_PACKAGES" ;;
  esac
}

root_entry() { # root_entry PACKAGES: where in the cache their root is
  printf 'root/bookworm-%s-%s\n' "$(uname -m)" "$(sha256sum <<<"$1" | cut -c1-12)"
}

ensure_root() { # ensure_root PACKAGES
  local entry directory
  entry=$(root_entry "$1")
  [ ! -d "$INDEXOPERATOR_CACHE/$entry" ] || return 0
  directory=$(cache_begin "$entry")
  long_step "Making a Debian root for images" "20 s" build_root "$directory/root.tar" "$1"
  cache_commit "$directory" "$entry"
}

build_root() { # build_root FILE PACKAGES: under long_step
  step_progress "unpacking Debian packages"
  # shellcheck disable=SC2016
  mmdebstrap --variant=essential --include="$2" --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='chroot "$1" groupadd --gid 1654 app' \
    --customize-hook='chroot "$1" useradd --uid 1654 --gid 1654 --create-home app' \
    --customize-hook='ln -s /usr/share/dotnet/dotnet "$1/usr/bin/dotnet"' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*' \
    bookworm "$1" "$(debian_mirror)"
}

chisel() { # chisel ROOT.tar FILE: the parts of a root that chiseled images have
  local folder package
  folder=$(mktemp -d)
  tar -xf "$1" -C "$folder" --exclude='./dev/*'
  # Packages list what they bring to /lib as it was before that became a link to /usr/lib.
  for package in "${CHISELED_PACKAGES[@]}"; do
    find "$folder/var/lib/dpkg/info" -name "$package.list" -o -name "$package:*.list"
  done | xargs cat | sed 's|^/lib|/usr/lib|; s|^/|./|' | grep -v '^\./usr/share/doc\|/gconv\|^\./usr/share/lintian' | sort -u >"$folder/wanted"
  {
    # Files alone: tar would take folders with all that is in them. The links of the root (/lib, /bin) are no package's.
    (cd "$folder" && while read -r path; do if [ -L "$path" ] || [ -f "$path" ]; then printf "%s\n" "$path"; fi; done <wanted)
    (cd "$folder" && find . -maxdepth 1 -type l)
    printf '%s\n' "${CHISELED_FILES[@]}"
  } | sort -u >"$folder/paths"
  tar -cf "$2" -C "$folder" --no-recursion --files-from="$folder/paths"
  rm -rf "$folder"
}

build_stand_in() { # build_stand_in NAME KEY: under long_step
  local name=$1 key=$2 dotnet container part parts root arch
  dotnet=$(dotnet_root)
  arch=$(machine_arch)
  case $name in
    dotnet/sdk:*) parts=(.) ;;
    dotnet/aspnet:*) parts=(dotnet host shared/Microsoft.NETCore.App shared/Microsoft.AspNetCore.App) ;;
    *) parts=() ;;
  esac
  container=$(buildah_here from scratch)
  step_progress "$name: Debian root"
  root="$INDEXOPERATOR_CACHE/$(root_entry "$(packages_of "$name")")/root.tar"
  if [[ $name == *-chiseled ]]; then
    chisel "$root" "$INDEXOPERATOR_CACHE/chiseled.tar"
    root="$INDEXOPERATOR_CACHE/chiseled.tar"
  fi
  if is_foreign && [[ $name != dotnet/sdk:* ]]; then # the SDK runs here, and compiles for the other
    step_progress "$name: packages of $(image_arch)"
    arch=$(image_arch)
    foreign_root "$root" "$INDEXOPERATOR_CACHE/foreign.tar"
    root="$INDEXOPERATOR_CACHE/foreign.tar"
    dotnet=$(mktemp -d)
    if [ ${#parts[@]} != 0 ]; then
      parts=(host shared)
      foreign_dotnet "$dotnet"
    fi
  fi
  buildah_here add -q "$container" "$root" /
  step_progress "$name: .NET from $dotnet"
  for part in "${parts[@]}"; do
    if [ -d "$dotnet/$part" ]; then
      buildah_here copy -q "$container" "$dotnet/$part" "/usr/share/dotnet/$part"
    else
      buildah_here copy -q "$container" "$dotnet/$part" "/usr/share/dotnet/"
    fi
  done
  # The variables of the real images. Revocation servers are as far away as the registry.
  buildah_here config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --env APP_UID=1654 \
    --env DOTNET_RUNNING_IN_CONTAINER=true --env DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=true --env ASPNETCORE_HTTP_PORTS=8080 --env DOTNET_ROOT=/usr/share/dotnet \
    --arch "$arch" --label "$STAND_IN_LABEL=$key" "$container"
  [[ $name != dotnet/sdk:* ]] || buildah_here config --env NUGET_XMLDOC_MODE=skip --env DOTNET_CLI_TELEMETRY_OPTOUT=1 \
    --env DOTNET_NOLOGO=1 --env NUGET_CERT_REVOCATION_MODE=offline --env MSBUILDDISABLENODEREUSE=1 --env UseSharedCompilation=false "$container"
  step_progress "$name: writing the image"
  buildah_here commit -q --rm "$container" "$(stand_in_of "$name")"
  [ "$arch" = "$(machine_arch)" ] || rm -rf "$dotnet"
}

build_stand_ins() { # build_stand_ins KEY NAME...
  local key=$1 name
  shift
  for name in "$@"; do build_stand_in "$name" "$key"; done
}

ensure_base_images() {
  local name key label names missing=()
  ! registry_answers || return 0 # what is pinned by a digest, buildah pulls itself
  key=$(stand_in_key)
  mapfile -t names < <(base_images | cut -d' ' -f2)
  [ ${#names[@]} != 0 ] || die "found no base image in the Dockerfile" "it has no line 'ARG ..._NAME=$BASE_REGISTRY/...'" "adapt base_images in hack/lib/stand-ins.sh to it"
  for name in "${names[@]}"; do
    label=$(image_label "$(stand_in_of "$name")" "$STAND_IN_LABEL") || label=''
    [ "$label" = "$key" ] || missing+=("$name")
  done
  [ ${#missing[@]} != 0 ] || return 0
  need_commands mmdebstrap
  dotnet_root >/dev/null || die "no .NET on this machine" "base images cannot be pulled, and stand-ins are made of the machine's own .NET" "install the .NET SDK"
  for name in "${missing[@]}"; do ensure_root "$(packages_of "$name")"; done
  long_step "Making stand-ins for ${missing[*]}" "40 s" build_stand_ins "$key" "${missing[@]}"
}
