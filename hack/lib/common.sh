# shellcheck shell=bash
# Shared by the scripts in hack/: what to say, where to keep things, how to run and stop daemons.
# Sourced, never run. Standard output belongs to the caller: everything here talks on standard error.

set -euo pipefail

INDEXOPERATOR_CACHE="${INDEXOPERATOR_CACHE:-${XDG_CACHE_HOME:-${HOME:?HOME is not set; set it or INDEXOPERATOR_CACHE}/.cache}/indexoperator}"
INDEXOPERATOR_STATE="${INDEXOPERATOR_STATE:-/var/lib/indexoperator}"
# One clock for all scripts of a run, so that times stay relative to what the person started.
export INDEXOPERATOR_STARTED="${INDEXOPERATOR_STARTED:-$(date +%s)}"
export INDEXOPERATOR_CACHE INDEXOPERATOR_STATE

# ---- talking ---------------------------------------------------------------------------------------------------------

elapsed() {
  local seconds=$(($(date +%s) - ${1:-$INDEXOPERATOR_STARTED}))
  printf '%d:%02d' $((seconds / 60)) $((seconds % 60))
}

log() { printf '[%5s] %s\n' "$(elapsed)" "$*" >&2; }
warn() { log "warning: $*"; }

# die WHAT [CAUSE [NEXT STEP]]
die() {
  log "error: $1"
  [ -z "${2:-}" ] || printf '        cause: %s\n' "$2" >&2
  [ -z "${3:-}" ] || printf '        next:  %s\n' "$3" >&2
  exit 1
}

need_root() {
  [ "$(id -u)" = 0 ] || die "$1 needs root" "this is user $(id -un)" "run it with sudo (sudo -E keeps your settings)"
}

need_commands() {
  local missing=() command
  for command in "$@"; do
    command -v "$command" >/dev/null || missing+=("$command")
  done
  [ ${#missing[@]} = 0 ] || die "missing on PATH: ${missing[*]}" "the machine is not provisioned yet" "run hack/provision.sh"
}

# print_tail FILE [LINES]: the end of a log, indented, on standard error.
print_tail() {
  if [ -s "$1" ]; then
    tail -n "${2:-20}" "$1" | cut -c1-400 | sed 's/^/        | /' >&2
  else
    printf '        | (nothing was logged)\n' >&2
  fi
}

# long_step TITLE USUAL COMMAND...: run a step that takes a while. Its output goes to a file under the cache folder; what
# is shown is the title, the time it usually takes and, as it runs, the time so far and the last line that the command
# wrote to $STEP_PROGRESS. A failing step ends the script, so never call this in a condition: bash would then ignore
# errors inside the step.
long_step() {
  local title=$1 usual=$2 started pid code=0 shown=0 interval=30 tty=''
  shift 2
  mkdir -p "$INDEXOPERATOR_CACHE/logs"
  local logfile
  logfile=$(mktemp "$INDEXOPERATOR_CACHE/logs/$(date +%Y%m%d-%H%M%S)-XXXX.log")
  started=$(date +%s)
  [ -t 2 ] && tty=yes && interval=1
  log "$title (usually $usual)"
  export STEP_PROGRESS="$logfile.progress"
  : >"$STEP_PROGRESS"
  { # a lock must not stay with what the step leaves running, such as a compiler server
    close_inherited
    "$@"
  } >"$logfile" 2>&1 </dev/null &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.3
    if [ $(($(date +%s) - started)) -ge $((shown + interval)) ]; then
      shown=$(($(date +%s) - started))
      if [ -n "$tty" ]; then
        printf '\r\033[K[%5s]   %s  %s' "$(elapsed)" "$(elapsed "$started") of usually $usual" "$(tail -n 1 "$STEP_PROGRESS")" >&2
      else
        log "  $(elapsed "$started") of usually $usual  $(tail -n 1 "$STEP_PROGRESS")"
      fi
    fi
  done
  wait "$pid" || code=$?
  [ -z "$tty" ] || printf '\r\033[K' >&2
  rm -f "$STEP_PROGRESS"
  if [ "$code" != 0 ]; then
    print_tail "$logfile"
    die "$title: failed after $(elapsed "$started")" "the command ended with code $code; the end of its log is above" \
      "read the whole log, $logfile, then run the same command again: finished parts are kept"
  fi
  rm -f "$logfile"
  log "  done in $(elapsed "$started")"
}

# step_progress TEXT: for commands under long_step.
step_progress() { [ -z "${STEP_PROGRESS:-}" ] || printf '%s\n' "$*" >>"$STEP_PROGRESS"; }

# wait_for WHAT SECONDS COMMAND...: until the command succeeds; 1 when the time is over.
wait_for() {
  local what=$1 seconds=$2 deadline
  shift 2
  deadline=$(($(date +%s) + seconds))
  until "$@" >/dev/null 2>&1; do
    if [ "$(date +%s)" -ge "$deadline" ]; then
      log "waited ${seconds} s in vain for $what"
      return 1
    fi
    sleep 0.2
  done
}

# A command that fails where nobody expected it must not end a script without a word.
set -o errtrace
trap 'log "error: ${BASH_SOURCE[0]##*/}, line $LINENO: this failed: $BASH_COMMAND"' ERR

# ---- cache -----------------------------------------------------------------------------------------------------------
# An entry is a folder that exists complete or not at all: fill a temporary one beside it, then rename.

cache_begin() { # cache_begin ENTRY -> prints a temporary folder for it
  mkdir -p "$(dirname "$INDEXOPERATOR_CACHE/$1")"
  rm -rf "$INDEXOPERATOR_CACHE/$1".partial-* # of a run that was interrupted; the caller holds a lock
  mktemp -d "$INDEXOPERATOR_CACHE/$1.partial-XXXXXX"
}

cache_commit() { # cache_commit TEMPORARY ENTRY: also when another run was faster
  chmod 755 "$1"
  if [ -e "$INDEXOPERATOR_CACHE/$2" ]; then
    rm -rf "$1"
  else
    mv -T "$1" "$INDEXOPERATOR_CACHE/$2"
  fi
}

# hold_lock FILE WHAT: one at a time until this shell ends; says when it waits.
hold_lock() {
  local fd
  mkdir -p "$(dirname "$1")"
  exec {fd}>>"$1"
  if ! flock -n "$fd"; then
    log "waiting for another run that is busy with: $2 (lock $1)"
    flock -w 3600 "$fd" ||
      die "could not get to $2" "another run has held $1 for an hour" "find it with: fuser -v $1"
  fi
}

# ---- daemons ---------------------------------------------------------------------------------------------------------
# DIR/run/NAME.pid holds "PID STARTTIME"; the start time tells our process from a later one with the same number.

start_time_of() { # field 22 of /proc/PID/stat, counted after the command name, which may hold blanks
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  stat=${stat##*) }
  # shellcheck disable=SC2086
  set -- $stat
  [ "$1" != Z ] && printf '%s\n' "${20}"
}

daemon_pid() { # daemon_pid DIR NAME -> its process id, or 1 when it does not run
  local pid started
  [ -s "$1/run/$2.pid" ] && read -r pid started <"$1/run/$2.pid" || return 1
  [ "$(start_time_of "$pid")" = "$started" ] && printf '%s\n' "$pid"
}

daemon_running() { daemon_pid "$1" "$2" >/dev/null; }

# close_inherited: all but the three standard streams, in a child that may outlive its parent.
close_inherited() {
  local fd
  for fd in /proc/"$BASHPID"/fd/*; do
    fd=${fd##*/}
    [ "$fd" -le 2 ] || eval "exec $fd>&-"
  done
}

daemon_start() { # daemon_start DIR NAME COMMAND...
  local dir=$1 name=$2 pid
  shift 2
  ! daemon_running "$dir" "$name" || return 0
  mkdir -p "$dir/run" "$dir/logs"
  printf '%s\n' "--- $(date -u +%FT%TZ) start: $*" >>"$dir/logs/$name.log"
  # Its own session, and nothing inherited: an open lock or a pipe of the caller would be held for the daemon's life.
  (
    close_inherited
    exec setsid "$@"
  ) >>"$dir/logs/$name.log" 2>&1 </dev/null &
  pid=$!
  disown "$pid"
  printf '%s %s\n' "$pid" "$(start_time_of "$pid" || echo gone)" >"$dir/run/$name.pid"
}

daemon_stop() { # daemon_stop DIR NAME [SECONDS]: TERM, wait, KILL
  local pid i
  if pid=$(daemon_pid "$1" "$2"); then
    kill -TERM "$pid" 2>/dev/null || true
    for ((i = 0; i < ${3:-10} * 10; i++)); do
      daemon_running "$1" "$2" || break
      sleep 0.1
    done
    if daemon_running "$1" "$2"; then
      log "$2 still runs after ${3:-10} s; killing process $pid"
      kill -KILL "$pid" 2>/dev/null || true
      wait_for "the end of $2" 5 eval "! daemon_running '$1' '$2'" || return 1
    fi
  fi
  rm -f "$1/run/$2.pid"
}

daemon_names() { # daemon_names DIR -> the names of all that were started there
  local file
  for file in "$1"/run/*.pid; do
    [ ! -e "$file" ] || basename "$file" .pid
  done
}

# ---- network ---------------------------------------------------------------------------------------------------------

port_in_use() { # something listens on it, on any address
  local hex
  hex=$(printf ':%04X' "$1")
  awk -v port="$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }' \
    /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# Below the ephemeral ports and the node ports, at random, so that control planes started at once do not meet.
free_port() {
  local port i
  for ((i = 0; i < 200; i++)); do
    port=$((10250 + RANDOM % 19000 + 500))
    port_in_use "$port" || { printf '%s\n' "$port"; return; }
  done
  die "found no free port" "200 random ports between 10750 and 29750 are all taken" "see what listens: ss -ltnp"
}

# The version of the checkout that is the working directory; nothing where there is none.
source_version() { sed -nE 's|.*<Version>(.*)</Version>.*|\1|p' Directory.Build.props 2>/dev/null || true; }
