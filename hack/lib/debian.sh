# shellcheck shell=bash
# Debian's packages: install what is missing, without anything starting by itself. Sourced after common.sh.

# The mirror that this machine already uses for Debian's main component, asked of apt itself, so that one-line and
# deb822 sources, options and variables all count.
debian_mirror() {
  local created mirror
  for created in Packages Sources; do
    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets "Created-By: $created" --format '$(REPO_URI) $(COMPONENT) $(LABEL)' |
      awk '$2 == "main" && $3 == "Debian" { print $1; exit }')
    [ -z "$mirror" ] || { printf '%s\n' "$mirror"; return; }
  done
  die "found no Debian mirror for the source package" "apt knows no source with label Debian and component main" \
    "run apt-get update, or add a Debian mirror to /etc/apt/sources.list"
}

missing_packages() { # prints those of the given packages that are not installed
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
  done
}

apt_get_install() { # under long_step
  local policy=/usr/sbin/policy-rc.d ours=''
  # Debian starts the services it installs (etcd, containerd). These are not for that: forbid it for this installation.
  if [ ! -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  # shellcheck disable=SC2064
  trap "[ -z '$ours' ] || rm -f '$policy'" EXIT
  trap 'exit 1' INT TERM
  export DEBIAN_FRONTEND=noninteractive
  step_progress "installing $*"
  if ! apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"; then
    step_progress "refreshing apt's lists"
    apt-get -o DPkg::Lock::Timeout=300 update
    step_progress "installing $*"
    apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
  fi
  # Nor at the next boot of a machine with systemd.
  local unit
  if [ -d /run/systemd/system ]; then
    for unit in etcd containerd; do
      case " $* " in *" $unit"[\ -]*) systemctl disable --now "$unit" || true ;; esac
    done
  fi
}

install_packages() { # install_packages WHAT PACKAGE...: only what is missing
  local what=$1 missing
  shift
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} != 0 ] || return 0
  need_root "installing ${missing[*]}"
  command -v apt-get >/dev/null || die "cannot install ${missing[*]}" "this is no Debian machine" "install them by hand"
  long_step "Installing $what from Debian: ${missing[*]}" "10-60 s" apt_get_install "${missing[@]}"
}
