# Two images from one source: `operator` (the controller) and `builder` (index-builder, which runs in build Jobs).
#   docker build --target operator -t indexoperator/operator:dev .
#   docker build --target builder  -t indexoperator/builder:dev  .

# With the C compiler and linker that a native program needs.
FROM mcr.microsoft.com/dotnet/sdk:10.0-noble-aot AS build
WORKDIR /source
ENV DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 CI=true
COPY global.json Directory.Build.props Directory.Packages.props .editorconfig ./
COPY src/ src/

FROM build AS build-operator
RUN dotnet publish src/IndexOperator.Operator --configuration Release --use-current-runtime --output /out

FROM build AS build-builder
RUN dotnet publish src/IndexOperator.Builder --configuration Release --use-current-runtime --output /out && rm -f /out/*.xml /out/*.pdb

FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled AS operator
LABEL org.opencontainers.image.title="index-operator" \
      org.opencontainers.image.description="Builds, versions and hands out pretraining index caches" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV DOTNET_EnableDiagnostics=0 ASPNETCORE_HTTP_PORTS=
COPY --from=build-operator /out /app
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/app/index-operator"]

FROM mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled AS builder
LABEL org.opencontainers.image.title="index-builder" \
      org.opencontainers.image.description="Builds Megatron-Core index caches byte for byte" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH="/app:${PATH}"
COPY --from=build-builder /out /app
USER 65532:65532
ENTRYPOINT ["/app/index-builder"]
