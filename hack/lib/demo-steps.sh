# shellcheck shell=bash
# The steps of the demo. Sourced by hack/demo.sh, which sets NAME, NAMESPACE, DOCUMENTS, OWN_CLUSTER and the images.
# shellcheck disable=SC2153

REPOSITORY="$(dirname "$HACK")"
OPERATOR_NAMESPACE=index-operator-system

k() { kubectl --namespace "$NAMESPACE" "$@"; }

index_field() { k get pretrainindex "$1" -o "jsonpath={$2}"; }
version_of() { index_field "$1" .status.current.version; }

# ---- cluster -----------------------------------------------------------------------------------------------------------

start_cluster() {
  CLUSTER_DIR='' CLUSTER_WAS_UP=no
  if [ "$OWN_CLUSTER" = yes ]; then
    CLUSTER_DIR="$INDEXOPERATOR_STATE/$NAME"
    ! "$HACK/cluster.sh" status --name "$NAME" >/dev/null 2>&1 || CLUSTER_WAS_UP=yes
    KUBECONFIG=$("$HACK/cluster.sh" up --name "$NAME")
    export KUBECONFIG
  fi
  SERVER_MINOR=$(kubectl get --raw /version | sed -nE 's/.*"minor": *"([0-9]+).*/\1/p')
  [ -n "$SERVER_MINOR" ] || die "the cluster does not answer" "kubectl get --raw /version gave no version" "check $KUBECONFIG"
  log "Kubernetes 1.$SERVER_MINOR answers"
}

keep_logs() {
  rm -rf "$INDEXOPERATOR_CACHE/logs/last-demo"
  [ ! -d "$CLUSTER_DIR/logs" ] || cp -r "$CLUSTER_DIR/logs" "$INDEXOPERATOR_CACHE/logs/last-demo"
}

# ---- input -------------------------------------------------------------------------------------------------------------

text_corpus() {
  dotnet run --project "$REPOSITORY/tools/TextCorpus" --configuration Release -- "$@"
}

make_input() {
  INPUT="$INDEXOPERATOR_CACHE/demo-input"
  rm -rf "$INPUT"
  mkdir -p "$INPUT"
  text_corpus --output "$INPUT" --documents "$DOCUMENTS"
}

change_input() {
  text_corpus --output "$INPUT" --append 200 --datasets manpages
  copy_input
}

copy_input() {
  if [ "$OWN_CLUSTER" = yes ]; then
    cp "$INPUT"/*.bin "$INPUT"/*.idx "$CLUSTER_DIR/volumes/corpus/"
    chmod a+r "$CLUSTER_DIR/volumes/corpus"/*
  else
    k wait --for=condition=Ready pod/loader --timeout=5m >/dev/null
    # The files, not their folder: the loader may not change the times of a volume's root.
    (cd "$INPUT" && tar -cf - -- *.bin *.idx) | k exec -i loader -- /bin/busybox tar -C /data -xf -
  fi
}

# ---- operator ----------------------------------------------------------------------------------------------------------

install_operator() {
  local validate=() rendered
  if [ -z "$OPERATOR_IMAGE$BUILDER_IMAGE" ]; then
    "$HACK/images.sh" build
    load_images
  fi
  # Older API servers do not know the schema's CEL rules and drop them; kubectl's validation would refuse the file instead.
  [ "$SERVER_MINOR" -ge 25 ] || validate=(--validate=false)
  if [ -z "$OPERATOR_IMAGE$BUILDER_IMAGE" ]; then
    kubectl apply "${validate[@]}" -k "$REPOSITORY/config/default"
  else
    rendered=$(kubectl kustomize "$REPOSITORY/config/default")
    rendered=${rendered//indexoperator\/operator:dev/${OPERATOR_IMAGE:?give --operator-image too}}
    rendered=${rendered//indexoperator\/builder:dev/${BUILDER_IMAGE:?give --builder-image too}}
    kubectl apply "${validate[@]}" -f - <<<"$rendered"
  fi
  # A rebuilt image has the same name: the pod must be made anew to run it.
  if [ "$CLUSTER_WAS_UP" = yes ]; then
    kubectl -n "$OPERATOR_NAMESPACE" rollout restart deployment/index-operator
  fi
  kubectl wait --for=condition=Established crd/pretrainindexes.indexoperator.io --timeout=30s
  kubectl -n "$OPERATOR_NAMESPACE" rollout status deployment/index-operator --timeout=3m
}

load_images() {
  local context
  context=$(kubectl config current-context)
  if [ "$OWN_CLUSTER" = yes ]; then
    "$HACK/images.sh" load "$CLUSTER_DIR"
  elif [[ $context == kind-* ]] && command -v kind >/dev/null; then
    "$HACK/images.sh" save "$INDEXOPERATOR_CACHE/images"
    kind load image-archive --name "${context#kind-}" "$INDEXOPERATOR_CACHE/images/operator.tar"
    kind load image-archive --name "${context#kind-}" "$INDEXOPERATOR_CACHE/images/builder.tar"
  else
    die "the existing cluster has no way to get the images" "it is not made by kind, so they cannot be loaded" \
      "push them to a registry it can pull from and give --operator-image and --builder-image"
  fi
}

# ---- claims and the resource -------------------------------------------------------------------------------------------

make_claims() {
  kubectl create namespace "$NAMESPACE" --dry-run=client -o yaml | kubectl apply -f - >/dev/null
  # A clean start: what an earlier demo left would answer in place of this one.
  k delete pretrainindexes,pods --all --grace-period=1 --timeout=2m >/dev/null
  if [ "$OWN_CLUSTER" = yes ]; then
    "$HACK/volume.sh" "$CLUSTER_DIR" "$NAMESPACE" corpus fresh
    "$HACK/volume.sh" "$CLUSTER_DIR" "$NAMESPACE" npy-index fresh
  else
    claim corpus
    claim npy-index
    loader_pod
  fi
  copy_input
}

claim() { # claim NAME
  k apply -f - <<MANIFEST
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $1}
spec:
  ${DEMO_STORAGE_CLASS:+storageClassName: $DEMO_STORAGE_CLASS}
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
MANIFEST
}

loader_pod() {
  k apply -f - <<MANIFEST
apiVersion: v1
kind: Pod
metadata: {name: loader}
spec:
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 65532, fsGroup: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: loader
    image: ${DEMO_LOADER_IMAGE:-busybox:1.37}
    command: [/bin/busybox, sleep, "7200"]
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: corpus}}]
MANIFEST
}

apply_index() { # apply_index NAME DATA_VERSION
  local edit=(-e "s/^  name: web-mix$/  name: $1/" -e "s/^  dataVersion: .*/  dataVersion: \"$2\"/")
  # Builds go to GPU nodes; on a cluster without any, the demo takes what there is.
  [ -n "$(kubectl get nodes -l nvidia.com/gpu.present=true -o name)" ] || edit+=(-e 's/^  cache:$/  build: {placement: Any}\n  cache:/')
  sed "${edit[@]}" "$REPOSITORY/config/samples/web-mix.yaml" | k apply -f -
}

# Shows every change of the resource's progress until the promise of the README holds: kubectl wait returns.
watch_until_ready() { # watch_until_ready NAME
  local name=$1 seen='' line generation waiter code=0
  generation=$(index_field "$name" .metadata.generation)
  (
    # Ready may still be that of the spec before: wait for the operator to have seen this one.
    until [ "$(index_field "$name" .status.observedGeneration)" = "$generation" ]; do sleep 0.2; done
    k wait --for=condition=Ready "pretrainindex/$name" --timeout=5m
  ) &
  waiter=$!
  while kill -0 "$waiter" 2>/dev/null; do
    line=$(k get pretrainindex "$name" -o \
      'jsonpath={.status.conditions[?(@.type=="Ready")].reason}{"  "}{.status.build.progress}{"  "}{.status.build.job}' 2>/dev/null || true)
    if [ -n "${line// /}" ] && [ "$line" != "$seen" ]; then
      log "$name  $line"
      seen=$line
    fi
    sleep 0.3
  done
  wait "$waiter" || code=$?
  if [ "$code" != 0 ]; then
    k describe pretrainindex "$name" >&2
    die "$name did not become Ready" "the conditions and events above tell why"
  fi
  k get pretrainindex "$name"
}

show_events() { # show_events NAME
  k get events --field-selector "involvedObject.name=$1" -o 'custom-columns=TYPE:.type,REASON:.reason,MESSAGE:.message'
}

# ---- training pods -----------------------------------------------------------------------------------------------------

# A pod with the data and one version mounted read-only, as a training pod has them. It waits for what never comes until it is deleted: its
# image has no sleep.
start_reader() { # start_reader POD VERSION
  local edit=(-e "s/00000000000000000000/$2/" -e "s/^  name: web-mix-reader$/  name: $1/" -e 's|^    args: .*|    args: [wait, --annotations, /nowhere]|')
  [ -z "$BUILDER_IMAGE" ] || edit+=(-e "s#indexoperator/builder:dev#$BUILDER_IMAGE#")
  sed "${edit[@]}" "$REPOSITORY/config/samples/training-pod.yaml" | k apply -f -
  k wait --for=condition=Ready "pod/$1" --timeout=2m
}

show_samples() { # show_samples POD
  k exec "$1" -- index-builder inspect /npy_index --split train --sample 0 --count 3 --decode bytes
}

show_old_and_new() { # show_old_and_new POD OLD_VERSION
  log "the pod that started before still reads $2:"
  k exec "$1" -- index-builder inspect /npy_index | head -n 8
  log "new pods get $(version_of web-mix):"
  k get pretrainindex web-mix -o \
    'custom-columns=NAME:.metadata.name,CURRENT:.status.current.version,DATA:.status.current.dataVersion,PREVIOUS:.status.previous[*].version'
}

remove_from_cluster() {
  kubectl delete namespace "$NAMESPACE" --ignore-not-found --timeout=3m
  kubectl delete -k "$REPOSITORY/config/default" --ignore-not-found --timeout=3m
}
