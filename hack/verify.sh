#!/usr/bin/env bash
# Checks that generated files are what their generators write, and that code, scripts and manifests are in form.
set -euo pipefail
HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=lib/common.sh
. "$HACK/lib/common.sh"
# shellcheck source=lib/debian.sh
. "$HACK/lib/debian.sh"
# shellcheck source=lib/helm.sh
. "$HACK/lib/helm.sh"
# shellcheck source=lib/actionlint.sh
. "$HACK/lib/actionlint.sh"
cd "$(dirname "$HACK")"

FAULTS=0

check() { # check TITLE COMMAND...
  local title=$1
  shift
  log "checking: $title"
  if ! "$@"; then
    FAULTS=$((FAULTS + 1))
    warn "not in order: $title"
  fi
}

crd_is_generated() {
  local fresh
  fresh=$(mktemp -d)
  if ! dotnet run --project tools/CrdGen --configuration Release -- --output "$fresh" >&2 ||
    ! diff -u config/crd/indexoperator.io_pretrainindexes.yaml "$fresh/indexoperator.io_pretrainindexes.yaml" >&2; then
    log "next: make manifests, and commit the result"
    rm -rf "$fresh"
    return 1
  fi
  rm -rf "$fresh"
}

roles_are_generated() {
  local fresh code=0
  fresh=$(mktemp -d)
  dotnet run --project tools/Rbac --configuration Release -- generate --output "$fresh" >&2 || code=1
  (cd "$fresh" && find . -type f) | while read -r file; do diff -u "$file" "$fresh/$file" >&2 || exit 1; done || code=1
  rm -rf "$fresh"
  [ "$code" = 0 ] || log "next: make manifests, and commit the result"
  return "$code"
}

bills_are_generated() {
  local fresh code=0
  fresh=$(mktemp -d)
  dotnet run --project tools/Sbom --configuration Release -- generate --output "$fresh" >&2 && diff -ru sbom "$fresh/sbom" >&2 || code=1
  rm -rf "$fresh"
  [ "$code" = 0 ] || log "next: make manifests, and commit the result"
  return "$code"
}

locks_are_whole() { # and no package in them has a known vulnerability, where the registry says which have
  dotnet restore IndexOperator.sln --locked-mode --force -p:NuGetAuditFatal=true -v quiet >&2 ||
    { log "next: dotnet restore --force-evaluate, and commit the lock files; for an advisory (NU190x) another version in Directory.Packages.props"; return 1; }
}

code_is_formatted() { dotnet format IndexOperator.sln --verify-no-changes --no-restore >&2 || { log "next: make format"; return 1; }; }

scripts_are_sound() { git ls-files '*.sh' .ci/run | xargs shellcheck -x -P SCRIPTDIR >&2; }

chart_is_in_step() { hack/chart.sh check; }

chart_is_sound() { # with each set of values that the golden files are of
  local helm values
  helm=$(hack/provision.sh helm) || return 1
  for values in tests/golden-chart/*/values.yaml; do
    "$helm" lint --strict --quiet charts/index-operator --values "$values" >&2 || { warn "with $values"; return 1; }
  done
}

queries_are_sound() { # the chart's alerts and what they say of made-up series, and each query of its dashboard as a rule
  local folder code=0 files=charts/index-operator/files
  folder=$(mktemp -d)
  # What the templates put in place of SELECTOR are matchers.
  { printf 'groups:\n- name: alerts\n  rules:\n'; sed 's/SELECTOR/job="x"/g; s/^/  /' "$files/alerts.yaml"; } >"$folder/alerts.yaml"
  {
    printf 'groups:\n- name: dashboard\n  rules:\n'
    grep -oE '"expr": "([^"\]|\\.)*"' "$files/dashboard.json" | awk '{ printf "  - {record: panel:%d, %s}\n", NR, $0 }'
  } >"$folder/dashboard.yaml"
  sed 's/RULES/alerts.yaml/' tests/alerts/alerts.yaml >"$folder/test.yaml"
  promtool check rules "$folder/alerts.yaml" "$folder/dashboard.yaml" >&2 || code=1
  promtool test rules "$folder/test.yaml" >&2 || code=1
  rm -rf "$folder"
  return "$code"
}

workflows_are_sound() { # and every action of others is named by a commit, with its release beside it
  local code=0
  git ls-files '.github/workflows/*.yml' | xargs grep -nE '^ *(- )?uses:' | grep -vE 'uses: (\./\S+|[A-Za-z0-9_./-]+@[0-9a-f]{40} # v[0-9]+(\.[0-9]+)*)$' >&2 && code=1
  # shellcheck disable=SC2046
  actionlint $(git ls-files '.github/workflows/*.yml') || code=1
  return "$code"
}

bases_are_pinned() { # every image that the Dockerfile begins with is a stage of its own, or an argument made of a name and a digest
  local code=0 name
  while read -r name; do
    if [[ $name == "\${"*"_IMAGE}" ]]; then
      name=${name:2:-7}
      if ! grep -qE "^ARG ${name}_NAME=\S+/\S+:[^@ ]+$" Dockerfile || ! grep -qE "^ARG ${name}_DIGEST=sha256:[0-9a-f]{64}$" Dockerfile ||
        ! grep -qxF "ARG ${name}_IMAGE=\${${name}_NAME}@\${${name}_DIGEST}" Dockerfile; then
        warn "${name}_IMAGE in the Dockerfile is no image with tag and digest"
        code=1
      fi
    elif ! grep -qiE "^FROM (--platform=\S+ )?\S+ AS $name$" Dockerfile; then
      warn "the Dockerfile begins with $name, which is not pinned: ARG X_NAME=...:TAG, ARG X_DIGEST=sha256:..., ARG X_IMAGE=\${X_NAME}@\${X_DIGEST} and FROM \${X_IMAGE}"
      code=1
    fi
  done < <(sed -nE 's/^FROM (--platform=\S+ )?(\S+).*/\2/p' Dockerfile)
  return "$code"
}

manifests_are_sound() { git ls-files 'config/*.yaml' 'docs/*.yaml' '*.yml' 'charts/*/Chart.yaml' 'charts/*/values.yaml' 'charts/*/files/*.yaml' tests/alerts/alerts.yaml | xargs yamllint --strict >&2; }

files_are_short() { # a file that needs scrolling holds more than one thing
  local long
  long=$(git ls-files 'src/*.cs' 'tools/*.cs' 'tests/*.cs' 'hack/*.sh' | xargs wc -l | awk '$2 != "total" && $1 > 450')
  [ -z "$long" ] || { printf 'longer than 450 lines:\n%s\n' "$long" >&2; return 1; }
}

nothing_of_this_machine() { # the home of root inside the SDK image is no path of this machine
  ! git grep -nIE '(^|[^a-zA-Z])/(root|home|work)/[A-Za-z0-9_.-]+' -- ':!*.lock.json' ':!tests/golden/*' ':!tests/*/golden/*' |
    grep -v ':/root/\.nuget/' >&2
}

main() {
  case ${1:-} in
    -h | --help | help) printf 'Usage: hack/verify.sh\nRuns every check and says at the end how many failed.\n'; exit 0 ;;
  esac
  install_packages "what checks scripts and manifests" shellcheck yamllint prometheus
  provide_actionlint
  check "lock files fit the projects" locks_are_whole
  check "the CRD is what the C# types say" crd_is_generated
  check "roles are what the operator's access rules say" roles_are_generated
  check "the images' bills of materials are what the lock files say" bills_are_generated
  check "C# is formatted" code_is_formatted
  check "shell scripts pass shellcheck" scripts_are_sound
  check "manifests pass yamllint" manifests_are_sound
  check "base images are pinned" bases_are_pinned
  check "workflows pass actionlint, and pin what they use" workflows_are_sound
  check "the chart has what it is made of" chart_is_in_step
  check "the chart passes helm lint" chart_is_sound
  check "alerts and dashboard pass promtool" queries_are_sound
  check "files stay readable on their own" files_are_short
  check "no path of one machine is committed" nothing_of_this_machine
  [ "$FAULTS" = 0 ] || die "$FAULTS check(s) failed" "see the lines marked 'not in order' above"
  log "everything is in order"
}

main "$@"
