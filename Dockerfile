# Two images from one source: `operator` (the controller) and `builder` (index-builder, which runs in build Jobs).
#   docker build --target operator -t indexoperator/operator:dev .
#   docker build --target builder  -t indexoperator/builder:dev  .

# Pinned: the same source gives the same image, and a new base is a commit. Each digest is that of an index of several architectures.
# The SDK has the C compiler and linker that a native program needs; the others have no shell, no package manager and no ICU.
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0.401-noble-aot@sha256:1a069a730888d278b5ac00e3e238707387d20d2b65f0fc6866b6180df0a767e0
ARG ASPNET_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0.12-noble-chiseled@sha256:48e51f2f6798897be7ac4e775c049ed8fe60d3190f637e1f9c9dc7513efa659c
ARG RUNTIME_DEPS_IMAGE=mcr.microsoft.com/dotnet/runtime-deps:10.0.12-noble-chiseled@sha256:18d4848091a40d13dbfdd6a8340c1657dc3e2f2d7fa2f042e9d162e68669dbc9

FROM ${SDK_IMAGE} AS build
WORKDIR /source
ENV DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 CI=true
COPY global.json Directory.Build.props Directory.Packages.props .editorconfig ./
COPY src/ src/

FROM build AS build-operator
RUN dotnet publish src/IndexOperator.Operator --configuration Release --use-current-runtime --output /out

FROM build AS build-builder
RUN dotnet publish src/IndexOperator.Builder --configuration Release --use-current-runtime --output /out && rm -f /out/*.xml /out/*.pdb

FROM ${ASPNET_IMAGE} AS operator
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="index-operator" \
      org.opencontainers.image.description="Builds, versions and hands out pretraining index caches" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV DOTNET_EnableDiagnostics=0 ASPNETCORE_HTTP_PORTS=
COPY --from=build-operator /out /app
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/app/index-operator"]

FROM ${RUNTIME_DEPS_IMAGE} AS builder
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="index-builder" \
      org.opencontainers.image.description="Builds Megatron-Core index caches byte for byte" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH="/app:${PATH}"
COPY --from=build-builder /out /app
USER 65532:65532
ENTRYPOINT ["/app/index-builder"]
