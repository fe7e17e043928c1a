#!/usr/bin/env bash
# A throw-away Kubernetes control plane: etcd, kube-apiserver, kube-controller-manager and, on request, kube-scheduler.
set -euo pipefail
HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=lib/common.sh
. "$HACK/lib/common.sh"
# shellcheck source=lib/kubernetes.sh
. "$HACK/lib/kubernetes.sh"

usage() {
  cat <<'HELP'
Usage: hack/control-plane.sh up DIR [--bind ADDR] [--advertise ADDR] [--with-scheduler] [--controllers LIST] [--admission LIST] [--audit]
       hack/control-plane.sh down DIR [--purge]
       hack/control-plane.sh status DIR
       hack/control-plane.sh stop-apiserver DIR | start-apiserver DIR | freeze-apiserver DIR | thaw-apiserver DIR
       hack/control-plane.sh compact DIR

up      starts what does not run yet, waits until it serves and the default namespace and service account exist, and
        prints the path of the administrator's kubeconfig, DIR/admin.kubeconfig, as its only line on standard output.
        Ports are chosen freely, so any number of control planes can run side by side. Needs no root.
          --bind ADDR        where the API server listens (default 127.0.0.1)
          --advertise ADDR   where pods reach it; becomes the endpoint of the service "kubernetes" (default: none)
          --with-scheduler   start kube-scheduler too
          --controllers LIST what the controller manager runs, such as *,-job (default: all that need no cloud)
          --admission LIST   admission plugins to enable beside the API server's own choice
          --audit            write the metadata of requests by service accounts, but for Kubernetes' own, to DIR/logs/audit.log
down    stops it; what is in etcd stays for the next up. --purge removes DIR.
status  says what runs; code 0 when all of it does and the API server is ready, else 1.
stop-apiserver, start-apiserver   an outage of the API server alone, with the same flags and port afterwards.
freeze-apiserver, thaw-apiserver  the same without a word: connections stay open and nobody answers.
compact  forgets every revision in etcd but the newest.

Everything is under DIR: pki/, *.kubeconfig, etcd/, logs/, run/ (process ids), settings.
The programs are those of KUBEBUILDER_ASSETS or of the cache (hack/provision.sh control-plane fills it).
HELP
}

# ---- settings: what up was asked for, kept so that restarts use the same flags and ports -------------------------------

load_settings() {
  BIND=127.0.0.1 ADVERTISE='' SCHEDULER='' CONTROLLERS='' ADMISSION='' AUDIT='' APISERVER_PORT='' ETCD_PORT='' ETCD_PEER_PORT='' MANAGER_PORT='' SCHEDULER_PORT=''
  # shellcheck source=/dev/null
  [ ! -s "$DIR/settings" ] || . "$DIR/settings"
}

save_settings() {
  local name
  for name in BIND ADVERTISE SCHEDULER CONTROLLERS ADMISSION AUDIT APISERVER_PORT ETCD_PORT ETCD_PEER_PORT MANAGER_PORT SCHEDULER_PORT; do
    printf '%s=%q\n' "$name" "${!name}"
  done >"$DIR/settings.partial"
  mv "$DIR/settings.partial" "$DIR/settings"
}

choose_ports() { # a remembered port that someone else has taken meanwhile is replaced
  local pair name daemon
  for pair in ETCD_PORT:etcd ETCD_PEER_PORT:etcd APISERVER_PORT:kube-apiserver MANAGER_PORT:kube-controller-manager \
    SCHEDULER_PORT:kube-scheduler; do
    name=${pair%%:*} daemon=${pair#*:}
    if daemon_running "$DIR" "$daemon"; then continue; fi
    if [ -z "${!name}" ] || port_in_use "${!name}"; then printf -v "$name" '%s' "$(free_port)"; fi
  done
}

server_address() { [ "$BIND" = 0.0.0.0 ] && echo 127.0.0.1 || printf '%s\n' "$BIND"; }

prepare_files() {
  local pki=$DIR/pki server names
  make_authority "$pki"
  names="IP:127.0.0.1,IP:$SERVICE_IP,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
  [ "$BIND" = 0.0.0.0 ] || [ "$BIND" = 127.0.0.1 ] || names+=",IP:$BIND"
  [ -z "$ADVERTISE" ] || names+=",IP:$ADVERTISE"
  if [ "$(cat "$pki/apiserver.names" 2>/dev/null)" != "$names" ]; then rm -f "$pki/apiserver.crt"; fi
  make_certificate "$pki" apiserver /CN=kube-apiserver "$names"
  printf '%s\n' "$names" >"$pki/apiserver.names"
  make_certificate "$pki" admin /O=system:masters/CN=admin
  make_certificate "$pki" apiserver-kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client
  make_certificate "$pki" controller-manager /CN=system:kube-controller-manager
  make_certificate "$pki" scheduler /CN=system:kube-scheduler
  [ -s "$pki/service-accounts.key" ] || openssl genrsa -out "$pki/service-accounts.key" 2048 2>/dev/null
  [ -s "$pki/service-accounts.pub" ] ||
    openssl rsa -in "$pki/service-accounts.key" -pubout -out "$pki/service-accounts.pub" 2>/dev/null
  server="https://$(server_address):$APISERVER_PORT"
  for names in admin controller-manager scheduler; do
    write_kubeconfig "$DIR/$names.kubeconfig" "$server" "$pki/ca.crt" "$pki/$names.crt" "$pki/$names.key"
  done
  # Controllers and administrators make most requests, and nobody asks about theirs.
  printf '%s\n' 'apiVersion: audit.k8s.io/v1' 'kind: Policy' 'omitStages: [RequestReceived]' 'rules:' \
    '- {level: None, userGroups: ["system:serviceaccounts:kube-system"]}' \
    '- {level: Metadata, userGroups: ["system:serviceaccounts"]}' '- {level: None}' >"$DIR/audit-policy.yaml"
}

# ---- the programs ------------------------------------------------------------------------------------------------------

start_etcd() {
  local program
  program=$(etcd_program)
  # Nothing in here is worth surviving a crash of the machine, so nothing waits for the disk.
  daemon_start "$DIR" etcd "$program" --name=default --data-dir="$DIR/etcd" --unsafe-no-fsync \
    --listen-client-urls="http://127.0.0.1:$ETCD_PORT" --advertise-client-urls="http://127.0.0.1:$ETCD_PORT" \
    --listen-peer-urls="http://127.0.0.1:$ETCD_PEER_PORT" --initial-advertise-peer-urls="http://127.0.0.1:$ETCD_PEER_PORT" \
    --initial-cluster="default=http://127.0.0.1:$ETCD_PEER_PORT" --force-new-cluster --log-level=warn
}

start_apiserver() {
  local program pki=$DIR/pki flags
  program=$(kubernetes_program kube-apiserver)
  flags=(--etcd-servers="http://127.0.0.1:$ETCD_PORT" --bind-address="$BIND" --secure-port="$APISERVER_PORT"
    --service-cluster-ip-range="$SERVICE_CIDR" --client-ca-file="$pki/ca.crt" --cert-dir="$pki"
    --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key"
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$pki/service-accounts.pub"
    --service-account-signing-key-file="$pki/service-accounts.key" "--authorization-mode=Node,RBAC" --allow-privileged
    --enable-admission-plugins="NodeRestriction${ADMISSION:+,$ADMISSION}" --kubelet-preferred-address-types=InternalIP
    --kubelet-client-certificate="$pki/apiserver-kubelet-client.crt"
    --kubelet-client-key="$pki/apiserver-kubelet-client.key")
  if [ -n "$ADVERTISE" ]; then
    flags+=(--advertise-address="$ADVERTISE")
  else # nobody is to reach it from outside: needs no network interface, and writes no endpoint. (A documentation address.)
    flags+=(--advertise-address=198.51.100.1 --endpoint-reconciler-type=none)
  fi
  [ -z "$AUDIT" ] || flags+=(--audit-log-path="$DIR/logs/audit.log" --audit-policy-file="$DIR/audit-policy.yaml" --audit-log-maxsize=500)
  daemon_start "$DIR" kube-apiserver "$program" "${flags[@]}"
}

# Flags that the controller manager and the scheduler share. Up to 1.23 they open a port without TLS by default.
common_flags() { # common_flags PROGRAM KUBECONFIG PORT
  printf '%s\n' --kubeconfig="$2" --authentication-kubeconfig="$2" --authorization-kubeconfig="$2" \
    --leader-elect=false --bind-address=127.0.0.1 --secure-port="$3" --cert-dir="$DIR/pki" \
    --kube-api-qps=200 --kube-api-burst=400
  [ "$(minor_of "$(version_of "$1")")" -gt 23 ] || printf '%s\n' --port=0
}

start_manager() {
  local program flags
  program=$(kubernetes_program kube-controller-manager)
  mapfile -t flags < <(common_flags "$program" "$DIR/controller-manager.kubeconfig" "$MANAGER_PORT")
  daemon_start "$DIR" kube-controller-manager "$program" "${flags[@]}" --use-service-account-credentials \
    --service-account-private-key-file="$DIR/pki/service-accounts.key" --root-ca-file="$DIR/pki/ca.crt" \
    --pvclaimbinder-sync-period=2s --controllers="${CONTROLLERS:-*,-cloud-node-lifecycle}"
}

start_scheduler() {
  local program flags
  program=$(kubernetes_program kube-scheduler)
  mapfile -t flags < <(common_flags "$program" "$DIR/scheduler.kubeconfig" "$SCHEDULER_PORT")
  daemon_start "$DIR" kube-scheduler "$program" "${flags[@]}"
}

# ---- conditions --------------------------------------------------------------------------------------------------------

api() { # api PATH
  curl -fsS --noproxy '*' --max-time 5 --cacert "$DIR/pki/ca.crt" --cert "$DIR/pki/admin.crt" --key "$DIR/pki/admin.key" \
    "https://$(server_address):$APISERVER_PORT$1"
}

healthz() { curl -fsSk --noproxy '*' --max-time 5 "https://127.0.0.1:$1/healthz"; }

# await DAEMON WHAT SECONDS COMMAND...: ends early, with the daemon's own last words, when it dies.
await() {
  local daemon=$1 what=$2 seconds=$3
  shift 3
  ok_or_dead() { ! daemon_running "$DIR" "$daemon" || "$@"; }
  if ! wait_for "$what" "$seconds" ok_or_dead "$@" || ! daemon_running "$DIR" "$daemon"; then
    print_tail "$DIR/logs/$daemon.log"
    die "no $what" "$daemon $(daemon_running "$DIR" "$daemon" && echo "did not get there in $seconds s" || echo "stopped"); the end of its log is above" \
      "read $DIR/logs/$daemon.log"
  fi
}

daemons() { echo etcd kube-apiserver kube-controller-manager ${SCHEDULER:+kube-scheduler}; }

healthy() {
  local name
  for name in $(daemons); do daemon_running "$DIR" "$name" || return 1; done
  api /readyz >/dev/null 2>&1
}

# ---- commands ----------------------------------------------------------------------------------------------------------

await_apiserver() { await kube-apiserver "answer from the API server at $(server_address):$APISERVER_PORT" 60 api /readyz; }

up() {
  need_commands openssl curl awk flock setsid
  mkdir -p "$DIR"
  hold_lock "$DIR/lock" "the control plane in $DIR"
  load_settings
  local bind=$BIND advertise=$ADVERTISE address
  while [ $# -gt 0 ]; do
    case $1 in
      --bind) bind=${2:?--bind needs an address}; shift ;;
      --advertise) advertise=${2:?--advertise needs an address}; shift ;;
      --with-scheduler) SCHEDULER=yes ;;
      --controllers) CONTROLLERS=${2:?--controllers needs a list}; shift ;;
      --admission) ADMISSION=${2:?--admission needs a list}; shift ;;
      --audit) AUDIT=yes ;;
      *) usage >&2; die "unknown option: $1" ;;
    esac
    shift
  done
  for address in "$bind" ${advertise:+"$advertise"}; do
    [[ $address =~ ^[0-9]+(\.[0-9]+){3}$ ]] || die "not an IPv4 address: $address" "--bind and --advertise take one" "see --help"
  done
  if [ "$bind $advertise" != "$BIND $ADVERTISE" ]; then
    ! daemon_running "$DIR" kube-apiserver ||
      die "cannot change the addresses of a running control plane" "it listens on $BIND, advertises ${ADVERTISE:-nothing}" \
        "run hack/control-plane.sh down $DIR first"
    BIND=$bind ADVERTISE=$advertise
  fi
  if healthy; then
    log "control plane already runs in $DIR"
    printf '%s\n' "$DIR/admin.kubeconfig"
    return
  fi
  # Also when the person presses Ctrl-C: all or nothing.
  trap 'code=$?; if [ $code != 0 ]; then log "stopping what was started"; stop_all; fi; exit $code' EXIT
  trap 'exit 130' INT TERM
  choose_ports
  save_settings
  start_etcd
  prepare_files
  local program
  program=$(kubernetes_program kube-apiserver)
  log "starting the control plane, Kubernetes $(version_of "$program"), in $DIR"
  await etcd "answer from etcd" 20 curl -fsS --noproxy '*' --max-time 5 "http://127.0.0.1:$ETCD_PORT/health"
  start_apiserver
  await_apiserver
  start_manager
  [ -z "$SCHEDULER" ] || start_scheduler
  await kube-controller-manager "answer from the controller manager" 30 healthz "$MANAGER_PORT"
  await kube-controller-manager "default service account" 30 api /api/v1/namespaces/default/serviceaccounts/default
  [ -z "$SCHEDULER" ] || await kube-scheduler "answer from the scheduler" 30 healthz "$SCHEDULER_PORT"
  trap - EXIT INT TERM
  log "control plane is up: https://$(server_address):$APISERVER_PORT"
  printf '%s\n' "$DIR/admin.kubeconfig"
}

# The API server would wait a minute for its open watches; nobody here needs that.
stop_apiserver() { daemon_stop "$DIR" kube-apiserver 2; }

signal_apiserver() { # signal_apiserver NAME
  local pid
  pid=$(daemon_pid "$DIR" kube-apiserver) || die "no API server runs in $DIR" "it was never up, or it ended" "hack/control-plane.sh status $DIR"
  kill -s "$1" "$pid"
}

etcd_call() { # etcd_call PATH BODY
  curl -sS --fail-with-body --noproxy '*' --max-time 10 -X POST -d "$2" "http://127.0.0.1:$ETCD_PORT/v3/kv/$1"
}

compact() {
  [ -s "$DIR/settings" ] || die "no control plane in $DIR" "it was never up" "hack/control-plane.sh up $DIR"
  load_settings
  local revision answer
  revision=$(etcd_call range '{"key":"AA=="}' | sed -nE 's/.*"revision":"([0-9]+)".*/\1/p')
  # The API server compacts too, now and then.
  answer=$(etcd_call compaction "{\"revision\":\"$revision\",\"physical\":true}") || [[ $answer == *"has been compacted"* ]] ||
    die "etcd does not compact" "$answer" "see $DIR/logs/etcd.log"
  log "etcd is compacted at revision $revision"
}

stop_all() {
  daemon_stop "$DIR" kube-scheduler
  daemon_stop "$DIR" kube-controller-manager
  stop_apiserver
  daemon_stop "$DIR" etcd
}

down() {
  local purge=''
  case ${1:-} in
    --purge) purge=yes ;;
    '') ;;
    *) usage >&2; die "unknown option: $1" ;;
  esac
  [ -d "$DIR" ] || { log "nothing in $DIR"; return; }
  [ -z "$purge" ] || [ -e "$DIR/lock" ] || [ -z "$(ls -A "$DIR")" ] ||
    die "will not remove $DIR" "it was not made by this script" "give the folder that was given to up"
  hold_lock "$DIR/lock" "the control plane in $DIR"
  stop_all
  [ -z "$purge" ] || rm -rf "$DIR"
  log "control plane in $DIR is down${purge:+ and removed}"
}

status() {
  local name pid code=0
  load_settings
  for name in $(daemons); do
    if pid=$(daemon_pid "$DIR" "$name"); then
      printf '%-24s running, process %s\n' "$name" "$pid"
    else
      printf '%-24s stopped\n' "$name"
      code=1
    fi
  done
  if [ -n "$APISERVER_PORT" ] && api /readyz >/dev/null 2>&1; then
    printf '%-24s ready at https://%s:%s\n' API "$(server_address)" "$APISERVER_PORT"
  else
    printf '%-24s not ready\n' API
    code=1
  fi
  exit $code
}

main() {
  case ${1:-} in
    -h | --help | help) usage; exit 0 ;;
    up | down | status | stop-apiserver | start-apiserver | freeze-apiserver | thaw-apiserver | compact) ;;
    *) usage >&2; die "unknown command: ${1:-(none)}" ;;
  esac
  local command=$1
  case ${2:-} in
    '' | -*) die "$command needs the folder of the control plane" "none was given" "hack/control-plane.sh $command DIR" ;;
  esac
  DIR=$(realpath -m "$2")
  shift 2
  case $command in
    stop-apiserver) stop_apiserver ;;
    freeze-apiserver) signal_apiserver STOP ;;
    thaw-apiserver) signal_apiserver CONT ;;
    compact) compact ;;
    start-apiserver)
      [ -s "$DIR/settings" ] || die "no control plane in $DIR" "it was never up" "hack/control-plane.sh up $DIR"
      load_settings
      start_apiserver
      await_apiserver
      ;;
    *) "$command" "$@" ;;
  esac
}

main "$@"
