#!/usr/bin/env bash
# Runs the tests of one level or of all, and ends in one line: `N passed, N failed, N skipped`.
set -euo pipefail
HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=lib/common.sh
. "$HACK/lib/common.sh"
cd "$(dirname "$HACK")"

CONFIGURATION="${CONFIGURATION:-Release}"
E2E_CLUSTER=e2e

usage() {
  cat <<'HELP'
Usage: hack/test.sh unit|integration|e2e|all|fuzz|chaos [-- OPTIONS OF THE TEST RUNNER]

unit         every project in tests/ but the two below; no cluster; root once, for Debian packages. On amd64 with Debian the images are
             also built for arm64, and their programs run under an emulator
integration  tests/IndexOperator.Integration on a real etcd, kube-apiserver and kube-controller-manager
e2e          tests/IndexOperator.E2E on a real node; needs root. Without options of the runner each image is also built once more, from nothing,
             and compared; the first run on a machine builds the images of the previous release, too
all          all of these
fuzz         the fuzz tests alone, FUZZ_SECONDS (600) a target from FUZZ_SEED; a failure names its seed and its file
chaos        the leadership and outage tests alone, CHAOS_BLOWS (50) blows at leaders and CHAOS_OUTAGES (20) outages

integration and e2e keep the API servers' audit logs, and a last check says whether the operator was denied a call; after all of
integration also whether it was granted a verb that it never used.

Exit code 0 only when nothing failed and every project ran at least one test. Skipped tests are listed with what they lack.
TEST_SUMMARY=FILE also writes the last line to FILE. TEST_OUTPUT=Detailed keeps what passed tests print, too. Logs are in artifacts/test.
HELP
}

unit_projects() { find tests -mindepth 1 -maxdepth 1 -name '*.Tests' -type d | sort; }

build() {
  long_step "Building the solution" "1 min" dotnet build IndexOperator.sln --configuration "$CONFIGURATION" -v quiet
}

number_after() { # number_after WORD FILE: the last "WORD: N" of the runner's summary
  sed -nE "s/^ *$1: ([0-9]+).*/\1/p" "$2" | tail -n 1
}

run_project() { # run_project FOLDER
  local name logfile code=0 total
  name=$(basename "$1")
  logfile="artifacts/test/$name.log"
  RAN+=("$logfile")
  log "testing $name"
  dotnet test --project "$1" --configuration "$CONFIGURATION" --no-build --no-progress --output "${TEST_OUTPUT:-Normal}" --no-ansi "${RUNNER_OPTIONS[@]}" >"$logfile" 2>&1 || code=$?
  total=$(number_after total "$logfile")
  if [ -z "$total" ] || [ "$total" = 0 ]; then
    print_tail "$logfile" 40
    failed_check "$name ran no test (exit $code): the end of $logfile is above"
    return
  fi
  local passed failed skipped
  passed=$(number_after succeeded "$logfile") failed=$(number_after failed "$logfile") skipped=$(number_after skipped "$logfile")
  PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed)) SKIPPED=$((SKIPPED + skipped))
  log "$name: $passed passed, $failed failed, $skipped skipped"
  if [ "$failed" != 0 ]; then
    grep -A 25 -E '^ *failed ' "$logfile" | cut -c1-400 | head -n 120 >&2 || true
  elif [ "$code" != 0 ] && [ "$code" != 8 ]; then
    print_tail "$logfile" 40
    failed_check "$name ended with code $code though no test failed: the end of $logfile is above"
  fi
  grep -A 2 -E '^ *skipped ' "$logfile" | grep -v '^--$' | cut -c1-300 >&2 || true
}

failed_check() { # failed_check TEXT: of what is no test of the runner
  FAILED=$((FAILED + 1))
  FAILED_CHECKS+=("$1")
  warn "$1"
}

# Once more at the end, as whoever sees only that should know what to look for.
name_failures() {
  local logfile
  [ ${#FAILED_CHECKS[@]} = 0 ] || printf '  failed: %s\n' "${FAILED_CHECKS[@]}" >&2
  for logfile in "${RAN[@]}"; do
    grep -A 2 -E '^ *failed ' "$logfile" | grep -v '^--$' | cut -c1-300 | sed "s/^/  $(basename "$logfile" .log): /" | head -n 60 >&2 || true
  done
}

unit() {
  local project
  "$HACK/provision.sh" unit
  "$HACK/arm64.sh" >/dev/null || [ $? = 77 ] # its tests skip where it cannot
  while read -r project; do run_project "$project"; done < <(unit_projects)
}

fuzz() {
  export FUZZ_SECONDS="${FUZZ_SECONDS:-600}" FUZZ_REPORT="$PWD/artifacts/test/fuzz.txt"
  : >"$FUZZ_REPORT"
  RUNNER_OPTIONS+=(-- --filter-trait "Category=Fuzz")
  local project
  for project in tests/IndexOperator.Api.Tests tests/IndexOperator.Indexing.Tests; do
    log "$FUZZ_SECONDS s a target; what they find is told at the end"
    run_project "$project"
  done
  cat "$FUZZ_REPORT" >&2
}

chaos() {
  export CHAOS_BLOWS="${CHAOS_BLOWS:-50}" CHAOS_OUTAGES="${CHAOS_OUTAGES:-20}" CHAOS_REPORT="$PWD/artifacts/test/chaos.txt"
  : >"$CHAOS_REPORT"
  RUNNER_OPTIONS+=(-- --filter-trait "Category=Chaos")
  integration
  cat "$CHAOS_REPORT" >&2
}

# What was granted in vain only a run of everything can tell.
judge_rights() {
  local logfile=artifacts/test/rbac.log part=--part
  if [ "$INTEGRATED" = yes ] && [ ${#RUNNER_OPTIONS[@]} = 0 ]; then part=''; fi
  log "holding the audit logs against the operator's roles"
  # shellcheck disable=SC2086
  if dotnet run --project tools/Rbac --configuration "$CONFIGURATION" --no-build -- audit "$INDEXOPERATOR_AUDIT_LOGS" $part >"$logfile" 2>&1; then
    PASSED=$((PASSED + 1))
  else
    failed_check "the operator's roles and what it does differ: $logfile"
  fi
  cat "$logfile" >&2
}

keep_audit_logs() {
  export INDEXOPERATOR_AUDIT_LOGS="$PWD/artifacts/test/audit"
  rm -rf "$INDEXOPERATOR_AUDIT_LOGS"
  mkdir -p "$INDEXOPERATOR_AUDIT_LOGS"
}

integration() {
  INTEGRATED=yes
  "$HACK/provision.sh" control-plane
  "$HACK/provision.sh" unit
  run_project tests/IndexOperator.Integration
}

e2e() {
  need_root "the e2e test"
  if "$HACK/cluster.sh" status --name demo >/dev/null 2>&1; then
    warn "the demo's cluster is up and there is room for one node: taking it down (make demo starts it again)"
    "$HACK/demo.sh" down
  fi
  # Whatever happens, what this run started is stopped.
  trap '[ -z "$BESIDE" ] || kill -- "-$BESIDE" 2>/dev/null || true; "$HACK/cluster.sh" down --name "$E2E_CLUSTER" || true' EXIT
  # cluster.sh turns the audit log on where such logs are kept.
  "$HACK/cluster.sh" down --name "$E2E_CLUSTER"
  INDEXOPERATOR_E2E_KUBECONFIG=$("$HACK/cluster.sh" up --name "$E2E_CLUSTER" --restricted)
  export INDEXOPERATOR_E2E_KUBECONFIG
  export INDEXOPERATOR_E2E_CLUSTER="$INDEXOPERATOR_STATE/$E2E_CLUSTER"
  "$HACK/provision.sh" helm >/dev/null
  "$HACK/images.sh" build
  "$HACK/images.sh" load "$INDEXOPERATOR_E2E_CLUSTER"
  if [ ${#RUNNER_OPTIONS[@]} = 0 ]; then
    set -m # a process group of its own, so that all of it can be stopped
    build_beside &
    BESIDE=$!
    set +m
  fi
  run_project tests/IndexOperator.E2E
  cp "$INDEXOPERATOR_E2E_CLUSTER/logs/audit.log" "$INDEXOPERATOR_AUDIT_LOGS/e2e.log" ||
    failed_check "the cluster kept no audit log: nobody can say whether the operator was denied anything"
}

# While the e2e tests wait, which they do most of the time: the images of the previous release, which the last of them installs and makes
# itself where they are not there; and the images that they run on once more, from nothing.
build_beside() {
  local target code
  log "beside the tests: the images of the previous release, and once more those of this one"
  nice "$HACK/previous-release.sh" build >artifacts/test/previous-release.log 2>&1 || true
  for target in operator builder; do
    code=0
    nice "$HACK/images.sh" reproduce "$target" >"artifacts/test/reproduce-$target.log" 2>&1 || code=$?
    printf '%s\n' "$code" >"artifacts/test/reproduce-$target.code"
  done
}

judge_images() {
  local target logfile code
  log "waiting for the second build of the images"
  wait "$BESIDE" || true # each code is in a file
  BESIDE=''
  for target in operator builder; do
    logfile="artifacts/test/reproduce-$target.log"
    code=$(cat "artifacts/test/reproduce-$target.code" 2>/dev/null) || code=none
    case $code in
      0) PASSED=$((PASSED + 1)) ;;
      77) SKIPPED=$((SKIPPED + 1)) ;;
      *) failed_check "the image $target could not be built twice alike: $logfile" ;;
    esac
    tail -n 25 "$logfile" >&2
  done
}

main() {
  local level=${1:-}
  case $level in
    -h | --help | help) usage; exit 0 ;;
    unit | integration | e2e | all | fuzz | chaos) ;;
    *) usage >&2; die "unknown level: ${level:-(none)}" ;;
  esac
  shift
  [ "${1:-}" != -- ] || shift
  RUNNER_OPTIONS=("$@")
  PASSED=0 FAILED=0 SKIPPED=0 RAN=() FAILED_CHECKS=() INTEGRATED='' BESIDE=''
  mkdir -p artifacts/test
  rm -f artifacts/test/reproduce-*
  keep_audit_logs
  build
  if [ "$level" = all ]; then
    unit
    integration
    e2e
  else
    "$level"
  fi
  case $level in integration | e2e | all | chaos) judge_rights ;; esac
  [ -z "$BESIDE" ] || judge_images
  local summary="$PASSED passed, $FAILED failed, $SKIPPED skipped"
  name_failures
  [ -z "${TEST_SUMMARY:-}" ] || printf '%s\n' "$summary" >"$TEST_SUMMARY"
  printf '%s\n' "$summary"
  if [ "$FAILED" != 0 ]; then exit 1; fi
}

main "$@"
