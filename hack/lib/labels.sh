# shellcheck shell=bash
# What an image says of where it comes from. Sourced by images.sh, in the folder of the Dockerfile.

copied_paths() { # prints what the Dockerfile copies from beside it
  awk 'toupper($1) == "COPY" || toupper($1) == "ADD" {
      if ($0 ~ /--from=/) next
      for (i = 2; i < NF; i++) if ($i !~ /^--/) print $i }' Dockerfile | sort -u
}

# The last commit that changed what goes into images: others leave the images as they are. With -dirty when there is more than that.
source_revision() {
  local -a paths=(Dockerfile)
  local revision
  mapfile -t -O 1 paths < <(copied_paths)
  revision=$(git -c safe.directory='*' log -1 --format=%H -- "${paths[@]}" 2>/dev/null) || revision=''
  [ -n "$revision" ] || { echo unknown; return; }
  [ -z "$(git -c safe.directory='*' --no-optional-locks status --porcelain -- "${paths[@]}")" ] || revision+=-dirty
  printf '%s\n' "$revision"
}
