#!/usr/bin/env bash
# A real node on this machine: containerd, kubelet, kube-proxy and a bridge, joined to a control plane in the same folder.
set -euo pipefail
HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=lib/common.sh
. "$HACK/lib/common.sh"
# shellcheck source=lib/kubernetes.sh
. "$HACK/lib/kubernetes.sh"
# shellcheck source=lib/node-cleanup.sh
. "$HACK/lib/node-cleanup.sh"

usage() {
  cat <<HELP
Usage: hack/node.sh network DIR
       hack/node.sh up DIR [--gpu-label]
       hack/node.sh down DIR
       hack/node.sh status DIR

network  creates the bridge $BRIDGE with address $BRIDGE_IP. The control plane of a node is started after this, with
         hack/control-plane.sh up DIR --bind $BRIDGE_IP --advertise $BRIDGE_IP --with-scheduler
up       starts containerd, kubelet and kube-proxy and waits until the node $NODE_NAME is Ready and the service address
         $SERVICE_IP answers. --gpu-label gives the node the label nvidia.com/gpu.present=true.
down     removes every pod, stops everything by process id, and takes away its mounts, bridge, cgroups and iptables rules.
         Also right for a node that started half. The control plane is not touched.
status   says what runs; code 0 when all of it does and the node is Ready.

All state is under DIR: containerd/, kubelet/, cni/, logs/, run/. Unix sockets allow 107 characters, so DIR has to be short:
$INDEXOPERATOR_STATE/NAME is what hack/cluster.sh uses. One node per machine at a time. Needs root.
HELP
}

DAEMONS=(containerd kubelet kube-proxy)
OWNER=/run/indexoperator-node # holds the DIR of the node that is up

refuse_second_node() {
  local other name
  other=$(cat "$OWNER" 2>/dev/null) || other=''
  if [ -n "$other" ] && [ "$other" != "$DIR" ]; then
    for name in "${DAEMONS[@]}"; do
      ! daemon_running "$other" "$name" || die "another node is up" "$other uses the bridge $BRIDGE and the node's ports" \
        "take it down first: hack/cluster.sh down --name $(basename "$other")"
    done
  fi
  if ! daemon_running "$DIR" kubelet && port_in_use 10250; then
    die "port 10250 is taken" "another kubelet runs on this machine" "see what it is: ss -ltnp 'sport = 10250'"
  fi
}

network() {
  refuse_second_node
  if ip link show "$BRIDGE" >/dev/null 2>&1 && ! ip -o addr show "$BRIDGE" | grep -q " $BRIDGE_IP/"; then ip link delete "$BRIDGE"; fi
  if ! ip link show "$BRIDGE" >/dev/null 2>&1; then
    ! ip route show | grep -q "^${POD_CIDR%.*}\." || die "the pods' addresses $POD_CIDR are in use" "$(ip route show | grep "^${POD_CIDR%.*}\.")" \
      "choose others with INDEXOPERATOR_POD_CIDR=10.x.y.0/24"
    ip link add "$BRIDGE" type bridge
    ip addr add "$BRIDGE_IP/${POD_CIDR#*/}" dev "$BRIDGE"
  fi
  ip link set "$BRIDGE" up
  mkdir -p "$DIR"
  printf '%s\n' "$DIR" >"$OWNER"
}

# The variant of iptables whose rules this kernel takes: Debian's default, else the legacy one. containerd's plugins and
# kube-proxy find it first on their PATH.
choose_iptables() {
  local variant tool
  mkdir -p "$DIR/bin"
  for variant in '' -nft -legacy; do
    command -v "iptables$variant" >/dev/null || continue
    "iptables$variant" -w -t nat -N IDXOP-PROBE 2>>"$DIR/logs/iptables.log" || continue
    if "iptables$variant" -w -t nat -A IDXOP-PROBE -m comment --comment probe -j MASQUERADE 2>>"$DIR/logs/iptables.log"; then
      "iptables$variant" -w -t nat -F IDXOP-PROBE
      "iptables$variant" -w -t nat -X IDXOP-PROBE
      for tool in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
        ln -sfn "$(command -v "${tool%%-*}$variant${tool#"${tool%%-*}"}")" "$DIR/bin/$tool"
      done
      return
    fi
    "iptables$variant" -w -t nat -X IDXOP-PROBE
  done
  print_tail "$DIR/logs/iptables.log"
  die "iptables does not work" "neither variant could add a masquerading rule; their words are above" "load the kernel's nf_tables or ip_tables modules"
}

# Pods get out through the machine's address, and in and between each other also where a firewall drops by default.
add_rules() {
  local rule
  remember_sysctl net.ipv4.ip_forward 1
  modprobe -a overlay br_netfilter 2>/dev/null || true
  [ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || remember_sysctl net.bridge.bridge-nf-call-iptables 1
  while read -r rule; do
    # shellcheck disable=SC2086
    "$DIR/bin/iptables" -w -C $rule -m comment --comment IDXOP 2>/dev/null ||
      "$DIR/bin/iptables" -w ${rule/#/-I } -m comment --comment IDXOP
  done <<RULES
POSTROUTING -t nat -s $POD_CIDR ! -d $POD_CIDR -j MASQUERADE
FORWARD -s $POD_CIDR -j ACCEPT
FORWARD -d $POD_CIDR -j ACCEPT
INPUT -i $BRIDGE -j ACCEPT
RULES
}

remember_sysctl() { # remember_sysctl NAME VALUE: set it, and put the old value back in down
  local file="/proc/sys/${1//.//}" old
  old=$(cat "$file")
  [ "$old" != "$2" ] || return 0
  printf '%s %s\n' "$file" "$old" >>"$DIR/sysctl"
  printf '%s\n' "$2" >"$file"
}

write_containerd_config() {
  mkdir -p "$DIR/containerd" "$DIR/cni/conf"
  cat >"$DIR/containerd/config.toml" <<TOML
version = 2
root = "$DIR/containerd/root"
state = "$DIR/containerd/state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = "$(containerd_socket "$DIR")"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE_IMAGE"
  restrict_oom_score_adj = true # a machine without CAP_SYS_RESOURCE could not lower it
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$DIR/cni/conf"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = "$DIR/containerd/runc"
TOML
  cat >"$DIR/cni/conf/10-bridge.conflist" <<CNI
{"cniVersion": "0.3.1", "name": "indexoperator", "plugins": [
  {"type": "bridge", "bridge": "$BRIDGE", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$DIR/cni/addresses", "ranges": [[{"subnet": "$POD_CIDR", "gateway": "$BRIDGE_IP"}]],
            "routes": [{"dst": "0.0.0.0/0"}]}}]}
CNI
}

write_kubelet_config() { # write_kubelet_config MINOR
  mkdir -p "$DIR/kubelet"
  cat >"$DIR/kubelet/config.yaml" <<YAML
kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
address: $BRIDGE_IP
healthzBindAddress: 127.0.0.1
readOnlyPort: 0
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $DIR/pki/ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
failSwapOn: false
serializeImagePulls: false
eventRecordQPS: 50
kubeAPIQPS: 50
kubeAPIBurst: 100
evictionHard: {memory.available: 50Mi, nodefs.available: 500Mi, imagefs.available: 500Mi}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
resolvConf: $([ -s /etc/resolv.conf ] && echo /etc/resolv.conf || echo '""')
volumePluginDir: $DIR/kubelet/plugins
YAML
  if [ "$1" -ge 27 ]; then printf 'containerRuntimeEndpoint: unix://%s\n' "$(containerd_socket "$DIR")" >>"$DIR/kubelet/config.yaml"; fi
  # From 1.31 a kubelet can refuse cgroup v1, and newer ones do unless told.
  if [ "$1" -ge 31 ] && [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then printf 'failCgroupV1: false\n' >>"$DIR/kubelet/config.yaml"; fi
}

start_containerd() {
  write_containerd_config
  PATH="$DIR/bin:$PATH" daemon_start "$DIR" containerd containerd --config "$DIR/containerd/config.toml"
}

ctr_ready() { ctr --address "$(containerd_socket "$DIR")" version; }

# Under set -e a failing wait ends the script; this adds whose fault it is.
await() { # await DAEMON WHAT SECONDS COMMAND...
  local daemon=$1
  shift
  wait_for "$@" || {
    print_tail "$DIR/logs/$daemon.log"
    die "no $1" "$daemon $(daemon_running "$DIR" "$daemon" && echo "runs but did not get there" || echo "stopped"); the end of its log is above" \
      "read $DIR/logs/$daemon.log, then hack/node.sh down $DIR and try again"
  }
}

start_kubelet() {
  local program minor flags=()
  program=$(kubernetes_program kubelet)
  minor=$(minor_of "$(version_of "$program")")
  write_kubelet_config "$minor"
  [ "$minor" -ge 27 ] || flags=(--container-runtime=remote "--container-runtime-endpoint=unix://$(containerd_socket "$DIR")"
    "--image-service-endpoint=unix://$(containerd_socket "$DIR")")
  [ -z "$GPU_LABEL" ] || flags+=(--node-labels=nvidia.com/gpu.present=true)
  make_certificate "$DIR/pki" node "/O=system:nodes/CN=system:node:$NODE_NAME"
  write_kubeconfig "$DIR/kubelet.kubeconfig" "$SERVER" "$DIR/pki/ca.crt" "$DIR/pki/node.crt" "$DIR/pki/node.key"
  PATH="$DIR/bin:$PATH" daemon_start "$DIR" kubelet "$program" --config="$DIR/kubelet/config.yaml" \
    --kubeconfig="$DIR/kubelet.kubeconfig" --hostname-override="$NODE_NAME" --node-ip="$BRIDGE_IP" \
    --root-dir="$DIR/kubelet" --cert-dir="$DIR/kubelet/pki" "${flags[@]}"
}

start_proxy() {
  local program
  program=$(kubernetes_program kube-proxy)
  make_certificate "$DIR/pki" kube-proxy /CN=system:kube-proxy
  write_kubeconfig "$DIR/kube-proxy.kubeconfig" "$SERVER" "$DIR/pki/ca.crt" "$DIR/pki/kube-proxy.crt" "$DIR/pki/kube-proxy.key"
  PATH="$DIR/bin:$PATH" daemon_start "$DIR" kube-proxy "$program" --kubeconfig="$DIR/kube-proxy.kubeconfig" \
    --hostname-override="$NODE_NAME" --cluster-cidr="$POD_CIDR" --proxy-mode=iptables --conntrack-max-per-core=0 \
    --nodeport-addresses="$POD_CIDR" --healthz-bind-address=127.0.0.1:10256 --metrics-bind-address=127.0.0.1:10249
}

kubectl_admin() { kubectl --kubeconfig "$DIR/admin.kubeconfig" --request-timeout=5s "$@"; }
node_ready() { kubectl_admin get node "$NODE_NAME" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' | grep -q True; }
service_answers() { curl -fsSk --noproxy '*' --max-time 3 "https://$SERVICE_IP/healthz" --cert "$DIR/pki/admin.crt" --key "$DIR/pki/admin.key"; }

healthy() {
  local name
  for name in "${DAEMONS[@]}"; do daemon_running "$DIR" "$name" || return 1; done
  node_ready >/dev/null 2>&1
}

up() {
  GPU_LABEL=''
  case ${1:-} in
    --gpu-label) GPU_LABEL=yes ;;
    '') ;;
    *) usage >&2; die "unknown option: $1" ;;
  esac
  need_commands containerd ctr runc iptables ip kubectl curl
  [ ${#DIR} -le 60 ] || die "the folder's name is too long" "unix sockets under $DIR would exceed 107 characters" "use one of at most 60 characters, such as $INDEXOPERATOR_STATE/demo"
  [ -s "$DIR/admin.kubeconfig" ] || die "no control plane in $DIR" "a node joins one that is up" \
    "hack/control-plane.sh up $DIR --bind $BRIDGE_IP --advertise $BRIDGE_IP --with-scheduler"
  SERVER=$(kubeconfig_server "$DIR/admin.kubeconfig")
  hold_lock "$DIR/node.lock" "the node in $DIR"
  refuse_second_node
  if healthy; then log "node already runs in $DIR"; return; fi
  log "starting the node (containerd, kubelet, kube-proxy) in $DIR"
  mkdir -p "$DIR/logs"
  network
  choose_iptables
  add_rules
  start_containerd
  start_proxy
  await containerd "answer from containerd" 20 ctr_ready
  "$HACK/images.sh" load-pause "$DIR"
  start_kubelet
  await kubelet "Ready from node $NODE_NAME" 90 node_ready
  await kube-proxy "answer from the API server at its service address $SERVICE_IP" 30 service_answers
  log "node $NODE_NAME is Ready"
}

down() {
  [ -d "$DIR" ] || { log "nothing in $DIR"; return; }
  hold_lock "$DIR/node.lock" "the node in $DIR"
  cleanup_node "$DIR"
  [ "$(cat "$OWNER" 2>/dev/null)" != "$DIR" ] || rm -f "$OWNER"
  log "node in $DIR is down"
}

status() {
  local name pid code=0
  for name in "${DAEMONS[@]}"; do
    if pid=$(daemon_pid "$DIR" "$name"); then printf '%-24s running, process %s\n' "$name" "$pid"; else printf '%-24s stopped\n' "$name"; code=1; fi
  done
  if node_ready >/dev/null 2>&1; then printf '%-24s Ready\n' "$NODE_NAME"; else printf '%-24s not Ready\n' "$NODE_NAME"; code=1; fi
  exit $code
}

main() {
  case ${1:-} in
    -h | --help | help) usage; exit 0 ;;
    network | up | down | status) ;;
    *) usage >&2; die "unknown command: ${1:-(none)}" ;;
  esac
  local command=$1
  case ${2:-} in
    '' | -*) die "$command needs the folder of the node" "none was given" "hack/node.sh $command DIR" ;;
  esac
  need_root "a node"
  DIR=$(realpath -m "$2")
  shift 2
  "$command" "$@"
}

main "$@"
