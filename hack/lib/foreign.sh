# shellcheck shell=bash
# Images for another architecture than this machine's: what their stand-ins are made of. Nothing of that architecture is run: Debian's
# packages are unpacked only, and .NET comes as the packages from which `dotnet publish --self-contained` takes it. Sourced by stand-ins.sh.

# shellcheck disable=SC2034  # of stand-ins.sh
CROSS_PACKAGES=gcc-aarch64-linux-gnu,libc6-dev-arm64-cross

machine_arch() { # as Debian and Docker call it
  case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) uname -m ;;
  esac
}

image_arch() { printf '%s\n' "${INDEXOPERATOR_ARCH:-$(machine_arch)}"; }

is_foreign() { [ "$(image_arch)" != "$(machine_arch)" ]; }

need_known_arch() {
  ! is_foreign || [ "$(machine_arch) $(image_arch)" = "amd64 arm64" ] ||
    die "cannot build images for $(image_arch) here" "this machine is $(machine_arch), and only amd64 machines build for another architecture, arm64" \
      "unset INDEXOPERATOR_ARCH, or set it to arm64 on an amd64 machine"
}

# The small root of a chiseled image with the libraries of the other architecture in place of this machine's.
foreign_root() { # foreign_root CHISELED.tar FILE
  local folder packages
  folder=$(mktemp -d)
  packages=$(IFS=,; printf '%s' "${CHISELED_PACKAGES[*]}")
  mmdebstrap --variant=extract --architectures="$(image_arch)" --include="$packages" bookworm "$folder/packages" "$(debian_mirror)"
  mkdir "$folder/tree"
  tar -xf "$1" -C "$folder/tree" --exclude='./usr/lib/*-linux-gnu' --exclude='./usr/lib64' --exclude='./lib64' --exclude='./etc/ld.so.cache'
  # Packages bring libraries to /lib, too, which is a link to /usr/lib in a whole system.
  cp -a "$folder/packages/lib/." "$folder/packages/usr/lib/." "$folder/tree/usr/lib/"
  rm -rf "$folder"/tree/usr/lib/*-linux-gnu/gconv
  tar -cf "$2" -C "$folder/tree" .
  rm -rf "$folder"
}

# .NET for the other architecture, laid out as it is installed: DIR/host and DIR/shared.
foreign_dotnet() { # foreign_dotnet DIR
  local version runtime source pack framework
  version=$(find "$(dotnet_root)/shared/Microsoft.AspNetCore.App" -mindepth 1 -maxdepth 1 -name '[0-9]*' -printf '%f\n' | sort -V | tail -n 1)
  runtime=linux-$(image_arch)
  source=$(mktemp -d)
  cat >"$source/packs.csproj" <<XML
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net${version%.*}</TargetFramework></PropertyGroup>
  <ItemGroup>
    <PackageDownload Include="Microsoft.NETCore.App.Runtime.$runtime" Version="[$version]" />
    <PackageDownload Include="Microsoft.AspNetCore.App.Runtime.$runtime" Version="[$version]" />
  </ItemGroup>
</Project>
XML
  dotnet restore "$source/packs.csproj" --packages "$source/packages"
  for framework in Microsoft.NETCore.App Microsoft.AspNetCore.App; do
    pack="$source/packages/${framework,,}.runtime.$runtime/$version/runtimes/$runtime"
    mkdir -p "$1/shared/$framework/$version"
    cp -a "$pack/lib/net${version%.*}/." "$1/shared/$framework/$version/"
    [ ! -d "$pack/native" ] || cp -a "$pack/native/." "$1/shared/$framework/$version/"
  done
  mkdir -p "$1/host/fxr/$version"
  mv "$1/shared/Microsoft.NETCore.App/$version/libhostfxr.so" "$1/host/fxr/$version/"
  rm -rf "$source"
}
