# shellcheck shell=bash
# Which Kubernetes is used, and the addresses that all scripts agree on. Sourced after common.sh.

# shellcheck disable=SC2034  # used by the scripts that source this

# Newest first. The official release is taken before the build from Debian's source package.
KUBERNETES_RELEASE=v1.33.5
KUBERNETES_CACHED=("kubernetes/$KUBERNETES_RELEASE" kubernetes/v1.20.2-debian2)

SERVICE_CIDR=${INDEXOPERATOR_SERVICE_CIDR:-10.0.0.0/24}
SERVICE_IP="${SERVICE_CIDR%.*}.1" # what Kubernetes gives to the service "kubernetes"

version_of() { # version_of PROGRAM -> v1.33.5
  "$1" --version 2>/dev/null | grep -o 'v[0-9][0-9.]*' | head -n 1
}

minor_of() { # minor_of v1.33.5 -> 33
  cut -d. -f2 <<<"$1"
}

cached_kubernetes() { # the folder of the newest complete set in the cache
  local entry
  for entry in ${INDEXOPERATOR_KUBERNETES_ENTRY:-} "${KUBERNETES_CACHED[@]}"; do
    [ -x "$INDEXOPERATOR_CACHE/$entry/kube-apiserver" ] || continue
    printf '%s\n' "$INDEXOPERATOR_CACHE/$entry"
    return
  done
  return 1
}

assets_usable() { [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$KUBEBUILDER_ASSETS/kube-apiserver" ]; }

# kubernetes_program NAME: prints its path. All come from one release: KUBEBUILDER_ASSETS, else the cache. Where
# KUBEBUILDER_ASSETS lacks one (envtest's archives hold only apiserver, etcd and kubectl), the cache fills in if it has
# the same minor version; another version is used only when INDEXOPERATOR_MIX_VERSIONS=yes says so.
kubernetes_program() {
  local name=$1 cached version wanted
  if assets_usable && [ -x "$KUBEBUILDER_ASSETS/$name" ]; then
    printf '%s\n' "$KUBEBUILDER_ASSETS/$name"
    return
  fi
  cached=$(cached_kubernetes) || cached=''
  if [ -z "$cached" ] || [ ! -x "$cached/$name" ]; then
    die "no $name" "neither KUBEBUILDER_ASSETS (${KUBEBUILDER_ASSETS:-not set}) nor the cache $INDEXOPERATOR_CACHE has it" \
      "run hack/provision.sh"
  fi
  if assets_usable; then
    version=$(version_of "$cached/$name")
    wanted=$(version_of "$KUBEBUILDER_ASSETS/kube-apiserver")
    if [ "$(minor_of "$version")" = "$(minor_of "$wanted")" ] || [ "${INDEXOPERATOR_MIX_VERSIONS:-}" = yes ]; then
      log "KUBEBUILDER_ASSETS ($wanted) has no $name: using $version from the cache"
    else
      die "no $name $wanted" "KUBEBUILDER_ASSETS ($KUBEBUILDER_ASSETS) has none, and the cached one is $version" \
        "put $name of the same release there, unset KUBEBUILDER_ASSETS to use $version throughout, or accept the mix with INDEXOPERATOR_MIX_VERSIONS=yes"
    fi
  fi
  printf '%s\n' "$cached/$name"
}

etcd_program() {
  if assets_usable && [ -x "$KUBEBUILDER_ASSETS/etcd" ]; then
    printf '%s\n' "$KUBEBUILDER_ASSETS/etcd"
  else
    command -v etcd || die "no etcd" "it is neither in KUBEBUILDER_ASSETS nor on PATH" "run hack/provision.sh"
  fi
}

# write_kubeconfig FILE SERVER CA CERTIFICATE KEY: everything embedded, so that the file can be handed around.
write_kubeconfig() {
  local temporary="$1.partial"
  (umask 077 && cat >"$temporary") <<KUBECONFIG
apiVersion: v1
kind: Config
current-context: indexoperator
clusters:
- name: indexoperator
  cluster: {server: "$2", certificate-authority-data: $(base64 -w0 "$3")}
users:
- name: user
  user: {client-certificate-data: $(base64 -w0 "$4"), client-key-data: $(base64 -w0 "$5")}
contexts:
- name: indexoperator
  context: {cluster: indexoperator, user: user}
KUBECONFIG
  mv "$temporary" "$1"
}

certificate_failed() {
  print_tail "$1/openssl.log"
  die "could not make the certificate $2" "openssl refused; its words are above"
}

# make_certificate FOLDER NAME SUBJECT [SUBJECT ALTERNATIVE NAMES]: signed by FOLDER/ca; an existing one is kept.
make_certificate() {
  local folder=$1 name=$2 subject=$3 names=${4:-} usage=clientAuth
  [ ! -s "$folder/$name.crt" ] || return 0
  [ -z "$names" ] || usage=serverAuth,clientAuth
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "$subject" \
    -keyout "$folder/$name.key" -out "$folder/$name.csr" 2>"$folder/openssl.log" || certificate_failed "$folder" "$subject"
  openssl x509 -req -in "$folder/$name.csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -days 3650 \
    -set_serial "0x$(openssl rand -hex 8)" -out "$folder/$name.crt.partial" -extfile <(
      printf 'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=%s\n' "$usage"
      [ -z "$names" ] || printf 'subjectAltName=%s\n' "$names"
    ) 2>>"$folder/openssl.log" || certificate_failed "$folder" "$subject"
  mv "$folder/$name.crt.partial" "$folder/$name.crt"
  rm -f "$folder/$name.csr"
}

make_authority() { # make_authority FOLDER
  mkdir -p "$1" && chmod 700 "$1"
  [ ! -s "$1/ca.crt" ] || return 0
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=indexoperator-ca -days 3650 \
    -addext 'keyUsage=critical,keyCertSign,cRLSign' -keyout "$1/ca.key" -out "$1/ca.crt.partial" 2>/dev/null
  mv "$1/ca.crt.partial" "$1/ca.crt"
}

# ---- the node ----------------------------------------------------------------------------------------------------------

NODE_NAME=indexoperator-node
BRIDGE=idxop0
POD_CIDR=${INDEXOPERATOR_POD_CIDR:-10.85.0.0/24}
BRIDGE_IP="${POD_CIDR%.*}.1" # also the address of the node and of the API server: on this machine only
PAUSE_IMAGE=localhost/indexoperator/pause:1

kubeconfig_server() { sed -n 's/.*server: "\([^"]*\)".*/\1/p' "$1"; }

containerd_socket() { printf '%s\n' "$1/containerd/containerd.sock"; }
