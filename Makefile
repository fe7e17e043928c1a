# `make demo` and `make test` are all a newcomer needs; `make help` lists the rest.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export DOTNET_NOLOGO := 1
export DOTNET_CLI_TELEMETRY_OPTOUT := 1

CONFIGURATION ?= Release
# A kubeconfig counts only when it is given on the command line: a KUBECONFIG in the environment may be somebody's production.
DEMO_KUBECONFIG := $(if $(filter command line,$(origin KUBECONFIG)),$(KUBECONFIG))

DEMO_OPTIONS := $(if $(DEMO_KUBECONFIG),--kubeconfig "$(DEMO_KUBECONFIG)")
DEMO_IMAGES := $(if $(OPERATOR_IMAGE),--operator-image "$(OPERATOR_IMAGE)") $(if $(BUILDER_IMAGE),--builder-image "$(BUILDER_IMAGE)")

.PHONY: help demo demo-down test fuzz chaos bench-builder bench-operator bench-stage test-unit test-integration e2e build verify manifests record-release format chart images clean

help: ## Show this help
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

demo: ## The main job on a real cluster, from nothing (KUBECONFIG=... uses an existing cluster)
	@hack/demo.sh up $(DEMO_OPTIONS) $(DEMO_IMAGES)

demo-down: ## Remove everything that `make demo` started
	@hack/demo.sh down $(DEMO_OPTIONS)

test: ## Every test: unit, integration (real control plane), e2e (real node)
	@hack/test.sh all

test-unit: ## Unit, golden and property tests: seconds, no cluster
	@hack/test.sh unit

test-integration: ## The operator against a real etcd, apiserver and controller-manager
	@hack/test.sh integration

fuzz: ## Damaged files for FUZZ_SECONDS (600) a target, from FUZZ_SEED or a seed of the clock
	@hack/test.sh fuzz

chaos: ## Leaders killed, frozen and cut off CHAOS_BLOWS (50) times, the API server down CHAOS_OUTAGES (20) times
	@hack/test.sh chaos

bench-builder: ## The builder beside what Megatron-Core does: a table, and artifacts/bench-builder.json
	@hack/bench-builder.sh $(BENCH_OPTIONS)

bench-operator: ## The operator with 1,000 and 10,000 resources: a table, and artifacts/bench-operator.json
	@hack/provision.sh control-plane
	@dotnet publish src/IndexOperator.Operator --configuration Release --use-current-runtime --output artifacts/operator --verbosity quiet
	@dotnet run --project tools/OperatorBench --configuration $(CONFIGURATION) -- $(BENCH_OPTIONS)

bench-stage: ## Copying a version to a RAM disk beside cp: a table
	@hack/bench-stage.sh

e2e: ## Images on a real node with a real kubelet
	@hack/test.sh e2e

build: ## Build everything
	@dotnet build IndexOperator.sln --configuration $(CONFIGURATION)

verify: ## Generated files, formatting, scripts and manifests are as they must be
	@hack/verify.sh

manifests: ## Regenerate the CRD from the C# types, the roles from the operator's access rules, what the chart has of these, and the images' SBOMs
	@dotnet run --project tools/CrdGen --configuration $(CONFIGURATION) -- --output config/crd
	@dotnet run --project tools/Rbac --configuration $(CONFIGURATION) -- generate --output .
	@hack/chart.sh sync
	@dotnet restore IndexOperator.sln -v quiet
	@dotnet run --project tools/Sbom --configuration $(CONFIGURATION) -- generate --output .

record-release: ## Keep what this version writes, for later versions to read (docs/releasing.md)
	@hack/record-release.sh

format: ## Format the C# code
	@dotnet format IndexOperator.sln

chart: ## Check and pack the chart into artifacts/chart
	@hack/chart.sh package

images: ## Build the operator and builder images
	@hack/images.sh build

clean: ## Remove build output (caches outside the checkout stay)
	@rm -rf artifacts; find . \( -name bin -o -name obj -o -name TestResults \) -not -path './.git/*' -prune -exec rm -rf {} +
