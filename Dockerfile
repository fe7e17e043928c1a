# Two images from one source: `operator` (the controller) and `builder` (index-builder, which runs in build Jobs).
#   docker build --target operator -t indexoperator/operator:dev .
#   docker build --target builder  -t indexoperator/builder:dev  .

# Pinned: the same source gives the same image, and a new base is a commit. Each digest is that of an index of several architectures.
# The SDK has the C compiler and linker that a native program needs; the others have no shell, no package manager and no ICU.
ARG SDK_NAME=mcr.microsoft.com/dotnet/sdk:10.0.401-noble-aot
ARG SDK_DIGEST=sha256:1a069a730888d278b5ac00e3e238707387d20d2b65f0fc6866b6180df0a767e0
ARG SDK_IMAGE=${SDK_NAME}@${SDK_DIGEST}
ARG ASPNET_NAME=mcr.microsoft.com/dotnet/aspnet:10.0.12-noble-chiseled
ARG ASPNET_DIGEST=sha256:48e51f2f6798897be7ac4e775c049ed8fe60d3190f637e1f9c9dc7513efa659c
ARG ASPNET_IMAGE=${ASPNET_NAME}@${ASPNET_DIGEST}
ARG RUNTIME_DEPS_NAME=mcr.microsoft.com/dotnet/runtime-deps:10.0.12-noble-chiseled
ARG RUNTIME_DEPS_DIGEST=sha256:18d4848091a40d13dbfdd6a8340c1657dc3e2f2d7fa2f042e9d162e68669dbc9
ARG RUNTIME_DEPS_IMAGE=${RUNTIME_DEPS_NAME}@${RUNTIME_DEPS_DIGEST}

# On the machine's own architecture, whatever the image's: .NET is slow under emulation, and compiles for others.
FROM --platform=${BUILDPLATFORM} ${SDK_IMAGE} AS build
WORKDIR /source
ENV DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 CI=true
COPY global.json Directory.Build.props Directory.Packages.props .editorconfig ./
COPY src/ src/

FROM build AS build-operator
ARG TARGETARCH
RUN dotnet publish src/IndexOperator.Operator --configuration Release --arch ${TARGETARCH} --no-self-contained --output /out
COPY sbom/ /sbom/

FROM build AS build-builder
ARG TARGETARCH
RUN dotnet publish src/IndexOperator.Builder --configuration Release --arch ${TARGETARCH} --output /out && rm -f /out/*.xml /out/*.pdb
COPY sbom/ /sbom/

# Labels come last: another version or revision gives no other layer.
FROM ${ASPNET_IMAGE} AS operator
ARG TARGETARCH
ENV DOTNET_EnableDiagnostics=0 ASPNETCORE_HTTP_PORTS=
COPY --from=build-operator /out /app
COPY --from=build-operator /sbom/operator-${TARGETARCH}.cdx.json /usr/share/sbom/index-operator.cdx.json
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/app/index-operator"]
ARG ASPNET_NAME
ARG ASPNET_DIGEST
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="index-operator" \
      org.opencontainers.image.description="Builds, versions and hands out pretraining index caches" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${ASPNET_NAME}" \
      org.opencontainers.image.base.digest="${ASPNET_DIGEST}" \
      io.indexoperator.sbom="/usr/share/sbom/index-operator.cdx.json"

FROM ${RUNTIME_DEPS_IMAGE} AS builder
ARG TARGETARCH
ENV PATH="/app:${PATH}"
COPY --from=build-builder /out /app
COPY --from=build-builder /sbom/builder-${TARGETARCH}.cdx.json /usr/share/sbom/index-builder.cdx.json
USER 65532:65532
ENTRYPOINT ["/app/index-builder"]
ARG RUNTIME_DEPS_NAME
ARG RUNTIME_DEPS_DIGEST
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="index-builder" \
      org.opencontainers.image.description="Builds Megatron-Core index caches byte for byte" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${RUNTIME_DEPS_NAME}" \
      org.opencontainers.image.base.digest="${RUNTIME_DEPS_DIGEST}" \
      io.indexoperator.sbom="/usr/share/sbom/index-builder.cdx.json"
