# shellcheck shell=bash
# Takes a node away, whatever state it is in: every function is a no-op where nothing is left. Sourced by node.sh.

cleanup_node() { # cleanup_node DIR
  local dir=$1 sandboxes id
  # Before anything is removed: what they leave outside DIR is named after them.
  mapfile -t sandboxes < <({ find "$dir/containerd/root/io.containerd.grpc.v1.cri/sandboxes" "$dir/containerd/state/io.containerd.grpc.v1.cri/sandboxes" \
    -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null || true; } | sort -u)
  daemon_stop "$dir" kubelet # first: it would start pods anew
  daemon_stop "$dir" kube-proxy
  remove_containers "$dir"
  daemon_stop "$dir" containerd
  stop_shims "$dir"
  unmount_below "$dir"
  remove_cgroups
  remove_rules
  ! ip link show "$BRIDGE" >/dev/null 2>&1 || ip link delete "$BRIDGE"
  restore_sysctl "$dir"
  remove_pod_logs "$dir"
  # A hostPath volume mounted here would be emptied through the mount: only without any mount below.
  if grep -q " $dir/" /proc/self/mountinfo; then
    warn "kept $dir/kubelet and $dir/containerd: something is still mounted there"
  else
    rm -rf "${dir:?}"/{kubelet,containerd,cni,bin}
  fi
  rm -f /var/lib/cni/results/indexoperator-*
  for id in "${sandboxes[@]}"; do
    # A shim that was killed leaves its socket, whose name containerd makes of its own address, the namespace and the id.
    rm -f "/run/containerd/s/$(printf '%s/k8s.io/%s' "$(containerd_socket "$dir")" "$id" | sha256sum | cut -d' ' -f1)" \
      /var/lib/cni/results/*-"$id"-*
  done
  rmdir /run/containerd/s /run/containerd /var/lib/cni/results /var/lib/cni \
    2>/dev/null || true
}

remove_containers() { # with containerd's own means
  local dir=$1 ctr=(ctr --timeout 10s --address "$(containerd_socket "$1")" -n k8s.io) ids
  daemon_running "$dir" containerd || return 0
  mapfile -t ids < <("${ctr[@]}" tasks list -q 2>/dev/null)
  [ ${#ids[@]} = 0 ] || printf '%s\0' "${ids[@]}" | xargs -0 -n 1 -P 8 "${ctr[@]}" tasks delete --force >/dev/null 2>&1 || true
  mapfile -t ids < <("${ctr[@]}" containers list -q 2>/dev/null)
  [ ${#ids[@]} = 0 ] || "${ctr[@]}" containers delete "${ids[@]}" >/dev/null 2>&1 || true
}

# Shims outlive containerd. Ours are those whose command line names our socket; their children are the containers.
stop_shims() {
  local file pid children socket
  socket=$(containerd_socket "$1")
  for file in /proc/[0-9]*/cmdline; do
    { tr '\0' '\n' <"$file"; } 2>/dev/null | grep -qxF -- "$socket" || continue
    pid=${file#/proc/} pid=${pid%/cmdline}
    [[ "$(readlink "/proc/$pid/exe" 2>/dev/null)" == */containerd-shim* ]] || continue
    children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null) || children=''
    # shellcheck disable=SC2086
    kill -KILL $children "$pid" 2>/dev/null || true
  done
}

unmount_below() {
  local point round
  for round in 1 2; do
    awk -v dir="$1/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r point; do
      point=$(printf '%b' "$point")
      umount "$point" 2>/dev/null || { [ "$round" = 1 ] || umount -l "$point" 2>/dev/null || warn "could not unmount $point"; }
    done
    sleep 0.1
  done
}

remove_cgroups() {
  local root i
  for ((i = 0; i < 20; i++)); do
    local left=''
    for root in /sys/fs/cgroup/*/kubepods /sys/fs/cgroup/kubepods; do
      [ -d "$root" ] || continue
      find "$root" -depth -type d -exec rmdir {} + 2>/dev/null || left=yes
    done
    [ -n "$left" ] || return 0
    sleep 0.2 # the kernel is still ending their processes
  done
  warn "some cgroups named kubepods could not be removed: find /sys/fs/cgroup -name kubepods"
}

# Rules and chains of kube-proxy, kubelet (KUBE-) and node.sh (IDXOP), in both variants and families; in one go, so that
# nobody else's rules are touched.
remove_rules() {
  local tool saved
  for tool in iptables-nft iptables-legacy ip6tables-nft ip6tables-legacy; do
    command -v "$tool-save" >/dev/null || continue
    saved=$("$tool-save" -c 2>/dev/null) || continue
    grep -qE 'KUBE-|IDXOP' <<<"$saved" || continue
    grep -vE 'KUBE-|IDXOP' <<<"$saved" | "$tool-restore" -c -w || warn "$tool: could not remove the rules that contain KUBE- or IDXOP"
  done
}

restore_sysctl() {
  local file value
  [ -e "$1/sysctl" ] || return 0
  while read -r file value; do
    printf '%s\n' "$value" >"$file" || true
  done <"$1/sysctl"
  rm -f "$1/sysctl"
}

# Older kubelets keep logs in /var/log/pods, whatever their root folder. Ours are those of pods known to our kubelet.
remove_pod_logs() {
  local pod link
  for pod in "$1"/kubelet/pods/*; do
    [ ! -d "$pod" ] || rm -rf /var/log/pods/*_"$(basename "$pod")"
  done
  for link in /var/log/containers/*.log; do
    [ ! -L "$link" ] || [ -e "$link" ] || rm -f "$link"
  done
  rmdir /var/log/pods /var/log/containers 2>/dev/null || true
}
