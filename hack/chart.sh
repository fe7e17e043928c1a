#!/usr/bin/env bash
# Keeps equal what the chart shares with other files: the CRD, its alerts in config/prometheus, and the tables of values in its README.
set -euo pipefail
HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=lib/common.sh
. "$HACK/lib/common.sh"
cd "$(dirname "$HACK")"

CHART=charts/index-operator
CRD=indexoperator.io_pretrainindexes.yaml
RULE=config/prometheus/prometheus_rule.yaml
BEGIN='<!-- Written by hack/chart.sh from values.yaml: do not edit below. -->'

usage() {
  cat <<'HELP'
Usage: hack/chart.sh sync|check|package

sync     copies the generated CRD into the chart and the chart's alerts into config/prometheus, and writes the tables of values in the chart's
         README from the comments in values.yaml
check    tells whether sync would change anything
package  checks, lints and packs the chart into artifacts/chart
HELP
}

# values.yaml is written so that this suffices: two blanks a level, and every default on the line of its key.
tables() {
  awk '
    function fail(text) { printf "values.yaml, line %d: %s\n", NR, text > "/dev/stderr"; failed = 1; exit 1 }
    /^# == .* ==$/ {
      sub(/^# == /, ""); sub(/ ==$/, "")
      printf "\n### %s\n\n| value | default | |\n|---|---|---|\n", $0
      next
    }
    /^ *# -- / { text = $0; sub(/^ *# -- /, "", text); next }
    /^ *# / { if (text != "") { more = $0; sub(/^ *# /, "", more); text = text " " more }; next }
    /^ *$/ { if (text != "") fail("a description without a value"); next }
    {
      match($0, /^ */); depth = RLENGTH / 2
      if (!match($0, /^ *[A-Za-z0-9]+:/)) fail("not a key; write defaults on the line of their key, as {a: b} or [a, b]")
      key = $0; sub(/:.*/, "", key); sub(/^ */, "", key)
      value = $0; sub(/^ *[A-Za-z0-9]+: */, "", value)
      path[depth] = key
      if (value == "") {
        if (text != "") fail("a description of a group: describe each value")
        next
      }
      if (text == "") fail(key " has no description: put a line \"# -- ...\" above it")
      name = path[0]; for (i = 1; i <= depth; i++) name = name "." path[i]
      gsub(/\|/, "\\|", text); gsub(/\|/, "\\|", value)
      printf "| `%s` | `%s` | %s |\n", name, value, text
      text = ""
    }
    END { if (!failed && text != "") fail("a description without a value") }
  ' "$CHART/values.yaml"
}

readme() {
  grep -qxF "$BEGIN" "$CHART/README.md" ||
    die "$CHART/README.md has no place for the tables" "the line that they follow is missing" "put it back: $BEGIN"
  sed "/^${BEGIN//\//\\/}\$/q" "$CHART/README.md"
  tables
}

prometheus_rule() { # the chart's alerts for those who do not use it
  printf '# Written by hack/chart.sh from %s/files/alerts.yaml: do not edit.\n' "$CHART"
  cat <<'YAML'
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: index-operator
  namespace: index-operator-system
  labels:
    app.kubernetes.io/name: index-operator
spec:
  groups:
  - name: index-operator
    rules:
YAML
  sed '/^#/d; s/SELECTOR/job="index-operator-metrics",namespace="index-operator-system"/; s/^/    /' "$CHART/files/alerts.yaml"
}

pack() {
  local helm
  helm=$("$HACK/provision.sh" helm)
  rm -rf artifacts/chart
  "$helm" lint --strict "$CHART" >&2
  "$helm" package "$CHART" --destination artifacts/chart >&2
}

main() {
  local fresh rule faults=0
  case ${1:-} in
    -h | --help | help) usage; exit 0 ;;
    sync | check | package) ;;
    *) usage >&2; die "unknown command: ${1:-(none)}" ;;
  esac
  fresh=$(mktemp)
  rule=$(mktemp)
  # shellcheck disable=SC2064
  trap "rm -f '$fresh' '$rule'" EXIT
  readme >"$fresh"
  prometheus_rule >"$rule"
  if [ "$1" = sync ]; then
    cat "$rule" >"$RULE"
    cat "$fresh" >"$CHART/README.md"
    cp "config/crd/$CRD" "$CHART/files/$CRD"
    return
  fi
  diff -u "$CHART/README.md" "$fresh" >&2 || faults=1
  diff -u "$CHART/files/$CRD" "config/crd/$CRD" >&2 || faults=1
  diff -u "$RULE" "$rule" >&2 || faults=1
  [ "$faults" = 0 ] || die "the chart is not what its sources say" "the differences are above" "make manifests, and commit the result"
  if [ "$1" = package ]; then pack; fi
}

main "$@"
